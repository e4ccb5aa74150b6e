"""Groups of incident energy: every figure is computed per group, with equal counts where it must.

Files of data set 1 hold a few discrete energies: each is a group. A continuous spectrum (data sets
2 and 3) is cut into groups of equal population in the reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.samples.sample import Sample

MAX_DISCRETE = 32
"""More distinct energies than this are taken as a continuous spectrum."""

N_CONTINUOUS = 9
"""Groups of a continuous spectrum, as many as data set 1 has energies per three decades."""

TOLERANCE = 5e-4
"""Relative width of a discrete group: float32 rounding and nothing else."""


@dataclass(frozen=True)
class EnergyGroups:
    """A partition of the incident energies.

    Attributes
    ----------
    centers
        Shape (G,), MeV, ascending: the energy itself, or the group's mean in log energy.
    lower, upper
        Shape (G,), MeV: a shower of energy E is in group g if lower[g] <= E < upper[g].
    discrete
        Whether a group is one energy: a shower of 300 MeV then belongs to neither 256 nor 512 MeV.
    """

    centers: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    discrete: bool

    def __len__(self) -> int:
        return len(self.centers)

    def index(self, incident_energy: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return the group of every energy, shape (N,); -1 if it is in none."""
        group = np.searchsorted(self.lower, incident_energy, side="right") - 1
        return np.where(incident_energy < self.upper[group], group, -1)

    def rows(self, sample: Sample) -> list[NDArray[np.intp]]:
        """Return the row numbers of every group, G arrays of shape (n_g,)."""
        group = self.index(sample.incident_energy)
        return [np.flatnonzero(group == g) for g in range(len(self))]

    def contains(self, sample: Sample) -> NDArray[np.bool_]:
        """Return which showers are in a group, shape (N,)."""
        return self.index(sample.incident_energy) >= 0

    def counts(self, sample: Sample) -> NDArray[np.intp]:
        """Return the number of showers of every group, shape (G,)."""
        return np.array([len(rows) for rows in self.rows(sample)], dtype=np.intp)

    def keep(self, chosen: NDArray[np.bool_]) -> EnergyGroups:
        """Return the chosen groups, mask of shape (G,)."""
        return EnergyGroups(
            self.centers[chosen], self.lower[chosen], self.upper[chosen], self.discrete
        )


def energy_groups(reference: Sample) -> EnergyGroups:
    """Build the groups from the reference alone, so that every model meets the same ones."""
    values = np.unique(reference.incident_energy)
    if len(values) <= MAX_DISCRETE:
        return EnergyGroups(values, values * (1 - TOLERANCE), values * (1 + TOLERANCE), True)
    logs = np.log(reference.incident_energy)
    edges = np.exp(np.quantile(logs, np.linspace(0.0, 1.0, N_CONTINUOUS + 1)))
    edges[0] *= 1 - TOLERANCE
    edges[-1] *= 1 + TOLERANCE
    group = np.searchsorted(edges, reference.incident_energy, side="right") - 1
    centers = np.exp(np.array([logs[group == g].mean() for g in range(N_CONTINUOUS)]))
    return EnergyGroups(centers, edges[:-1], edges[1:], False)


def match_counts(
    sample: Sample, groups: EnergyGroups, counts: NDArray[np.intp], rng: np.random.Generator
) -> Sample:
    """Draw showers without replacement so that group g holds at most ``counts[g]`` of them.

    ``counts`` has shape (G,); the rows of the result are ordered by group.
    Metrics depend on the sample size (the floor above all), so the reference, the generated and
    the floor sample are compared with the same counts.
    """
    chosen = []
    for rows, wanted in zip(groups.rows(sample), counts, strict=True):
        enough = len(rows) <= wanted
        chosen.append(rows if enough else np.sort(rng.choice(rows, int(wanted), replace=False)))
    return sample.take(np.concatenate(chosen))
