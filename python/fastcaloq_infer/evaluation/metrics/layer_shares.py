"""Shares per layer and incident energy: showers that leave it empty, voxels that hold energy."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from fastcaloq_infer.evaluation.metrics.moments import mean_error, zero_fraction
from fastcaloq_infer.evaluation.results import LayerShare, Occupancy, ZeroFraction

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.samples.groups import EnergyGroups
    from fastcaloq_infer.evaluation.samples.sample import Sample

    Measure = Callable[[NDArray[np.float64]], tuple[float, float]]

Share = TypeVar("Share", bound=LayerShare)


def zero_fractions(
    samples: dict[str, Sample], groups: EnergyGroups, ids: tuple[int, ...]
) -> tuple[ZeroFraction, ...]:
    """Return the fraction of empty showers for every layer and energy, from all showers."""
    columns = {role: sample.layer_energy for role, sample in samples.items()}
    return _shares(ZeroFraction, samples, columns, zero_fraction, groups, ids)


def occupancies(
    samples: dict[str, Sample], groups: EnergyGroups, ids: tuple[int, ...]
) -> tuple[Occupancy, ...]:
    """Return the fraction of voxels that hold energy for every layer and energy.

    Mean over all showers, with the error of a mean over showers; none without voxels.
    """
    columns = {role: occupied(sample) for role, sample in samples.items()}
    if any(values.shape[1] == 0 for values in columns.values()):
        return ()
    return _shares(Occupancy, samples, columns, mean_error, groups, ids)


def occupied(sample: Sample) -> NDArray[np.float64]:
    """Return the share of each layer's voxels that hold energy, (N, L); (N, 0) without voxels."""
    if sample.voxel_energy is None or sample.binning is None:
        return np.zeros((sample.n_showers, 0))
    voxels, layers = sample.voxel_energy, sample.binning.layer_slices
    return np.stack(
        [np.count_nonzero(voxels[:, part], axis=1) / (part.stop - part.start) for part in layers],
        axis=1,
    )


def _shares(
    kind: type[Share],
    samples: dict[str, Sample],
    columns: dict[str, NDArray[np.float64]],
    measure: Measure,
    groups: EnergyGroups,
    ids: tuple[int, ...],
) -> tuple[Share, ...]:
    rows = {role: groups.rows(sample) for role, sample in samples.items()}
    figures = []
    for k, layer in enumerate(ids):
        for g, energy in enumerate(groups.centers):
            (ref, ref_error), (gen, gen_error), (floor, floor_error) = (
                measure(columns[role][rows[role][g], k]) for role in samples
            )
            figures.append(
                kind(
                    layer=layer,
                    incident_energy=float(energy),
                    reference=ref,
                    reference_error=ref_error,
                    generated=gen,
                    generated_error=gen_error,
                    floor=floor,
                    floor_error=floor_error,
                )
            )
    return tuple(figures)
