"""Files of showers: schema, provenance, independence of the chunk, bad arguments."""

import json

import h5py
import numpy as np
import pytest
import uproot

from fastcaloq_infer import __version__
from fastcaloq_infer.errors import InputError, OutputError
from fastcaloq_infer.output import Provenance, parse_energies, parse_eta, produce
from fastcaloq_infer.output.chunks import default_chunk

LAYERS = (0, 1, 2, 3, 12)
N = 1000
TYPES = {
    "event": "uint64",
    "particle": "uint32",
    "seed": "uint64",
    "pdg_id": "int32",
    "incident_energy": "float32",
    "eta": "float32",
    "total_energy": "float32",
    **{f"layer_energy_{layer}": "float32" for layer in LAYERS},
}


def expected(sampler, text="1000,2000,4000", first=0, n=N):
    event = np.uint64(first) + np.arange(n, dtype=np.uint64)
    energies = parse_energies(text).draw(0, event)
    return sampler.sample(
        energies, eta=np.full(n, 0.2, np.float32), seed=0, first_event=first, out_of_range="refuse"
    )


def read_root(path):
    with uproot.open(path) as file:
        columns = file["showers"].arrays(library="np")
        return columns, json.loads(str(file["provenance"])), file["showers"]


def read_hdf5(path):
    with h5py.File(path) as file:
        return {name: file[name][()] for name in file}, dict(file.attrs)


@pytest.mark.parametrize("compression", ["zstd", "lz4", "zlib", "none"])
@pytest.mark.parametrize(("container", "classname"), [("ttree", "TTree"), ("rntuple", "RNTuple")])
def test_root_schema_and_content(sampler, tmp_path, container, classname, compression):
    out = tmp_path / "out.root"
    law = parse_energies("1000,2000,4000")
    produce(sampler, N, out, energies=law, seed=2**64 - 1, container=container,
            compression=compression, chunk=300)  # fmt: skip
    columns, _, _ = read_root(out)
    with uproot.open(out) as file:
        assert classname in file.classname_of("showers")
    assert {name: str(values.dtype) for name, values in columns.items()} == TYPES
    want = expected(sampler)
    for position, layer in enumerate(LAYERS):
        got = columns[f"layer_energy_{layer}"]
        np.testing.assert_array_equal(got, want.layer_energy[:, position])
    np.testing.assert_array_equal(columns["incident_energy"], want.incident_energy)
    np.testing.assert_array_equal(columns["event"], np.arange(N))
    assert set(columns["seed"]) == {2**64 - 1}
    assert set(columns["pdg_id"]) == {22}
    assert set(columns["particle"]) == {0}
    assert set(columns["eta"]) == {np.float32(0.2)}
    # Added in double precision and rounded once: half a unit in the last place.
    total = want.layer_energy.astype(float).sum(axis=1)
    np.testing.assert_allclose(columns["total_energy"], total, rtol=2.0**-24)


def test_hdf5_schema_and_content(sampler, tmp_path):
    out = tmp_path / "out.hdf5"
    produce(sampler, N, out, energies=parse_energies("1000,2000,4000"), chunk=300, seed=2**63)
    data, attributes = read_hdf5(out)
    assert {name: (values.shape, str(values.dtype)) for name, values in data.items()} == {
        "incident_energies": ((N, 1), "float32"),
        "layer_energies": ((N, 5), "float32"),
        "event": ((N,), "uint64"),
        "eta": ((N,), "float32"),
    }
    want = expected(sampler)
    np.testing.assert_array_equal(data["layer_energies"], want.layer_energy)
    np.testing.assert_array_equal(data["incident_energies"][:, 0], want.incident_energy)
    np.testing.assert_array_equal(data["event"], np.arange(N))
    with h5py.File(out) as file:
        assert tuple(file["layer_energies"].attrs["layers"]) == LAYERS
        assert file["layer_energies"].attrs["unit"] == "MeV"
    assert attributes["seed"] == 2**63
    assert attributes["model_sha256"] == sampler.digest
    assert json.loads(attributes["provenance"])["seed"] == 2**63


