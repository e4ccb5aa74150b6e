"""Voxels in files: the same numbers in every form, and refused where they make no sense."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, Any

import awkward
import h5py
import numpy as np
import pytest
import uproot
import whole_showers as whole
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fastcaloq_infer.data import Binning, LayerBinning, open_showers
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation import read_sample
from fastcaloq_infer.farm import merge
from fastcaloq_infer.output import chunks, produce
from fastcaloq_infer.output.chunks import bytes_per_shower, check_chunk, default_chunk
from fastcaloq_infer.output.reading import read_binning, read_columns, read_provenance
from fastcaloq_infer.output.root_file import open_any
from fastcaloq_infer.output.voxels import VoxelStorage, choose_form, to_dense, to_sparse

if TYPE_CHECKING:
    from pathlib import Path

N = 500
FORMS: list[tuple[str, dict[str, Any]]] = [
    ("tree.root", {}),
    ("ntuple.root", {"container": "rntuple"}),
    ("dense_tree.root", {"voxels": "dense"}),
    ("dense_ntuple.root", {"voxels": "dense", "container": "rntuple"}),
    ("challenge.hdf5", {}),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("voxels")
    for name, options in FORMS:
        produce(whole.WholeShowers(), N, folder / name, chunk=123, first_event=7, **options)
    return folder


def expected() -> np.ndarray:
    found: np.ndarray = whole.voxels_of_geant4()[7 : 7 + N]
    return found


@given(
    arrays(
        np.float32,
        st.tuples(st.integers(0, 6), st.integers(1, 9)),
        elements=st.one_of(st.just(0.0), st.floats(2**-10, 2**10, width=32)),
    )
)
@settings(max_examples=50, deadline=None)
def test_sparse_and_dense_are_the_same_numbers(dense: np.ndarray) -> None:
    offsets, index, energy = to_sparse(dense)
    assert np.array_equal(to_dense(offsets, index, energy, dense.shape[1]), dense)
    assert (energy > 0).all()
    assert np.array_equal(np.diff(offsets), (dense > 0).sum(axis=1))


@pytest.mark.parametrize("name", [name for name, _ in FORMS])
def test_every_form_holds_what_was_drawn(files: Path, name: str) -> None:
    chunks = list(read_columns(files / name, 200))
    voxels = np.concatenate([chunk["voxel_energies"] for chunk in chunks])
    assert np.array_equal(voxels, expected())
    assert voxels.dtype == np.float32
    assert read_binning(files / name) == whole.BINNING
    provenance = read_provenance(files / name)
    form = "sparse" if name in ("tree.root", "ntuple.root") else "dense"
    assert (provenance.voxels, provenance.binning) == (form, "dataset-1-photons")
    with open_any(files / name) as file:
        batches = list(file.iterate(100))
    assert np.array_equal(np.concatenate([batch.showers for batch in batches]), expected())
    sample = read_sample(files / name)
    assert sample.voxel_energy is not None
    assert np.array_equal(sample.voxel_energy, expected())
    assert (sample.binning, sample.simulation) == (whole.BINNING, "fastcaloq-infer")


@pytest.mark.parametrize("name", ["tree.root", "ntuple.root"])
def test_sparse_columns_say_layer_number_and_energy(files: Path, name: str) -> None:
    with uproot.open(files / name) as file:
        rows = file["showers"].arrays(["n_voxels", "voxel_layer", "voxel_index", "voxel_energy"])
    assert awkward.all(rows.voxel_energy > 0)
    counts = np.asarray(rows.n_voxels)
    assert np.array_equal(counts, (expected() > 0).sum(axis=1))
    for field, dtype in (("layer", "uint16"), ("index", "uint16"), ("energy", "float32")):
        column = rows[f"voxel_{field}"]
        assert np.array_equal(np.asarray(awkward.num(column)), counts)
        assert str(column.type).endswith(f"* var * {dtype}")
    for shower in (0, 100, N - 1):
        for layer, index, energy in zip(
            rows.voxel_layer[shower], rows.voxel_index[shower], rows.voxel_energy[shower],
            strict=True,
        ):  # fmt: skip
            assert whole.BINNING.voxel_coordinates(int(index))[0] == layer
            assert expected()[shower, int(index)] == np.float32(energy)


def test_hdf5_is_read_as_the_public_evaluation_script_does(files: Path) -> None:
    """Its `extract_shower_and_energy` takes these two datasets, and nothing else of the file."""
    with h5py.File(files / "challenge.hdf5", "r") as source:
        shower, energy = source["showers"][:], source["incident_energies"][:]
        assert np.array_equal(source["event"], np.arange(7, 7 + N))
    assert (shower.shape, energy.shape) == ((N, 368), (N, 1))
    assert np.array_equal(shower, expected())
    with open_showers(files / "challenge.hdf5") as file:  # nothing has to be stated
        assert file.binning == whole.BINNING


@pytest.mark.parametrize("output", ["all.root", "all.hdf5"])
def test_parts_of_any_form_merge(tmp_path: Path, output: str) -> None:
    sampler = whole.WholeShowers()
    produce(sampler, 100, tmp_path / "a.root", first_event=7)
    produce(sampler, 100, tmp_path / "b.hdf5", first_event=107)
    produce(sampler, N - 200, tmp_path / "c.root", first_event=207, voxels="dense")
    parts = [tmp_path / name for name in ("c.root", "a.root", "b.hdf5")]
    record = merge(parts, tmp_path / output)
    assert record == read_provenance(tmp_path / output)
    assert record.voxels == ("sparse" if output == "all.root" else "dense")
    with open_any(tmp_path / output) as file:
        (batch,) = file.iterate(1000)
    assert np.array_equal(batch.showers, expected())
    merge(parts, tmp_path / "energies.root", voxels="none")
    assert read_provenance(tmp_path / "energies.root").voxels == "none"
    produce(sampler, 10, tmp_path / "d.root", first_event=7 + N, voxels="none")
    with pytest.raises(InputError, match="has binning None"):
        merge([*parts, tmp_path / "d.root"], tmp_path / "bad.root")


def test_energies_alone_are_drawn_without_voxels(tmp_path: Path) -> None:
    sampler = whole.WholeShowers()
    produce(sampler, 10, tmp_path / "out.root", voxels="none")
    produce(sampler, 10, tmp_path / "out.hdf5")
    assert sampler.asked == [False, True]
    with uproot.open(tmp_path / "out.root") as file:
        assert not [name for name in file["showers"].keys() if "voxel" in name]  # noqa: SIM118


@pytest.mark.parametrize(
    ("asked", "n_voxels", "suffix", "message"),
    [
        ("sparse", 0, ".root", "draws layer energies only"),
        ("dense", 0, ".hdf5", "draws layer energies only"),
        ("sparse", 368, ".hdf5", "is for ROOT files"),
    ],
)
def test_voxels_that_cannot_be_had_are_refused(
    asked: Any, n_voxels: int, suffix: str, message: str
) -> None:
    with pytest.raises(InputError, match=message) as raised:
        choose_form(asked, n_voxels, suffix)
    assert "\n" not in str(raised.value)


def test_an_energy_model_is_asked_for_no_voxels(sampler: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="draws layer energies only"):
        produce(sampler, 10, tmp_path / "out.root", voxels="dense")
    assert not list(tmp_path.iterdir())


def test_numbers_that_need_more_than_16_bits_are_refused() -> None:
    wide = Binning("wide", "photon", 22, (LayerBinning(1, tuple(range(300)), n_alpha=300),))
    with pytest.raises(InputError, match=r"89,700 voxels, more than the 65,536 .*--voxels dense"):
        VoxelStorage(wide, "sparse")
    assert VoxelStorage(wide, "dense").form == "dense"


# what a chunk takes


def test_a_chunk_that_does_not_fit_is_refused_with_both_sizes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "available_memory", lambda: 10**9)
    sampler = whole.WholeShowers()
    most = 10**9 // bytes_per_shower(5, 368)
    with pytest.raises(
        InputError,
        match=rf"a chunk of 1,000,000 showers needs up to 18.3 GB of memory and 1.0 GB are "
        rf"available; draw at most {most:,} at a time \(--chunk\)",
    ):
        produce(sampler, 2_000_000, tmp_path / "out.root", chunk=1_000_000)
    assert not sampler.asked
    assert not list(tmp_path.iterdir())
    check_chunk(most, 5, 368)
    with pytest.raises(InputError, match="needs up to"):
        check_chunk(most + 1, 5, 368)
    produce(sampler, 20, tmp_path / "out.root", chunk=10**9)  # 20 showers are a chunk of 20


def test_the_chunk_follows_from_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    for n_voxels in (368, 40_500):
        size = bytes_per_shower(5, n_voxels)
        monkeypatch.setattr(chunks, "available_memory", lambda: None)
        assert 0 <= (128 << 20) - default_chunk(1000, n_voxels, 5) * size < size
        assert default_chunk(10**9, n_voxels, 5) * size <= 512 << 20
        monkeypatch.setattr(chunks, "available_memory", lambda: 10**7)
        assert default_chunk(10**9, n_voxels, 5) == max(1, 10**7 // 2 // size)


@pytest.mark.parametrize(("name", "options"), FORMS)
def test_a_shower_takes_no_more_memory_than_stated(
    tmp_path: Path, name: str, options: dict[str, Any]
) -> None:
    """Full voxels are the worst case of sparse files."""
    sampler, n, chunk = whole.WholeShowers(), 4000, 2000
    produce(sampler, 10, tmp_path / name, **options)  # imports and caches
    full = np.full((1000, 368), 0.5, np.float32) + np.arange(368, dtype=np.float32)
    drawn = sampler.sample

    def sample(*arguments: Any, **named: Any) -> Any:
        showers = drawn(*arguments, **named)
        showers.voxel_energy = full[showers.event % np.uint64(1000)]
        showers.layer_energy = whole.BINNING.layer_energies(showers.voxel_energy)
        return showers

    sampler.sample = sample
    tracemalloc.start()
    try:
        produce(sampler, n, tmp_path / name, chunk=chunk, force=True, **options)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < chunk * bytes_per_shower(5, 368)


# files that contradict themselves


def test_layer_energies_that_are_not_the_sums_are_refused(files: Path, tmp_path: Path) -> None:
    path = tmp_path / "bad.hdf5"
    path.write_bytes((files / "challenge.hdf5").read_bytes())
    with h5py.File(path, "a") as file:
        layer = file["layer_energies"]
        row = int(np.argmax(layer[:, 2]))
        layer[row, 2] *= np.float32(1 + 8e-6)  # within the tolerance of 1e-5
    with open_showers(path) as file:
        list(file.iterate())
    with h5py.File(path, "a") as file:
        file["layer_energies"][row, 2] *= np.float32(1 + 8e-6)
    with (
        open_showers(path) as file,
        pytest.raises(InputError, match=rf"row {row}: the voxels of layer 2 add up to .* MeV, but"),
    ):
        list(file.iterate())
    with h5py.File(path, "a") as file:
        file["showers"][3, 5] = np.nan  # is said before a sum that cannot be formed
    with open_showers(path) as file, pytest.raises(InputError, match="row 3: voxel 5"):
        list(file.iterate())
    with h5py.File(path, "a") as file:
        del file["layer_energies"]
        file["layer_energies"] = np.zeros((N, 4), np.float32)
    with pytest.raises(InputError, match=r"'layer_energies' has shape \(500, 4\) for 500 showers"):
        open_showers(path)


class _Wrong(whole.WholeShowers):
    """Layer energies that are not those of the voxels."""

    def sample(self, *arguments: Any, **named: Any) -> Any:
        showers = super().sample(*arguments, **named)
        showers.layer_energy[5, 1] += 1.0
        return showers


def test_root_files_are_held_to_their_sums_too(tmp_path: Path) -> None:
    produce(_Wrong(), 10, tmp_path / "bad.root")
    with (
        open_any(tmp_path / "bad.root") as file,
        pytest.raises(InputError, match="row 5: the voxels of layer 1 add up to"),
    ):
        list(file.iterate())


def test_voxels_of_another_binning_are_refused(files: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not 'dataset-1-pions'; leave the binning out"):
        open_any(files / "tree.root", "dataset-1-pions")
    with pytest.raises(InputError, match="368 voxels but binning 'dataset-1-pions' has 533"):
        open_any(files / "challenge.hdf5", "dataset-1-pions", particle="pion")
    with pytest.raises(InputError, match=r"says photon .* says pion"):
        open_any(files / "tree.root", particle="pion")
    with pytest.raises(InputError, match="one per shower"):
        open_any(files / "tree.root", eta=0.2)
    with uproot.recreate(tmp_path / "odd.root") as file:
        jagged = awkward.Array([[1, 400]])
        file.mktree("showers", {"n": "int32"})
        with uproot.open(files / "tree.root") as good:
            texts = {name: str(good[name]) for name in ("provenance", "binning_xml")}
            columns = good["showers"].arrays(entry_stop=1, library="np")
        names = [name for name in columns if "voxel" not in name]
        rows = {name: columns[name] for name in names}
        rows["voxel_index"], rows["voxel_energy"] = jagged, jagged * 1.0
        del file["showers"]
        file["showers"] = rows
        for name, text in texts.items():
            file[name] = text
    with pytest.raises(InputError, match="voxel 400 is not one of the 368 of its binning"):
        list(read_columns(tmp_path / "odd.root", 10))
    with uproot.recreate(tmp_path / "lost.root") as file:
        file["provenance"] = texts["provenance"]
    with pytest.raises(InputError, match="holds voxels but not their binning"):
        read_binning(tmp_path / "lost.root")
