"""Distributions of features: over all incident energies, and one by one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.report.binned import Edges, bin_showers, choose_edges
from fastcaloq_infer.report.panels import Panel, panel_figure
from fastcaloq_infer.report.style import GEANT4_LINE, energy_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.results import Evaluation, FeatureSeparation, Separation
    from fastcaloq_infer.report.lineup import Lineup, Model
    from fastcaloq_infer.report.panels import Note
    from fastcaloq_infer.report.quantities import Quantity

    Separated = Separation | FeatureSeparation

_MOST = 50
_RANGE = 5e-4, 1 - 5e-4  # of the reference, for features on a logarithmic axis
_LINEAR = ("E_tot", "sparsity")  # families that the challenge draws on a linear axis, too


def per_energy_figure(
    lineup: Lineup, shown: Sequence[Quantity], energies: Sequence[int] | None = None
) -> Figure:
    """Features at single incident energies, one panel for each pair of them.

    ``energies`` are the numbers of the groups to draw, by default all.
    """
    rows = [lineup.groups.rows(sample) for sample in lineup.everyone()]
    panels = []
    for quantity in shown:
        for g in range(len(lineup.groups)) if energies is None else energies:
            energy = float(lineup.groups.centers[g])
            values = [value[row[g]] for value, row in zip(quantity.values, rows, strict=True)]
            panels.append(
                _panel(
                    lineup,
                    quantity,
                    rf"$E_\mathrm{{inc}}$ = {energy_label(energy)}",
                    values,
                    [None] * len(values),
                    choose_edges(values[0]),
                    [_at_energy(m.evaluation, quantity.name, energy) for m in lineup.models],
                )
            )
    return panel_figure(panels, lineup.models)


def overall_figure(lineup: Lineup, shown: Sequence[Quantity]) -> Figure:
    """Features over all incident energies, one panel each.

    All samples are weighted to the reference's mixture of incident energies. The bins are those of
    the evaluation, where it has any.
    """
    weights = [lineup.weights(sample) for sample in lineup.everyone()]
    panels = []
    for quantity in shown:
        figures = [overall_separation(model.evaluation, quantity.name) for model in lineup.models]
        first = figures[0]
        panels.append(
            _panel(
                lineup,
                quantity,
                "" if quantity.layer is None else f"layer {quantity.layer}",
                quantity.values,
                weights,
                _overall_edges(first, quantity.values[0]),
                figures,
                log_y=quantity.family not in _LINEAR,
            )
        )
    return panel_figure(panels, lineup.models)


def _at_energy(evaluation: Evaluation, feature: str, energy: float) -> Separation | None:
    found = (s for s in evaluation.separations if s.feature == feature)
    return next((s for s in found if math.isclose(s.incident_energy, energy, rel_tol=1e-3)), None)


def overall_separation(evaluation: Evaluation, feature: str) -> FeatureSeparation | None:
    """Return the separation of a feature over all energies, if it was computed."""
    return next((f for f in evaluation.features if f.feature == feature), None)


def _overall_edges(figure: FeatureSeparation | None, reference: NDArray[np.float64]) -> Edges:
    if figure is None or not np.isfinite(reference).any():
        return choose_edges(reference, tail=_RANGE[0])
    return _edges(figure, reference)


def _edges(figure: FeatureSeparation, reference: NDArray[np.float64]) -> Edges:
    """Return the evaluation's edges where the reference has showers, at most ``_MOST`` bins.

    The challenge's 100 bins over a detector's whole width are right for a number and too many for
    an eye: neighbours are drawn as one, and the empty ends are left out.
    """
    edges = np.asarray(figure.edges)
    low, high = np.quantile(reference[np.isfinite(reference)], _RANGE)
    # One bin at least, also where all values are the outermost edge (a layer that is always empty).
    first = int(np.clip(np.searchsorted(edges, low, side="right") - 1, 0, len(edges) - 2))
    last = int(np.clip(np.searchsorted(edges, high, side="left"), first + 1, len(edges) - 1))
    merged = -(-(last - first) // _MOST)
    last = min(first + merged * -(-(last - first) // merged), len(edges) - 1)
    steps = np.diff(np.log(edges)) if edges[0] > 0 else np.diff(edges)
    logarithmic = bool(edges[0] > 0 and np.allclose(steps, steps[0], rtol=1e-3))
    return Edges(np.unique([*edges[first:last:merged], edges[last]]), logarithmic)


def _panel(
    lineup: Lineup,
    quantity: Quantity,
    title: str,
    values: Sequence[NDArray[np.float64]],
    weights: Sequence[NDArray[np.float64] | None],
    edges: Edges,
    figures: Sequence[Separated | None],
    *,
    log_y: bool = False,
) -> Panel:
    binned = [bin_showers(v, edges.values, w) for v, w in zip(values, weights, strict=True)]
    count = len(lineup.models)
    empty = [_empty(v, w) for v, w in zip(values[: 1 + count], weights, strict=False)]
    return Panel(
        title=title,
        label=quantity.label,
        edges=edges,
        reference=binned[0],
        generated=tuple(binned[1 : 1 + count]),
        floor=binned[1 + count] if lineup.floor is not None else None,
        notes=separation_notes(lineup.models, figures, empty),
        log_y=log_y,
    )


def _empty(values: NDArray[np.float64], weights: NDArray[np.float64] | None) -> float:
    """Return the percentage of showers in which a feature is undefined."""
    return 100 * float(np.average(np.isnan(values), weights=weights)) if len(values) else 0.0


def separation_notes(
    models: Sequence[Model], figures: Sequence[Separated | None], empty: Sequence[float]
) -> tuple[Note, ...]:
    """Say in the panel's own colours what it cannot show.

    Parameters
    ----------
    models, figures
        The models, and the separation of each where there is one.
    empty
        Percentages of undefined values, the reference's first; nothing is said if all are 0.
    """
    said = [f"empty {share:.1f} %" if any(empty) else "" for share in empty or [0] * 9]
    floor = f"floor S = {figures[0].floor:.2g}" if figures[0] is not None else ""
    texts = [(f"{models[0].simulation}: " if floor or said[0] else "") + _join(floor, said[0])]
    for figure, share in zip(figures, said[1:], strict=False):
        texts.append(_join("" if figure is None else f"S = {figure.value:.2g}", share))
    colours = [GEANT4_LINE, *(model.colour for model in models)]
    return tuple((text, c) for text, c in zip(texts, colours, strict=True) if text)


def _join(*parts: str) -> str:
    return ", ".join(part for part in parts if part)
