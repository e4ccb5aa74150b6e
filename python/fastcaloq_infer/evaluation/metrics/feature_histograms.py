"""Histograms of high-level features over all energies, in the challenge's binning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.evaluation.features.binnings import feature_edges
from fastcaloq_infer.evaluation.metrics.histograms import (
    NullSeparation,
    null_separation,
    separation_error,
    separation_power,
)
from fastcaloq_infer.evaluation.results import FeatureSeparation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.features.high_level import Features
    from fastcaloq_infer.evaluation.samples.comparison import Comparison

    Array = NDArray[np.float64]

_ZERO = ("centre_", "width_")  # what the challenge's script calls 0 in an empty layer


def counts_in(values: Array, edges: Array, groups: NDArray[np.intp]) -> NDArray[np.int64]:
    """Count below, in, and above the bins, and undefined values; shape (G, B + 3).

    As for ``numpy.histogram``, the last bin includes its upper edge. ``groups`` (G,) are the
    numbers of consecutive values that belong together.
    """
    bins = np.searchsorted(edges, values, side="right")
    bins[values == edges[-1]] -= 1
    bins[np.isnan(values)] = len(edges) + 1
    width = len(edges) + 2
    group = np.repeat(np.arange(len(groups)), groups)
    flat = np.bincount(group * width + bins, minlength=len(groups) * width)
    return flat.reshape(len(groups), width).astype(np.int64)


def challenge_separation(
    first: NDArray[np.int64], second: NDArray[np.int64], zero_bin: int | None
) -> float | None:
    """Return the separation power by the rules of the challenge's script.

    ``first`` and ``second`` are counts (B + 3,) as of ``counts_in``; what is outside of the edges
    is dropped, and undefined values count as ``zero_bin`` (None: dropped, too). None where a
    histogram is empty then.
    """
    histograms = []
    for counts in (first, second):
        inside = counts[1:-2].copy()
        if zero_bin is not None:
            inside[zero_bin] += counts[-1]
        histograms.append(inside)
    if any(inside.sum() == 0 for inside in histograms):
        return None
    return float(separation_power(*histograms))


def feature_separations(
    comparison: Comparison, tables: dict[str, Features], rng: np.random.Generator
) -> tuple[FeatureSeparation, ...]:
    """Return the separation of every feature over all energies, on equal counts."""
    reference, generated, floor = tables.values()
    binning = comparison.equal["reference"].binning
    figures = []
    for k, name in enumerate(reference.names):
        columns = [table.values[:, k] for table in (reference, generated, floor)]
        edges = feature_edges(name, columns[0], binning, comparison.voxel_threshold)
        ref, gen, other = (counts_in(column, edges, comparison.counts) for column in columns)
        zero_bin = None
        if name.startswith(_ZERO) and edges[0] <= 0 < edges[-1]:
            zero_bin = int(np.searchsorted(edges, 0.0, side="right")) - 1
        null = null_separation(ref, other, rng)
        errors = [separation_error(ref, counts, rng) for counts in (gen, other)]
        figures.append(
            feature_separation(
                (name, reference.labels[k], reference.units[k]),
                edges,
                (ref.sum(axis=0), gen.sum(axis=0), other.sum(axis=0)),
                errors,
                null,
                zero_bin,
            )
        )
    return tuple(figures)


def feature_separation(
    named: tuple[str, str, str],
    edges: Array,
    counts: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    errors: list[float],
    null: NullSeparation,
    zero_bin: int | None,
    showers: int | None = None,
) -> FeatureSeparation:
    """Put a figure together; ``counts`` (B + 3,) of reference, generated and floor."""
    ref, gen, floor = counts
    name, label, unit = named
    return FeatureSeparation(
        feature=name,
        label=label,
        unit=unit,
        edges=tuple(edges.tolist()),
        showers=int(ref.sum()) if showers is None else showers,
        value=float(separation_power(ref, gen)),
        error=errors[0],
        floor=float(separation_power(ref, floor)),
        floor_error=errors[1],
        floor_mean=null.mean,
        floor_spread=null.spread,
        floor_upper=null.upper,
        challenge=challenge_separation(ref, gen, zero_bin),
        challenge_floor=challenge_separation(ref, floor, zero_bin),
    )
