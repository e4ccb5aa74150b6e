"""Readers and writers: round trips, streaming, and what files say about themselves."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from fastcaloq_infer.data import (
    BINNINGS,
    Binning,
    binning,
    open_showers,
    read_layer_energies,
    write_binning,
    write_layer_energies,
    write_showers,
)
from fastcaloq_infer.errors import InputError

Dialect = Literal["calochallenge", "atlas"]
PHOTON = binning("dataset-1-photons")


def some_showers(
    which: Binning, n: int, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    incident = rng.choice([256, 1024, 4096], n).astype(np.float32)
    showers = rng.exponential(1.0, (n, which.n_voxels)) * (rng.random((n, which.n_voxels)) < 0.3)
    showers *= incident[:, None] / showers.sum(axis=1, keepdims=True)
    return incident, showers.astype(np.float32)


@pytest.mark.parametrize("name", BINNINGS)
@pytest.mark.parametrize("dialect", ["calochallenge", "atlas"])
def test_round_trip(name: str, dialect: Dialect, tmp_path: Path) -> None:
    which = binning(name)
    incident, showers = some_showers(which, 7)
    path = tmp_path / "a.hdf5"
    with write_showers(
        path, which, dialect=dialect, eta=0.2, attributes={"generator": "none"}
    ) as out:
        out.append(incident[:3], showers[:3])
        out.append(incident[3:, None], showers[3:])
    with open_showers(path) as file:
        (batch,) = file.iterate()
        assert file.n_showers == len(batch) == 7
        assert (file.particle.name, file.particle.pdg_id) == (which.particle, which.pdg_id)
        assert file.eta == 0.2
        assert file.attributes["generator"] == "none"
        assert file.binning is not None
        assert [layer.n_alpha for layer in file.binning.layers] == [
            layer.n_alpha for layer in which.layers
        ]
        for found, written in zip(file.binning.layers, which.layers, strict=True):
            np.testing.assert_allclose(found.r_edges, written.r_edges, atol=1e-3)
    np.testing.assert_array_equal(batch.incident_energy, incident)
    assert batch.showers.dtype == np.float32
    # ATLAS stores fractions: two float32 roundings, each 2^-24 relative
    tolerance = 2.0**-22 if dialect == "atlas" else 0
    np.testing.assert_allclose(batch.showers, showers, rtol=tolerance)
    np.testing.assert_allclose(
        read_layer_energies(path).layer_energy, which.layer_energies(showers), rtol=tolerance
    )


def test_keys_are_those_of_the_formats(tmp_path: Path) -> None:
    incident, showers = some_showers(PHOTON, 4)
    for dialect in ("calochallenge", "atlas"):
        with write_showers(tmp_path / dialect, PHOTON, dialect=dialect) as out:  # type: ignore[arg-type]
            out.append(incident, showers)
    with h5py.File(tmp_path / "calochallenge") as file:
        assert set(file) == {"incident_energies", "showers"}
        assert file["incident_energies"].shape == (4, 1)
        assert file["showers"].compression == "gzip"
        np.testing.assert_array_equal(file["showers"][...], showers)
    with h5py.File(tmp_path / "atlas") as file:
        assert len(file) == 1 + 5 * 5
        assert file["incident_energy"].shape == (4,)
        # layer 1 starts at voxel 8; fractions of the incident energy
        np.testing.assert_allclose(
            file["energy_layer_1"][...], showers[:, 8:168] / incident[:, None], rtol=2.0**-23
        )
        np.testing.assert_array_equal(file["binstart_radius_layer_1"][:3], [0, 2, 4])
        np.testing.assert_array_equal(file["binsize_radius_layer_1"][:3], [2, 2, 2])
        np.testing.assert_allclose(file["binstart_alpha_layer_1"][15:17], [-np.pi, -0.8 * np.pi])
        np.testing.assert_allclose(file["binsize_alpha_layer_1"][...], np.full(160, 0.2 * np.pi))


def test_layer_energies_without_voxels(tmp_path: Path) -> None:
    incident, showers = some_showers(PHOTON, 9)
    energies = PHOTON.layer_energies(showers)
    etas = np.linspace(0.2, 0.25, 9)
    path = tmp_path / "a.hdf5"
    with write_layer_energies(path, PHOTON) as out:
        out.append(incident, energies, etas)
    found = read_layer_energies(path)
    assert found.layer_ids == PHOTON.layer_ids
    assert found.binning == PHOTON
    assert (found.particle, found.pdg_id, len(found)) == ("photon", 22, 9)
    assert found.layer_energy.dtype == np.float64
    assert found.incident_energy.dtype == np.float32
    np.testing.assert_allclose(found.layer_energy, energies, rtol=2.0**-24)
    np.testing.assert_allclose(found.eta, etas, rtol=2.0**-24)
    with open_showers(path) as file:
        assert not file.has_voxels
        with pytest.raises(InputError, match="no voxels"):
            next(file.iterate())


@pytest.mark.parametrize("dialect", ["calochallenge", "atlas"])
@pytest.mark.parametrize("chunk", [1, 7, 64, 1000])
def test_chunks_equal_the_whole(dialect: Dialect, chunk: int, tmp_path: Path) -> None:
    incident, showers = some_showers(PHOTON, 100)
    path = tmp_path / "a.hdf5"
    with write_showers(path, PHOTON, dialect=dialect, eta=0.2) as out:
        out.append(incident, showers)
    seen: list[tuple[int, int]] = []
    whole = read_layer_energies(path)
    parts = read_layer_energies(path, chunk=chunk, progress=lambda *x: seen.append(x))
    np.testing.assert_array_equal(parts.layer_energy, whole.layer_energy)
    np.testing.assert_array_equal(parts.incident_energy, whole.incident_energy)
    assert seen[-1] == (100, 100)
    assert len(seen) == -(-100 // chunk)
    with open_showers(path) as file:
        batches = list(file.iterate(chunk))
        (all_,) = file.iterate()
    assert [batch.first_row for batch in batches] == list(range(0, 100, chunk))
    np.testing.assert_array_equal(np.concatenate([b.showers for b in batches]), all_.showers)


def test_memory_stays_far_below_the_file(tmp_path: Path) -> None:
    which = binning("dataset-2")
    n, chunk = 2000, 50
    path = tmp_path / "a.hdf5"
    incident, showers = some_showers(which, chunk)
    with write_showers(path, which, eta=0.0, compression=0) as out:
        for _ in range(n // chunk):
            out.append(incident, showers)
    assert path.stat().st_size > 50e6
    tracemalloc.start()
    try:
        read_layer_energies(path, chunk=chunk)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # a chunk is 1.3 MB, the result 0.7 MB, an HDF5 chunk in the cache 1 MB
    assert peak < 8e6


def test_default_chunks_are_whole_hdf5_chunks(tmp_path: Path) -> None:
    incident, showers = some_showers(PHOTON, 10)
    with write_showers(tmp_path / "a", PHOTON) as out:
        out.append(incident, showers)
    with open_showers(tmp_path / "a") as file, h5py.File(tmp_path / "a") as raw:
        assert file.chunk_rows() % raw["showers"].chunks[0] == 0
        with pytest.raises(InputError, match="at least 1"):
            next(file.iterate(0))


def test_empty_file(tmp_path: Path) -> None:
    for dialect in ("calochallenge", "atlas"):
        with write_showers(tmp_path / dialect, PHOTON, dialect=dialect, eta=0.2):  # type: ignore[arg-type]
            pass
        found = read_layer_energies(tmp_path / dialect)
        assert found.layer_energy.shape == (0, 5)


# what files say about themselves


def plain(path: Path, n_voxels: int = 368, **attributes: Any) -> Path:
    """A file as the challenge has it: two datasets in float64, no attributes."""
    with h5py.File(path, "w") as file:
        file["incident_energies"] = np.full((3, 1), 1000.0)
        file["showers"] = np.ones((3, n_voxels))
        file.attrs.update(attributes)
    return path


def test_particle_is_never_guessed(tmp_path: Path) -> None:
    path = plain(tmp_path / "dataset_1_photons_1.hdf5")
    with pytest.raises(InputError, match="never guessed from a file name"):
        open_showers(path)
    for stated in ({"particle": "photon"}, {"particle": 22}, {"binning": "dataset-1-photons"}):
        with open_showers(path, **stated) as file:  # type: ignore[arg-type]
            assert file.binning == PHOTON
            assert file.particle == ("photon", 22)


@pytest.mark.parametrize(
    "attributes",
    [
        {"pdg_id": 22},
        {"particle": "photon"},
        {"particle": b"gamma"},
        {"particle": "single photons at eta 0.2", "pdg_id": 22},
        {"pdg_id": np.array([22])},
    ],
)
def test_particle_from_the_file(tmp_path: Path, attributes: dict[str, Any]) -> None:
    with open_showers(plain(tmp_path / "a", **attributes)) as file:
        assert file.particle == ("photon", 22)


def test_the_file_decides_the_sign(tmp_path: Path) -> None:
    with open_showers(plain(tmp_path / "a", 533, pdg_id=-211), "dataset-1-pions") as file:
        assert file.particle == ("pion", -211)


@pytest.mark.parametrize(
    ("attributes", "stated", "words"),
    [
        ({"pdg_id": 22}, {"particle": "pion"}, "says photon .* says pion"),
        ({"pdg_id": 211}, {"binning": "dataset-1-photons"}, "says pion .* says photon"),
        ({"pdg_id": 22, "particle": "pion"}, {}, "says photon .* says pion"),
        ({"particle": "phooton"}, {}, "unknown particle 'phooton'"),
        ({"pdg_id": 11}, {}, "no built-in binning of a electron has 368 voxels"),
        ({}, {"binning": "dataset-1-pions"}, "368 voxels but binning .* has 533"),
        ({}, {"binning": "nothing.xml"}, "give one of"),
        ({"pdg_id": 22, "eta": 0.2}, {"eta": 0.3}, "given as 0.3 but the file says 0.2"),
        ({"pdg_id": 22, "eta": "low"}, {}, "not one number"),
        ({"pdg_id": 22, "eta": np.nan}, {}, "must be finite"),
        ({"pdg_id": 22}, {"eta": np.inf}, "must be finite"),
        ({"pdg_id": 22, "units": "GeV"}, {}, "in 'GeV'; every energy here is in MeV"),
        ({"pdg_id": 22, "binning": "dataset-1-pions"}, {}, "368 voxels but binning"),
    ],
)
def test_contradictions(
    tmp_path: Path, attributes: dict[str, Any], stated: dict[str, Any], words: str
) -> None:
    path = plain(tmp_path / "a.hdf5", **attributes)
    with pytest.raises(InputError, match=words) as caught:
        open_showers(path, **stated)
    assert "\n" not in str(caught.value)


def test_eta(tmp_path: Path) -> None:
    path = plain(tmp_path / "a", pdg_id=22)
    with pytest.raises(InputError, match="eta is not stated"):
        read_layer_energies(path)
    np.testing.assert_array_equal(read_layer_energies(path, eta=0.3).eta, [0.3] * 3)
    with open_showers(path) as file:
        assert not file.has_eta
        assert next(file.iterate()).eta is None
    with h5py.File(path, "a") as raw:
        raw["eta"] = np.array([[0.1], [0.2], [-0.3]])
    np.testing.assert_array_equal(read_layer_energies(path).eta, [0.1, 0.2, -0.3])
    with pytest.raises(InputError, match="one per shower"):
        read_layer_energies(path, eta=0.3)


def test_own_binning_from_file_or_xml(tmp_path: Path) -> None:
    own = Binning("own", "photon", 22, PHOTON.layers[:2])
    incident, showers = some_showers(own, 3)
    with write_showers(tmp_path / "a", own) as out:
        out.append(incident, showers)
    with open_showers(tmp_path / "a") as file:
        assert file.binning == own
    write_binning(tmp_path / "own.xml", own)
    with open_showers(plain(tmp_path / "b", own.n_voxels), tmp_path / "own.xml") as file:
        assert file.binning == own


# ATLAS


def edit(path: Path, change: Callable[[h5py.File], None]) -> Path:
    with h5py.File(path, "a") as file:
        change(file)
    return path


@pytest.fixture
def atlas(tmp_path: Path) -> tuple[Path, NDArray[np.float32], NDArray[np.float32]]:
    incident, showers = some_showers(PHOTON, 6)
    with write_showers(tmp_path / "a.hdf5", PHOTON, dialect="atlas", eta=0.2) as out:
        out.append(incident, showers)
    return tmp_path / "a.hdf5", incident, showers


def test_atlas_voxels_in_any_order(
    atlas: tuple[Path, NDArray[np.float32], NDArray[np.float32]],
) -> None:
    path, _, showers = atlas
    shuffle = np.random.default_rng(1).permutation(190)

    def change(file: h5py.File) -> None:
        for key in list(file):
            if key.endswith("layer_2"):
                file[key][...] = file[key][...][..., shuffle]
        # [0, 2 pi) instead of [-pi, pi)
        alpha = file["binstart_alpha_layer_2"][...]
        file["binstart_alpha_layer_2"][...] = np.where(alpha < -1e-6, alpha + 2 * np.pi, alpha)

    with open_showers(edit(path, change)) as file:
        np.testing.assert_allclose(next(file.iterate()).showers, showers, rtol=2.0**-22)


def test_atlas_merged_sectors_still_give_layer_energies(
    atlas: tuple[Path, NDArray[np.float32], NDArray[np.float32]],
) -> None:
    path, _, showers = atlas
    expected = PHOTON.layer_energies(showers)

    def merge(file: h5py.File) -> None:
        """The innermost ring of layer 1 as one voxel."""
        inner = np.arange(160) % 16 == 0
        for key in [key for key in file if key.endswith("layer_1")]:
            old = file[key][...]
            del file[key]
            if key == "energy_layer_1":
                first = old[:, inner].sum(axis=1, keepdims=True)
                file[key] = np.concatenate([first, old[:, ~inner]], axis=1)
            else:
                first = 2 * np.pi if key.startswith("binsize_alpha") else old[0]
                file[key] = np.concatenate([[first], old[~inner]])

    edit(path, merge)
    np.testing.assert_allclose(read_layer_energies(path).layer_energy, expected, rtol=1e-6)
    with open_showers(path) as file:
        assert file.binning is None
        with pytest.raises(InputError, match="layer 1 are not a grid"):
            next(file.iterate())


def test_atlas_without_positions_or_with_own_eta(
    atlas: tuple[Path, NDArray[np.float32], NDArray[np.float32]],
) -> None:
    path, _, showers = atlas

    def change(file: h5py.File) -> None:
        del file["binsize_radius_layer_3"]
        del file.attrs["eta"]
        file["center_eta"] = np.full(6, 0.21, np.float32)
        file["energy_layer_4"] = np.empty((6, 0), np.float32)

    found = read_layer_energies(edit(path, change))
    assert found.layer_ids == PHOTON.layer_ids
    np.testing.assert_allclose(found.eta, 0.21, rtol=1e-6)
    np.testing.assert_allclose(found.layer_energy, PHOTON.layer_energies(showers), rtol=1e-6)
    with open_showers(path) as file, pytest.raises(InputError, match="position of the voxels"):
        next(file.iterate())


def test_atlas_contradictions(
    atlas: tuple[Path, NDArray[np.float32], NDArray[np.float32]],
) -> None:
    path = atlas[0]
    with pytest.raises(InputError, match="holds the layers"):
        open_showers(path, "dataset-1-pions")
    with open_showers(path, "dataset-1-photons") as file:
        assert file.binning == PHOTON

    def shift(file: h5py.File) -> None:
        file["binstart_radius_layer_0"][...] += 1

    edit(path, shift)
    with pytest.raises(InputError, match="other bins than binning"):
        open_showers(path, "dataset-1-photons")
