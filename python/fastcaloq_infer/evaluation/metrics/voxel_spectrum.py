"""The spectrum of voxel energies, a histogram with many entries per shower."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.evaluation.features.binnings import feature_edges
from fastcaloq_infer.evaluation.metrics.feature_histograms import feature_separation
from fastcaloq_infer.evaluation.metrics.histograms import NullSeparation, separation_power
from fastcaloq_infer.evaluation.metrics.resampling import Strata

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.results import FeatureSeparation
    from fastcaloq_infer.evaluation.samples.comparison import Comparison

RESAMPLES = 200
"""Bootstrap samples and label permutations, of whole showers."""


def voxel_spectrum(comparison: Comparison, rng: np.random.Generator) -> FeatureSeparation | None:
    """Return the separation of the spectrum of voxel energies; None without occupied voxels.

    Voxels of a shower are not independent, so errors and floor come from resampling whole showers.
    Zeros are left out, as in the challenge; sparsity knows of them.
    """
    voxels = [comparison.equal[role].voxel_energy for role in comparison.equal]
    present = [values for values in voxels if values is not None]
    if len(present) < len(voxels) or any(not values.any() for values in present):
        return None
    edges = feature_edges(
        "voxel_energy",
        present[0][present[0] > 0].astype(np.float64),
        comparison.equal["reference"].binning,
        comparison.voxel_threshold,
    )
    ref, gen, floor = (_per_shower(values, edges) for values in present)
    strata = Strata(comparison.counts)
    null = _permuted(ref, floor, strata, rng)
    return feature_separation(
        ("voxel_energy", r"$E$ of a voxel", "MeV"),
        edges,
        (ref.sum(axis=0), gen.sum(axis=0), floor.sum(axis=0)),
        [_error(ref, gen, strata, rng), _error(ref, floor, strata, rng)],
        null,
        None,
        showers=len(ref),
    )


def _per_shower(voxels: NDArray[np.float32], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count occupied voxels per shower and bin, shape (N, B + 3)."""
    width = len(edges) + 2
    counts = np.zeros((len(voxels), width), np.int64)
    for start in range(0, len(voxels), 4096):
        part = voxels[start : start + 4096]
        row, column = np.nonzero(part)
        values = part[row, column].astype(np.float64)
        bins = np.minimum(np.searchsorted(edges, values, side="right"), len(edges))
        bins[values == edges[-1]] -= 1
        flat = np.bincount(row * width + bins, minlength=len(part) * width)
        counts[start : start + 4096] = flat.reshape(len(part), width)
    return counts


def _error(
    first: NDArray[np.int64], second: NDArray[np.int64], strata: Strata, rng: np.random.Generator
) -> float:
    sums = [
        np.stack(
            [
                np.bincount(strata.bootstrap(rng), minlength=strata.n) @ counts
                for _ in range(RESAMPLES)
            ]
        )
        for counts in (first, second)
    ]
    return float(separation_power(*sums).std(ddof=1))


def _permuted(
    first: NDArray[np.int64], second: NDArray[np.int64], strata: Strata, rng: np.random.Generator
) -> NullSeparation:
    total = first.sum(axis=0)
    moved = np.stack([strata.exchange(rng) @ (second - first) for _ in range(RESAMPLES)])
    values = separation_power(total + moved, second.sum(axis=0) - moved)
    return NullSeparation(
        float(values.mean()), float(values.std(ddof=1)), float(np.quantile(values, 0.99))
    )
