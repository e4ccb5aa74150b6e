"""The law that gives every event its energy: shape, bounds, sharding, refusals."""

import contextlib
import math

import h5py
import numpy as np
import pytest

from fastcaloq_infer.data import packaged_sample
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.output.portable import portable_exp
from fastcaloq_infer.output.spectrum import (
    _uniforms,
    energies_of_validity,
    eta_of_validity,
    parse_energies,
    parse_eta,
)


def events(n, first=0):
    return np.uint64(first) + np.arange(n, dtype=np.uint64)


def kolmogorov(values, cdf):
    """Distance of Kolmogorov between a sample and a distribution function."""
    n = len(values)
    expected = cdf(np.sort(values))
    return max(np.max(expected - np.arange(n) / n), np.max(np.arange(1, n + 1) / n - expected))


def test_one_value_and_cycle():
    assert parse_energies("65536").draw(0, events(3)).tolist() == [65536.0] * 3
    cycle = parse_energies("1024,2048,4096").draw(5, events(4, first=7))
    assert cycle.tolist() == [2048.0, 4096.0, 1024.0, 2048.0]
    assert cycle.dtype == np.float32


def test_log_uniform_law():
    law = parse_energies("256:65536")
    values = law.draw(3, events(20_000))
    assert values.dtype == np.float32
    assert law.bounds == (256.0, 65536.0)
    assert values.min() >= 256
    assert values.max() <= 65536
    # P(D > 2 / sqrt(n)) = 2 exp(-8) = 7e-4 if the law is log-uniform; the seed is fixed.
    cdf = lambda e: np.log(e / 256) / math.log(256)  # noqa: E731
    assert kolmogorov(values.astype(float), cdf) < 2 / math.sqrt(20_000)


def test_eta_is_uniform_and_independent_of_the_energy():
    eta = parse_eta("-0.4:0.2").draw(3, events(20_000)).astype(float)
    assert kolmogorov(eta, lambda x: (x + 0.4) / 0.6) < 2 / math.sqrt(20_000)
    energy = parse_energies("256:65536").draw(3, events(20_000))
    # 4 standard deviations of the correlation of independent samples.
    assert abs(np.corrcoef(np.log(energy), eta)[0, 1]) < 4 / math.sqrt(20_000)


@pytest.mark.parametrize("text", ["1000", "1000,2000,3000", "300:500"])
@pytest.mark.parametrize("first", [0, 2**40, 2**64 - 100])
def test_a_law_does_not_depend_on_how_events_are_split(text, first):
    law = parse_energies(text)
    whole = law.draw(11, events(100, first))
    parts = [law.draw(11, events(1, first + k))[0] for k in range(100)]
    np.testing.assert_array_equal(whole, parts)


def test_seeds_give_other_energies():
    law = parse_energies("256:65536")
    assert not np.array_equal(law.draw(1, events(50)), law.draw(2, events(50)))


def test_uniforms_stay_in_the_half_open_interval():
    u = _uniforms(0, events(100_000), 0)
    assert 0 < u.min() < 1e-4
    assert 1 - 1e-4 < u.max() <= 1


def test_portable_exp_agrees_with_the_library():
    x = np.concatenate([np.linspace(-30, 15, 100_001), [0.0, -0.0, -1e-300]])
    # 14 roundings in the series, each weighted by r^k/k! <= 1/3, and two in the reduction.
    np.testing.assert_allclose(portable_exp(x), np.exp(x), rtol=4 * np.finfo(float).eps)


def test_energies_of_a_file(tmp_path):
    law = parse_energies(f"from:{packaged_sample()}")
    with h5py.File(packaged_sample()) as file:
        rows = file["incident_energies"][:, 0]
    n = len(rows)
    np.testing.assert_array_equal(law.draw(0, events(n + 5)), np.concatenate([rows, rows[:5]]))


def test_a_law_can_be_read_back_from_its_text():
    for text in ("1000,2000", "256:65536"):
        law = parse_energies(text)
        again = parse_energies(str(law))
        np.testing.assert_array_equal(law.draw(1, events(9)), again.draw(1, events(9)))


def test_a_range_means_the_same_after_its_text_was_read_again():
    events = np.arange(1000, dtype=np.uint64)
    law = eta_of_validity(0.2, 0.25)  # float32 has no 0.2
    assert np.array_equal(parse_eta(str(law)).draw(3, events), law.draw(3, events))


def test_defaults_come_from_the_validity():
    assert energies_of_validity(256.0, 65536.0).bounds == (256.0, 65536.0)
    assert energies_of_validity(500.0, 500.0).draw(0, events(2)).tolist() == [500.0, 500.0]
    assert eta_of_validity(0.2, 0.2).draw(0, events(1))[0] == np.float32(0.2)
    assert eta_of_validity(0.0, 1.3).bounds == (0.0, 1.3)


@pytest.mark.parametrize(
    "text",
    ["", "abc", "1,,2", "0", "-5", "nan", "inf", "1e300", "1e-60", "1:2:3", "2:1", "5:5", "0:5",
     "-1:5", "1:inf", "nan:5", ":", "1:", "from:", "from:missing.hdf5"],
)  # fmt: skip
def test_bad_energies_are_refused(text):
    with pytest.raises(InputError) as caught:
        parse_energies(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "x", "nan", "1:0", "1:1", "0:1:2", "inf"])
def test_bad_eta_is_refused(text):
    with pytest.raises(InputError):
        parse_eta(text)


def test_files_without_usable_energies_are_refused(tmp_path):
    text = tmp_path / "energies.hdf5"
    text.write_text("not HDF5")
    with pytest.raises(InputError, match="incident_energies"):
        parse_energies(f"from:{text}")
    other = tmp_path / "energies.root"
    other.write_text("not ROOT")
    with pytest.raises(InputError, match="incident energies"):
        parse_energies(f"from:{other}")
    for name, energies, message in (
        ("other", [1.0], "incident_energies"),
        ("incident_energies", [], "no showers"),
        ("incident_energies", [1.0, float("nan")], "entry 1"),
    ):
        with h5py.File(tmp_path / "bad.hdf5", "w") as file:
            file[name] = np.array(energies, np.float32)
        with pytest.raises(InputError, match=message):
            parse_energies(f"from:{tmp_path / 'bad.hdf5'}")
    for values in (np.array([b"a"]), np.array([1024 + 1j]), np.array([True])):
        with h5py.File(tmp_path / "bad.hdf5", "w") as file:
            file["incident_energies"] = values
        with pytest.raises(InputError, match="cannot read incident energies"):
            parse_energies(f"from:{tmp_path / 'bad.hdf5'}")
    with h5py.File(tmp_path / "bad.hdf5", "w") as file:
        file.create_group("incident_energies")
    with pytest.raises(InputError, match="cannot read incident energies"):
        parse_energies(f"from:{tmp_path / 'bad.hdf5'}")
    with pytest.raises(InputError, match="is no file"):
        parse_energies(f"from:{tmp_path}")


def test_a_damaged_root_file_is_refused_or_read(tmp_path):
    """Whatever a flipped bit does inside: energies that are positive and finite, or a reason."""
    import uproot

    path = tmp_path / "energies.root"
    with uproot.recreate(path) as file:
        file["showers"] = {"incident_energy": np.full(50, 1024, np.float32)}
    content = path.read_bytes()
    for place in range(0, len(content), 23):
        bad = bytearray(content)
        bad[place] ^= 1 << (place % 8)
        path.write_bytes(bad)
        with contextlib.suppress(InputError):
            assert parse_energies(f"from:{path}").bounds[0] > 0
