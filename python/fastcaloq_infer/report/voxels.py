"""The spectrum of voxel energies: how many voxels of a shower hold how much."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.report.binned import Binned, Edges
from fastcaloq_infer.report.histograms import overall_separation, separation_notes
from fastcaloq_infer.report.panels import Panel, panel_figure
from fastcaloq_infer.report.style import energy_label

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.samples.sample import Sample
    from fastcaloq_infer.report.lineup import Lineup
    from fastcaloq_infer.report.panels import Note

_BINS = 48
_CHUNK = 4000  # showers at a time: their voxels' bins take a few tens of MB
PER_BIN = "voxels per bin\nand shower"


def voxel_spectrum_figure(lineup: Lineup) -> Figure:
    """Voxel energies over all incident energies: the whole shower, and layer by layer."""
    binning = lineup.reference.binning
    parts: list[tuple[int | None, slice]] = [(None, slice(None))]
    if binning is not None and binning.n_layers > 1:
        parts += zip(binning.layer_ids, binning.layer_slices, strict=True)
    weights = [lineup.weights(sample) for sample in lineup.everyone()]
    panels = []
    for layer, voxels in parts:
        counts, edges = _count(lineup, voxels)
        binned = [mean_counts(c, w) for c, w in zip(counts, weights, strict=True)]
        title = "all layers" if layer is None else f"layer {layer}"
        panel = _panel(lineup, title, edges, binned)
        panels.append(panel if layer is not None else replace(panel, notes=overall_notes(lineup)))
    return panel_figure(panels, lineup.models, PER_BIN)


def voxel_spectrum_per_energy_figure(lineup: Lineup) -> Figure:
    """Voxel energies of the whole shower, one panel per incident energy."""
    counts, edges = _count(lineup, slice(None))
    rows = [lineup.groups.rows(sample) for sample in lineup.everyone()]
    panels = []
    for g, energy in enumerate(lineup.groups.centers):
        binned = [mean_counts(c[r[g]]) for c, r in zip(counts, rows, strict=True)]
        filled = np.flatnonzero(binned[0].fraction)
        # The largest energies are for the largest showers: no panel needs empty decades.
        stop = min(_BINS, int(filled[-1]) + 3) if len(filled) else _BINS
        short = [Binned(b.fraction[:stop], b.error[:stop]) for b in binned]
        title = rf"$E_\mathrm{{inc}}$ = {energy_label(energy)}"
        panels.append(
            _panel(lineup, title, Edges(edges.values[: stop + 1], logarithmic=True), short)
        )
    return panel_figure(panels, lineup.models, PER_BIN)


def overall_notes(lineup: Lineup) -> tuple[Note, ...]:
    """Return the separation powers of the whole spectrum, where the evaluations have them."""
    figures = [overall_separation(model.evaluation, "voxel_energy") for model in lineup.models]
    return separation_notes(lineup.models, figures, [])


def _panel(lineup: Lineup, title: str, edges: Edges, binned: list[Binned]) -> Panel:
    count = len(lineup.models)
    return Panel(
        title=title,
        label=r"$E_\mathrm{voxel}$ [MeV]",
        edges=edges,
        reference=binned[0],
        generated=tuple(binned[1 : 1 + count]),
        floor=binned[1 + count] if lineup.floor is not None else None,
        log_y=True,
    )


def _count(lineup: Lineup, voxels: slice) -> tuple[list[NDArray[np.int32]], Edges]:
    """Histogram the chosen voxels shower by shower, in the reference's range of energies."""
    low, high = _range(lineup.reference, voxels)
    edges = Edges(np.geomspace(low, high, _BINS + 1), logarithmic=True)
    return [count_voxels(s, voxels, edges) for s in lineup.everyone()], edges


def _range(reference: Sample, voxels: slice) -> tuple[float, float]:
    energy = np.zeros(0) if reference.voxel_energy is None else reference.voxel_energy[:, voxels]
    high = float(energy.max(initial=0.0))
    if high <= 0:
        return 0.1, 10.0
    # A few tiny deposits would stretch the axis by decades: all but one voxel in 10,000.
    positive = energy[energy > 0]
    return float(np.partition(positive, len(positive) // 10_000)[len(positive) // 10_000]), high


def count_voxels(sample: Sample, voxels: slice, edges: Edges) -> NDArray[np.int32]:
    """Return how many of each shower's voxels fall in every logarithmic bin, shape (N, B)."""
    n_bins = len(edges.values) - 1
    counts = np.zeros((sample.n_showers, n_bins), np.int32)
    if sample.voxel_energy is None:
        return counts
    scale = n_bins / np.log(edges.values[-1] / edges.values[0])
    for start in range(0, sample.n_showers, _CHUNK):
        energy = sample.voxel_energy[start : start + _CHUNK, voxels]
        row, column = np.nonzero(energy)
        bins = scale * np.log(energy[row, column].astype(np.float64) / edges.values[0])
        # The outermost edges belong to the histogram, whichever way the logarithm rounds.
        bins = np.floor(np.where(np.abs(bins - n_bins) < 1e-6, n_bins - 0.5, bins + 1e-6))
        inside = (bins >= 0) & (bins < n_bins)
        index = row[inside] * n_bins + bins[inside].astype(np.intp)
        chunk = np.bincount(index, minlength=len(energy) * n_bins)
        counts[start : start + _CHUNK] = chunk.reshape(len(energy), n_bins)
    return counts


def mean_counts(counts: NDArray[np.int32], weights: NDArray[np.float64] | None = None) -> Binned:
    """Return mean counts per shower (B,) of counts (N, B), with their standard errors.

    The voxels of one shower are not independent, so the error is that of a mean over showers:
    larger than the Poisson error of the voxels.
    """
    if weights is None:
        weights = np.ones(len(counts))
    share = weights / (weights.sum() or 1.0)
    mean = share @ counts.astype(np.float64)
    variance = share**2 @ np.square(counts, dtype=np.float64) - (share**2).sum() * mean**2
    return Binned(mean, np.sqrt(np.maximum(variance, 0.0)))
