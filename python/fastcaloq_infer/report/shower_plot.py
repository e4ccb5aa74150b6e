"""Pictures of the showers of one file: averages per incident energy, and single ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.data.summary import EnergyMarks
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.files import atomic_path, make_folder
from fastcaloq_infer.report.polar import Shower, polar_figure
from fastcaloq_infer.report.style import energy_label, picture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from fastcaloq_infer.data import Binning, ShowerFile

MOST_ROWS = 9
"""Rows of a picture: of more incident energies as many are drawn, at equal steps."""


@dataclass
class Averages:
    """Mean voxel energies at every incident energy.

    Attributes
    ----------
    marks
        The G incident energies, or ranges of them.
    counts
        (G,) how many showers.
    energy
        (G, V) MeV; 0 where there is no shower.
    rows
        (G,) row number of the first shower, -1 where there is none.
    """

    marks: EnergyMarks
    counts: NDArray[np.int64]
    energy: NDArray[np.float64]
    rows: NDArray[np.int64]

    def label(self, g: int) -> str:
        """Return the incident energy of a group."""
        low, high = self.marks.low[g], self.marks.high[g]
        if low == high:
            return energy_label(float(low))
        return f"{low:,.0f} to\n{high:,.0f} MeV"

    def shown(self) -> list[int]:
        """Return the groups to draw: all, or `MOST_ROWS` at equal steps of more."""
        filled = np.flatnonzero(self.counts)
        places = np.linspace(0, len(filled) - 1, min(len(filled), MOST_ROWS)).round()
        return [int(filled[int(place)]) for place in places]


def plot_showers(
    file: ShowerFile,
    folder: Path,
    *,
    events: Sequence[int] = (),
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Draw ``average.png`` and ``single.png`` of a shower file into a folder.

    Parameters
    ----------
    file
        An open file with voxels, read once and in chunks.
    folder
        Made if missing; pictures of the same names are replaced.
    events
        Rows of the file, from 0, to draw as single showers; by default the first shower at every
        incident energy that the averages show.
    progress
        Called with (showers done, showers in all).

    Raises
    ------
    InputError
        No voxels, no showers, a row that is bad or that the file does not have.
    OutputError
        The folder cannot be written.
    """
    if not file.has_voxels or file.binning is None:
        raise InputError(
            f"{file.path} {file.why_no_voxels().partition(';')[0]}: there is nothing to draw; give "
            "a file of whole showers"
        )
    if file.n_showers == 0:
        raise InputError(f"{file.path} holds no showers, so there is nothing to draw")
    missing = [event for event in events if not 0 <= event < file.n_showers]
    if missing:
        raise InputError(
            f"{file.path} has no row {missing[0]}: it holds {file.n_showers:,} showers, rows 0 to "
            f"{file.n_showers - 1} (--event)"
        )
    energies = file.incident_energies()
    averages = _average(file, file.binning, energies, progress)
    chosen = list(events) or [int(averages.rows[g]) for g in averages.shown()]
    make_folder(folder)
    figures = {
        "average.png": average_figure(file, file.binning, averages),
        "single.png": single_figure(file, file.binning, chosen, _rows(file, chosen), energies),
    }
    for name, figure in figures.items():
        with atomic_path(folder / name) as temporary:
            temporary.write_bytes(picture(figure, "png"))
    return [folder / name for name in figures]


def average_figure(file: ShowerFile, binning: Binning, averages: Averages) -> Figure:
    """Draw the mean shower at every incident energy, one row each, one panel per layer."""
    showers = [
        Shower(f"{averages.label(g)}\n{averages.counts[g]:,} showers", averages.energy[g])
        for g in averages.shown()
    ]
    title = (
        f"Average of {file.n_showers:,} {file.particle.name} showers in {file.path.name}, "
        "by incident energy"
    )
    return polar_figure(showers, binning, title=title)


def single_figure(
    file: ShowerFile,
    binning: Binning,
    rows: Sequence[int],
    voxels: NDArray[np.float32],
    energies: NDArray[np.float64],
) -> Figure:
    """Draw single showers (n, V), one row each, one panel per layer."""
    showers = [
        Shower(f"row {row}\n{energy_label(float(energies[row]))}", energy)
        for row, energy in zip(rows, voxels, strict=True)
    ]
    count = "One" if len(rows) == 1 else f"{len(rows)} single"
    kind = f"{file.particle.name} shower{'' if len(rows) == 1 else 's'}"
    return polar_figure(showers, binning, title=f"{count} {kind} of {file.path.name}")


def _average(
    file: ShowerFile,
    binning: Binning,
    energies: NDArray[np.float64],
    progress: Callable[[int, int], None] | None,
) -> Averages:
    marks = EnergyMarks(energies)
    counts = np.zeros(len(marks), np.int64)
    sums = np.zeros((len(marks), binning.n_voxels))
    rows = np.full(len(marks), -1, np.int64)
    for batch in file.iterate():
        group = marks.groups_of(batch.incident_energy.astype(np.float64))
        for g in np.unique(group):
            mine = np.flatnonzero(group == g)
            sums[g] += batch.showers[mine].sum(axis=0, dtype=np.float64)
            counts[g] += len(mine)
            if rows[g] < 0:
                rows[g] = batch.first_row + mine[0]
        if progress is not None:
            progress(batch.first_row + len(batch), file.n_showers)
    return Averages(marks, counts, sums / np.maximum(counts, 1)[:, None], rows)


def _rows(file: ShowerFile, rows: Sequence[int]) -> NDArray[np.float32]:
    """Read single rows, (n, V), in the order asked for."""
    found: dict[int, NDArray[np.float32]] = {}
    for batch in file.iterate():
        for row in rows:
            if 0 <= row - batch.first_row < len(batch):
                found[row] = batch.showers[row - batch.first_row].copy()
        if len(found) == len(set(rows)):
            break
    return np.stack([found[row] for row in rows])
