"""Separation powers and Wasserstein distances: per feature, and per energy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.evaluation.targets import SEPARATION_RATIO_TARGET
from fastcaloq_infer.report.lineup import against_itself
from fastcaloq_infer.report.style import (
    E_INC,
    GEANT4_FILL,
    GEANT4_LINE,
    new_figure,
    style,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.results import FeatureSeparation, Wasserstein
    from fastcaloq_infer.report.lineup import Model

_ROW = 0.22  # inches


def separation_figure(models: Sequence[Model]) -> Figure:
    """Separation power in units of its floor for every feature and incident energy."""
    separations = models[0].evaluation.separations
    features = list(dict.fromkeys(s.feature for s in separations))
    energies = list(dict.fromkeys(s.incident_energy for s in separations))
    with style():
        figure = new_figure(9.0, len(models) * (0.27 * len(features) + 0.5) + 1.0)
        axes = figure.subplots(len(models), 1, sharex=True, squeeze=False)[:, 0]
        for place, model in zip(axes, models, strict=True):
            found = {(s.feature, s.incident_energy): s for s in model.evaluation.separations}
            ratio = np.array(
                [
                    [found[f, e].ratio if (f, e) in found else np.nan for e in energies]
                    for f in features
                ]
            )
            image = place.imshow(
                ratio, cmap="Blues", vmin=0, vmax=2 * SEPARATION_RATIO_TARGET, aspect="auto"
            )
            place.set_yticks(range(len(features)), features, fontsize=8)
            place.set_ylabel("feature")
            place.set_title(model.label, loc="left", color=model.colour)
            place.spines[:].set_visible(False)
            _write(place, ratio)
        axes[-1].set_xticks(range(len(energies)), [f"{e:,.0f}" for e in energies])
        axes[-1].set_xlabel(E_INC)
        label = f"separation /\n{against_itself(models)}"
        figure.colorbar(image, ax=axes, label=label, extend="max", aspect=30, shrink=0.6)
    return figure


def _write(axes: Axes, ratio: NDArray[np.float64]) -> None:
    for (i, j), value in np.ndenumerate(ratio):
        if np.isfinite(value):
            missed = value > SEPARATION_RATIO_TARGET
            axes.text(
                j,
                i,
                f"{value:.1f}",
                ha="center",
                va="center",
                fontsize=8,
                color="white" if value > 1.2 * SEPARATION_RATIO_TARGET else "black",
                fontweight="bold" if missed else "normal",
            )


def feature_figure(models: Sequence[Model]) -> Figure:
    """Separation and Wasserstein-1 distance of every feature over all incident energies."""
    first = models[0].evaluation
    names = [feature.feature for feature in first.features]
    with style():
        figure = new_figure(9.0, _ROW * len(names) + 1.2)
        left, right = figure.subplots(1, 2, sharey=True)
        _points(left, models, names, [_separations(model) for model in models])
        left.set_xlabel("separation power S")
        left.set_yticks(range(len(names)), names, fontsize=8)
        left.set_ylabel("feature")
        left.set_ylim(len(names) - 0.4, -0.6)
        _points(right, models, names, [_distances(model) for model in models])
        right.set_xlabel("Wasserstein-1 distance / standard deviation of the reference")
        handles, labels = left.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=4)
    return figure


Point = tuple[float, float, float, float]
"""Value, its error, floor, and the largest that the floor reaches (99 %)."""


def _separations(model: Model) -> dict[str, Point]:
    def point(f: FeatureSeparation) -> Point:
        return f.value, f.error, f.floor_mean, f.floor_upper

    return {f.feature: point(f) for f in model.evaluation.features}


def _distances(model: Model) -> dict[str, Point]:
    def point(w: Wasserstein) -> Point:
        scale = w.scale or 1.0
        return w.value / scale, w.error / scale, w.floor_mean / scale, w.floor_upper / scale

    return {w.feature: point(w) for w in model.evaluation.wassersteins if w.incident_energy is None}


def _points(
    axes: Axes, models: Sequence[Model], names: Sequence[str], found: Sequence[dict[str, Point]]
) -> None:
    """Draw points with bars per feature and model; behind them the floor's mean to 99 %."""
    floors = [(row, found[0][name]) for row, name in enumerate(names) if name in found[0]]
    for k, (row, (_, _, mean, upper)) in enumerate(floors):
        label = f"{against_itself(models)}, mean to 99 %" if k == 0 else None
        axes.barh(row, upper - mean, left=mean, height=0.8, color=GEANT4_FILL, label=label)
        axes.plot([mean, mean], [row - 0.4, row + 0.4], color=GEANT4_LINE, linewidth=1)
    for i, (model, points) in enumerate(zip(models, found, strict=True)):
        rows = [row for row, name in enumerate(names) if name in points]
        values = np.array([points[names[row]] for row in rows]).reshape(-1, 4)
        offset = 0.6 * ((i + 0.5) / len(models) - 0.5)
        axes.errorbar(
            values[:, 0],
            np.array(rows) + offset,
            xerr=values[:, 1],
            fmt=model.marker,
            markersize=3.2,
            linewidth=0.9,
            color=model.colour,
            label=model.label,
        )
    axes.set_xscale("log")
    axes.grid(axis="x", alpha=0.3, linewidth=0.5)
