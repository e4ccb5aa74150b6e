"""``fastcaloq plot``: what the pictures show, and what cannot be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest
import typer
from typer.testing import CliRunner
from whole_showers import BINNING, WholeShowers, voxels_of_geant4

from fastcaloq_infer.cli.plot import plot
from fastcaloq_infer.data import open_showers, packaged_sample, write_showers
from fastcaloq_infer.errors import InputError, OutputError
from fastcaloq_infer.output import produce
from fastcaloq_infer.report import shower_plot

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure

app = typer.Typer()
app.command()(plot)


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that are drawn, instead of their bytes, which take a second each."""
    drawn: list[Figure] = []

    def keep(figure: Figure, kind: str) -> bytes:
        drawn.append(figure)
        return kind.encode()

    monkeypatch.setattr(shower_plot, "picture", keep)
    return drawn


def rows(figure: Figure) -> list[str]:
    return [axes.get_ylabel() for axes in figure.axes if "\n" in axes.get_ylabel()]


def colours(figure: Figure, row: int, layer: int) -> np.ndarray:
    """Return the energies in a panel, (n_alpha, n_r)."""
    (mesh,) = figure.axes[row * BINNING.n_layers + layer].collections
    values = np.asarray(mesh.get_array().filled(0))
    which = BINNING.layers[layer]
    found: np.ndarray = values.reshape(which.n_alpha, -1, which.n_r)[:, 0]
    return found


def test_averages_and_single_showers_are_those_of_the_file(
    tmp_path: Path, figures: list[Figure]
) -> None:
    done = run(packaged_sample(), "-o", tmp_path / "plots", "--event", 4, "--event", 17)
    assert done.exit_code == 0, done.output
    assert done.output.split() == [
        str(tmp_path / "plots" / f"{n}.png") for n in ("average", "single")
    ]
    average, single = figures
    with open_showers(packaged_sample()) as file:
        (batch,) = file.iterate(10_000)
    assert rows(average)[0] == "256 MeV\n350 showers"
    assert rows(average)[-1] == "65,536 MeV\n175 showers"
    assert len(rows(average)) == 9
    title = average.get_suptitle()
    assert title.startswith("Average of 2,975 photon showers in geant4_photons.hdf5")
    mine = batch.showers[batch.incident_energy == 65536].astype(float).mean(axis=0)
    shown = colours(average, 8, 2).reshape(-1)
    np.testing.assert_allclose(shown, mine[BINNING.layer_slices[2]], rtol=1e-12)
    assert [label.partition("\n")[0] for label in rows(single)] == ["row 4", "row 17"]
    for place, row in enumerate((4, 17)):
        for k, voxels in enumerate(BINNING.layer_slices):
            assert np.array_equal(colours(single, place, k).reshape(-1), batch.showers[row, voxels])


def test_root_files_and_many_energies(tmp_path: Path, figures: list[Figure]) -> None:
    produce(WholeShowers(), 300, tmp_path / "out.root")
    done = run(tmp_path / "out.root", "-o", tmp_path)
    assert done.exit_code == 0, done.output
    average, single = figures
    assert rows(average)[0].startswith("256 to\n512 MeV\n")
    counts = [int(label.split()[-2]) for label in rows(average)]
    assert sum(counts) == 300
    assert np.array_equal(colours(single, 0, 0).reshape(-1)[:8].shape, (8,))
    row = int(rows(single)[0].split()[1])
    assert np.array_equal(colours(single, 0, 0).reshape(-1), voxels_of_geant4()[row, :8])


def test_pictures_are_pictures(tmp_path: Path) -> None:
    with write_showers(tmp_path / "few.hdf5", BINNING) as out:
        out.append([1024.0, 1024.0], voxels_of_geant4()[:2])
    assert run(tmp_path / "few.hdf5", "-o", tmp_path).exit_code == 0
    for name in ("average.png", "single.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_drawn_is_one_line(tmp_path: Path) -> None:
    with write_showers(tmp_path / "none.hdf5", BINNING):
        pass
    (tmp_path / "taken").touch()
    with h5py.File(tmp_path / "bare.hdf5", "w") as file:
        file["incident_energies"], file["showers"] = np.ones((2, 1)), np.ones((2, 368))
    for arguments, error, message in (
        (
            [packaged_sample("heldout")],
            InputError,
            "holds layer energies only, no voxels: there is",
        ),
        ([packaged_sample(), "--event", 2975], InputError, "no row 2975: it holds 2,975 showers"),
        ([packaged_sample(), "--event", -1], InputError, "no row -1"),
        ([tmp_path / "none.hdf5"], InputError, "holds no showers"),
        ([tmp_path / "bare.hdf5"], InputError, "never guessed"),
        ([tmp_path / "absent.root"], InputError, "is missing"),
        ([packaged_sample(), "--binning", "dataset-2"], InputError, "368 voxels but"),
        ([packaged_sample(), "-o", tmp_path / "taken"], OutputError, "cannot make"),
    ):
        done = run("-o", tmp_path / "plots", *arguments)
        assert isinstance(done.exception, error), (arguments, done.output)
        assert message in str(done.exception)
        assert "\n" not in str(done.exception)
    assert not (tmp_path / "plots").exists()
