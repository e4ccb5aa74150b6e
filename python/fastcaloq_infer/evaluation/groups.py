"""Groups of incident energy: every figure is computed per group, with equal counts where it must.

Files of data set 1 hold a few discrete energies: each is a group. A continuous spectrum (data sets
2 and 3) is cut into groups of equal population in the reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.sample import Sample

MAX_DISCRETE = 32
"""More distinct energies than this are taken as a continuous spectrum."""

N_CONTINUOUS = 9
"""Groups of a continuous spectrum, as many as data set 1 has energies per three decades."""


@dataclass(frozen=True)
class EnergyGroups:
    """A partition of the incident energies.

    Attributes
    ----------
    centers
        Shape (G,), MeV, ascending: the energy itself, or the group's mean in log energy.
    edges
        Shape (G + 1,), MeV: a shower of energy E is in group g if edges[g] <= E < edges[g + 1].
    """

    centers: NDArray[np.float64]
    edges: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.centers)

    def index(self, incident_energy: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return the group of every energy, shape (N,); -1 or G if it is outside the range."""
        return np.searchsorted(self.edges, incident_energy, side="right") - 1

    def rows(self, sample: Sample) -> list[NDArray[np.intp]]:
        """Return the row numbers of every group, G arrays of shape (n_g,)."""
        group = self.index(sample.incident_energy)
        return [np.flatnonzero(group == g) for g in range(len(self))]


def energy_groups(reference: Sample) -> EnergyGroups:
    """Build the groups from the reference alone, so that every model meets the same ones."""
    values = np.unique(reference.incident_energy)
    if len(values) <= MAX_DISCRETE:
        middles = np.sqrt(values[1:] * values[:-1])
        # Half a per mille around the outer values allows for float32 rounding and nothing else.
        edges = np.concatenate([[values[0] * 0.9995], middles, [values[-1] * 1.0005]])
        return EnergyGroups(centers=values, edges=edges)
    logs = np.log(reference.incident_energy)
    edges = np.exp(np.quantile(logs, np.linspace(0.0, 1.0, N_CONTINUOUS + 1)))
    edges[0] *= 0.9995
    edges[-1] *= 1.0005
    group = np.searchsorted(edges, reference.incident_energy, side="right") - 1
    centers = np.exp(np.array([logs[group == g].mean() for g in range(N_CONTINUOUS)]))
    return EnergyGroups(centers=centers, edges=edges)


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


def common_counts(
    groups: EnergyGroups, samples: dict[str, Sample], *, least: int
) -> NDArray[np.intp]:
    """Return per group the largest count that all samples can offer, shape (G,).

    Raises
    ------
    InputError
        A sample has fewer than ``least`` showers in a group that the reference fills.
    """
    counts = {
        role: np.array([len(rows) for rows in groups.rows(sample)])
        for role, sample in samples.items()
    }
    for role, count in counts.items():
        if (count < least).any():
            g = int(np.flatnonzero(count < least)[0])
            raise InputError(
                f"the {role} sample has {int(count[g])} showers at {groups.centers[g]:.6g} MeV, "
                f"fewer than the {least} that a comparison needs; add showers at this energy or "
                "remove it from the reference"
            )
    common: NDArray[np.intp] = np.min(np.stack(list(counts.values())), axis=0)
    return common
