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

FEWEST = 20
"""Showers with energy: a bootstrap draws none of them once in 5e8 times."""


def voxel_spectra(comparison: Comparison, rng: np.random.Generator) -> list[FeatureSeparation]:
    """Return the separation of the spectrum of voxel energies: of all voxels, and per layer.

    Voxels of a shower are not independent, so errors and floor come from resampling whole showers.
    Zeros are left out, as in the challenge; occupancy and sparsity know of them. So are layers that
    fewer than ``FEWEST`` showers of a sample reach, and everything without voxels.
    """
    binning = comparison.equal["reference"].binning
    voxels = [sample.voxel_energy for sample in comparison.equal.values()]
    present = [values for values in voxels if values is not None]
    if binning is None or len(present) < len(voxels):
        return []
    parts = [("voxel_energy", r"$E$ of a voxel", slice(None))]
    if binning.n_layers > 1:
        parts += [
            (f"voxel_energy_{layer}", rf"$E$ of a voxel in layer {layer}", part)
            for layer, part in zip(binning.layer_ids, binning.layer_slices, strict=True)
        ]
    found = []
    for name, label, part in parts:
        shown = [values[:, part] for values in present]
        if min(int(values.any(axis=1).sum()) for values in shown) >= FEWEST:
            found.append(_spectrum((name, label, "MeV"), shown, comparison, rng))
    return found


def _spectrum(
    named: tuple[str, str, str],
    voxels: list[NDArray[np.float32]],
    comparison: Comparison,
    rng: np.random.Generator,
) -> FeatureSeparation:
    edges = feature_edges(
        named[0],
        voxels[0][voxels[0] > 0].astype(np.float64),
        comparison.equal["reference"].binning,
        comparison.voxel_threshold,
    )
    # Counts are small whole numbers: products of doubles are exact, and much faster.
    ref, gen, floor = (_per_shower(values, edges).astype(np.float64) for values in voxels)
    strata = Strata(comparison.counts)
    null = _permuted(ref, floor, strata, rng)
    sums = [counts.sum(axis=0).astype(np.int64) for counts in (ref, gen, floor)]
    return feature_separation(
        named,
        edges,
        (sums[0], sums[1], sums[2]),
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
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    strata: Strata,
    rng: np.random.Generator,
) -> float:
    sums = [
        np.stack(
            [
                np.bincount(strata.bootstrap(rng), minlength=strata.n).astype(np.float64) @ counts
                for _ in range(RESAMPLES)
            ]
        )
        for counts in (first, second)
    ]
    return float(separation_power(*sums).std(ddof=1))


def _permuted(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    strata: Strata,
    rng: np.random.Generator,
) -> NullSeparation:
    total = first.sum(axis=0)
    moved = np.stack(
        [strata.exchange(rng).astype(np.float64) @ (second - first) for _ in range(RESAMPLES)]
    )
    values = separation_power(total + moved, second.sum(axis=0) - moved)
    return NullSeparation(
        float(values.mean()), float(values.std(ddof=1)), float(np.quantile(values, 0.99))
    )