@pytest.mark.parametrize("name", ["out.root", "out.hdf5"])
def test_provenance_is_complete(sampler, tmp_path, name):
    out = tmp_path / name
    law = parse_energies("128,1024")
    summary = produce(sampler, 11, out, energies=law, seed=7, first_event=2**63,
                      out_of_range="clip", command="fastcaloq sample photon", chunk=4)  # fmt: skip
    text = (
        read_root(out)[1] if out.suffix == ".root" else json.loads(read_hdf5(out)[1]["provenance"])
    )
    record = Provenance.model_validate(text)
    assert record == summary.provenance
    assert record.version == __version__
    assert record.model == "photon"
    assert record.model_sha256 == sampler.digest
    assert (record.n_showers, record.first_event, record.seed) == (11, 2**63, 7)
    assert record.energy_law == "128,1024"
    assert record.eta_law == "0.2"
    assert record.layers == LAYERS
    assert record.command == "fastcaloq sample photon"
    # Events 2^63 + 0, 2, ... 10 get 128 MeV, which lies below the range of the fake model.
    assert (record.out_of_range, record.n_out_of_range) == ("clip", 6)
    assert summary.size == out.stat().st_size


@pytest.mark.parametrize("name", ["out.root", "out.hdf5"])
def test_content_does_not_depend_on_the_chunk_or_the_split(sampler, tmp_path, name):
    def content(path):
        data = read_root(path)[0] if path.suffix == ".root" else read_hdf5(path)[0]
        return {key: np.asarray(values) for key, values in data.items()}

    law = parse_energies("256:65536")
    produce(sampler, 500, tmp_path / name, energies=law)
    whole = content(tmp_path / name)
    for chunk in (1, 7, 499, 10_000):
        if chunk == 1:
            produce(sampler, 20, tmp_path / name, energies=law, chunk=1, force=True)
        else:
            produce(sampler, 500, tmp_path / name, energies=law, chunk=chunk, force=True)
        for key, values in content(tmp_path / name).items():
            np.testing.assert_array_equal(values, whole[key][: len(values)], err_msg=key)
    parts = []
    for k, (first, n) in enumerate(((0, 123), (123, 377))):
        part = tmp_path / f"{k}{name}"
        produce(sampler, n, part, energies=law, first_event=first)
        parts.append(content(part))
    for key, values in whole.items():
        joined = np.concatenate([part[key] for part in parts])
        np.testing.assert_array_equal(joined, values, err_msg=key)


def test_memory_is_bounded_by_the_chunk(sampler, tmp_path):
    seen = []
    produce(sampler, 1050, tmp_path / "out.root", chunk=100, progress=seen.append)
    assert max(sampler.calls) == 100
    assert seen == [*range(100, 1001, 100), 1050]
    assert default_chunk(1) == default_chunk(10**6) == 100_000
    assert default_chunk(10**9) == 10**6


def test_times_add_up(sampler, tmp_path):
    summary = produce(sampler, 1000, tmp_path / "out.root", chunk=100)
    parts = summary.generation_seconds + summary.writing_seconds
    assert 0 < parts <= summary.total_seconds
    assert summary.showers_per_second == pytest.approx(1000 / summary.total_seconds)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "at least 1"),
        ({"n": -3}, "at least 1"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**64}, "seed"),
        ({"first_event": -1}, "first event"),
        ({"first_event": 2**64 - 5}, "beyond"),
        ({"energies": parse_energies("128")}, "from 256 to 65536"),
        ({"energies": parse_energies("1000:70000")}, "from 256 to 65536"),
        (
            {"energies": parse_energies("100"), "out_of_range": "extrapolate"},
            r"from 128 to 131072 MeV; stay inside, or choose clip \(",
        ),
        ({"eta": parse_eta("0.3")}, "eta"),
        ({"eta": parse_eta("-0.3:0.1")}, "eta"),
    ],
)
def test_bad_arguments_are_refused_before_any_work(sampler, tmp_path, arguments, message):
    with pytest.raises(InputError, match=message) as caught:
        produce(sampler, arguments.pop("n", 10), tmp_path / "out.root", **arguments)
    assert "\n" not in str(caught.value)
    assert not sampler.calls
    assert not list(tmp_path.iterdir())


def test_negative_eta_counts_by_its_size(sampler, tmp_path):
    produce(sampler, 10, tmp_path / "out.root", eta=parse_eta("-0.2"))
    assert read_root(tmp_path / "out.root")[0]["eta"][0] == np.float32(-0.2)


def test_bad_destinations_are_refused_before_any_work(sampler, tmp_path):
    existing = tmp_path / "there.root"
    existing.write_text("precious")
    folder = tmp_path / "folder.root"
    folder.mkdir()
    for path, message in (
        (tmp_path / "out.txt", "suffix"),
        (tmp_path / "out", "suffix"),
        (existing, "--force"),
        (folder, "folder"),
        (tmp_path / "missing" / "out.root", "does not exist"),
    ):
        with pytest.raises(OutputError, match=message) as caught:
            produce(sampler, 10, path)
        assert "\n" not in str(caught.value)
    assert not sampler.calls
    assert existing.read_text() == "precious"
