"""Summarise a shower file in one pass, in constant memory: what ``fastcaloq inspect`` prints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fastcaloq_infer.data.shower_file import ShowerFile

MAX_DISCRETE = 40
"""More incident energies than this are grouped in powers of two."""


@dataclass(frozen=True)
class EnergyGroup:
    """Showers of one incident energy, or of one range of them.

    Attributes
    ----------
    low, high
        Incident energies in MeV; equal for a single energy.
    showers
        How many.
    response
        Mean of E_tot / E_inc.
    resolution
        Standard deviation of E_tot / E_inc over its mean.
    occupancy
        Fraction of voxels with energy, or NaN without voxels.
    zero_fraction
        (L,) fraction of showers without energy in the layer.
    share
        (L,) mean layer energy over mean total energy.
    """

    low: float
    high: float
    showers: int
    response: float
    resolution: float
    occupancy: float
    zero_fraction: NDArray[np.float64]
    share: NDArray[np.float64]


@dataclass
class Summary:
    """What is in a file.

    Attributes
    ----------
    groups
        Ascending in incident energy; bad rows are left out.
    n_bad
        Number of bad rows.
    first_bad
        Number of the first bad row and why it is bad, or None.
    warnings
        Suspicions about units and energies.
    """

    groups: list[EnergyGroup] = field(default_factory=list)
    n_bad: int = 0
    first_bad: str | None = None
    warnings: list[str] = field(default_factory=list)


class _Sums:
    """Running sums of one group."""

    def __init__(self, n_layers: int) -> None:
        self.n = 0
        self.ratio = 0.0
        self.ratio_squared = 0.0
        self.occupied = 0
        self.zeros = np.zeros(n_layers)
        self.layers = np.zeros(n_layers)

    def add(
        self, incident: NDArray[np.float64], layers: NDArray[np.float64], occupied: int
    ) -> None:
        ratio = layers.sum(axis=1) / incident
        self.n += len(incident)
        self.ratio += float(ratio.sum())
        self.ratio_squared += float((ratio**2).sum())
        self.occupied += occupied
        self.zeros += (layers == 0).sum(axis=0)
        self.layers += layers.sum(axis=0)

    def group(self, low: float, high: float, n_voxels: int) -> EnergyGroup:
        mean = self.ratio / self.n
        variance = max(0.0, self.ratio_squared / self.n - mean**2)
        total = float(self.layers.sum())
        return EnergyGroup(
            low,
            high,
            self.n,
            mean,
            variance**0.5 / mean if mean > 0 else float("nan"),
            self.occupied / (self.n * n_voxels) if n_voxels else float("nan"),
            self.zeros / self.n,
            self.layers / total if total > 0 else np.full(len(self.layers), float("nan")),
        )


class EnergyMarks:
    """Incident energies (N,) in MeV, one by one where they are few, else in powers of two.

    Attributes
    ----------
    low, high
        (G,) ends of every group; equal where its energy is one.
    """

    def __init__(self, energies: NDArray[np.float64]) -> None:
        values = np.unique(energies[np.isfinite(energies) & (energies > 0)])
        self._discrete = len(values) <= MAX_DISCRETE
        if self._discrete:
            self.low = self.high = values
        else:
            first, last = np.floor(np.log2(values[0])), np.floor(np.log2(values[-1])) + 1
            edges = 2.0 ** np.arange(first, last + 1)
            self.low, self.high = edges[:-1], edges[1:]

    def __len__(self) -> int:
        return len(self.low)

    def groups_of(self, energies: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return the number of the group of every energy (n,), all of which must be in one."""
        if self._discrete:
            return np.searchsorted(self.low, energies)
        return np.searchsorted(self.low, energies, side="right") - 1


def summarise(
    file: ShowerFile,
    *,
    chunk: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Summary:
    """Read a file once and summarise it; bad rows are counted, not refused.

    Parameters
    ----------
    file
        An open file.
    chunk
        Showers read at once.
    progress
        Called with (showers done, showers in all) after every chunk.

    Raises
    ------
    InputError
        The file is damaged.
    """
    summary = Summary()
    marks = EnergyMarks(file.incident_energies())
    sums = [_Sums(len(file.layer_ids)) for _ in range(len(marks))]
    n_voxels = 0
    for raw in file.raw_chunks(chunk):
        bad = raw.bad_rows()
        if bad.any():
            summary.n_bad += int(bad.sum())
            summary.first_bad = summary.first_bad or raw.why_bad(int(np.argmax(bad)))
        good = ~bad
        incident = raw.incident[good].astype(np.float64)
        deposits = raw.deposits[good]
        layers = file.sum_layers(deposits)
        n_voxels = deposits.shape[1] if file.deposits_are_voxels else 0
        place = marks.groups_of(incident)
        for k in np.unique(place):
            mine = place == k
            occupied = int(np.count_nonzero(deposits[mine])) if n_voxels else 0
            sums[k].add(incident[mine], layers[mine], occupied)
        if progress is not None:
            progress(raw.first_row + len(bad), file.n_showers)
    for k, one in enumerate(sums):
        if one.n:
            group = one.group(float(marks.low[k]), float(marks.high[k]), n_voxels)
            summary.groups.append(group)
    summary.warnings = unit_warnings(summary.groups)
    return summary


def unit_warnings(groups: list[EnergyGroup]) -> list[str]:
    """Say where energies look as if they were not in MeV.

    A calorimeter's E_tot/E_inc is near one whatever the particle (pions of 256 MeV, the worst
    case here, reach 0.9 on average), while a mistaken unit is a factor of a thousand.
    """
    if not groups:
        return []
    warnings = []
    showers = sum(group.showers for group in groups)
    response = sum(group.response * group.showers for group in groups) / showers
    if response == 0:
        warnings.append("no shower deposits any energy")
    elif response > 30:
        warnings.append(
            f"E_tot/E_inc is {response:.3g}: the incident energies look like GeV beside deposits "
            "in MeV (or MeV beside keV)"
        )
    elif response < 1 / 30:
        warnings.append(
            f"E_tot/E_inc is {response:.3g}: the deposits look like GeV beside incident energies "
            "in MeV (or MeV beside keV), or like fractions of the incident energy"
        )
    elif not 0.3 < response < 2:
        warnings.append(
            f"E_tot/E_inc is {response:.3g}, unusual for a calorimeter: check the sampling "
            "fractions and the units"
        )
    low, high = groups[0].low, groups[-1].high
    if low < 20 or high < 100:
        # Below about ten MeV an electron does not radiate but stops: nothing showers.
        warnings.append(
            f"incident energies from {low:g} to {high:g} MeV are too low for showers: they look "
            "like GeV or TeV"
        )
    elif high > 1e7:
        warnings.append(
            f"incident energies up to {high:g} MeV are more than 10 TeV: they look like keV or eV"
        )
    return warnings
