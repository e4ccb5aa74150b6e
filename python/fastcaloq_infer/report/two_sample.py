"""Pictures of two-sample tests: classifiers, distances in feature space, manifolds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastcaloq_infer.evaluation.targets import auc_target
from fastcaloq_infer.report.lineup import against_itself
from fastcaloq_infer.report.style import GEANT4_FILL, GEANT4_LINE, new_figure, style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fastcaloq_infer.evaluation.results import Classifier
    from fastcaloq_infer.report.lineup import Model

_BESIDE = 4  # panels or views that stand side by side

Point = tuple[float, float]
"""A value and its error."""


def classifier_figure(models: Sequence[Model]) -> Figure:
    """AUC and Jensen-Shannon divergence of every view, mean and spread over seeds."""
    views = [_name(c) for c in models[0].evaluation.classifiers]
    with style():
        # With many views one below the other: their names need the room.
        many = len(views) > _BESIDE
        figure = new_figure(9.0, 5.6 if many else 3.6)
        left, right = figure.subplots(*((2, 1) if many else (1, 2)))
        for axes, what in ((left, "auc"), (right, "jsd")):

            def points(model: Model, role: str, what: str = what) -> dict[str, Point]:
                found = {}
                for classifier in model.evaluation.classifiers:
                    figures = getattr(getattr(classifier, role), what)
                    found[_name(classifier)] = figures.mean, max(figures.spread, figures.error)
                return found

            _categories(
                axes,
                models,
                views,
                [points(m, "generated") for m in models],
                points(models[0], "floor"),
            )
        left.axhline(0.5, color=GEANT4_LINE, linewidth=0.8)
        _targets(left, models[0])
        left.set_ylabel("classifier AUC")
        left.set_ylim(min(0.47, left.get_ylim()[0]), max(0.56, min(1.02, left.get_ylim()[1])))
        right.set_ylabel("Jensen-Shannon divergence [bits]")
        right.axhline(0, color=GEANT4_LINE, linewidth=0.8)
        _legend(figure, left)
        for axes in (right,) if many else (left, right):
            axes.set_xlabel("what the classifier sees (and what it is)")
    return figure


def _targets(axes: Axes, model: Model) -> None:
    """Draw the target of every view as a dotted line of its own."""
    for k, classifier in enumerate(model.evaluation.classifiers):
        target = auc_target(classifier.view, model.evaluation.binning)
        look: dict[str, Any] = {"color": GEANT4_LINE, "linewidth": 1.0, "linestyle": ":"}
        axes.plot([k - 0.45, k + 0.45], [target] * 2, label="" if k else "target", **look)


def _name(classifier: Classifier) -> str:
    return f"{classifier.view}\n({classifier.architecture})"


def calibration_figure(models: Sequence[Model]) -> Figure:
    """Reliability of the classifiers' scores: what they say, and what is true."""
    count = len(models[0].evaluation.classifiers)
    with style():
        columns = min(count, _BESIDE)
        rows = -(-count // columns)
        figure = new_figure(min(9.0, 2.9 * columns + 0.4), 2.9 * rows + 0.4)
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for unused in grid.flat[count:]:
            unused.set_axis_off()
        for k, axes in enumerate(grid.flat[:count]):
            axes.plot([0, 1], [0, 1], color=GEANT4_LINE, linewidth=0.8)
            for model in models:
                if k >= len(model.evaluation.classifiers):
                    continue
                curve = model.evaluation.classifiers[k].generated.calibration
                for bins, filled, label in (
                    (curve.before, False, f"{model.label}, raw"),
                    (curve.after, True, f"{model.label}, calibrated"),
                ):
                    axes.errorbar(
                        [b.score for b in bins],
                        [b.fraction for b in bins],
                        [b.error for b in bins],
                        fmt=model.marker,
                        markersize=3.4,
                        linewidth=0.9,
                        color=model.colour,
                        markerfacecolor=model.colour if filled else "white",
                        label=label,
                    )
            axes.set_title(_name(models[0].evaluation.classifiers[k]), loc="left", fontsize=9)
            axes.set_xlabel("score: generated")
            axes.set_aspect("equal")
        for first in grid[:, 0]:
            first.set_ylabel("share generated")
        handles, labels = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8)
    return figure


def distance_figure(models: Sequence[Model]) -> Figure:
    """FPD and KPD of every view, in units of 10^-3."""
    names = list(dict.fromkeys(d.name for d in models[0].evaluation.distances))
    with style():
        figure = new_figure(min(9.0, 4.5 * len(names)), 3.4)
        row = figure.subplots(1, len(names), squeeze=False)[0]
        for axes, name in zip(row, names, strict=True):
            floor = {
                d.features: (1e3 * d.floor, 1e3 * d.floor_error)
                for d in models[0].evaluation.distances
                if d.name == name
            }
            points = [
                {
                    d.features: (1e3 * d.value, 1e3 * d.error)
                    for d in model.evaluation.distances
                    if d.name == name
                }
                for model in models
            ]
            _categories(axes, models, list(floor), points, floor)
            axes.axhline(0, color=GEANT4_LINE, linewidth=0.8)
            axes.set_ylabel(rf"{name.upper()} [$10^{{-3}}$]")
            axes.set_xlabel("features")
        _legend(figure, row[0])
    return figure


def manifold_figure(models: Sequence[Model]) -> Figure:
    """Precision, density, recall and coverage, with those of the floor sample."""
    names = ("precision", "density", "recall", "coverage")
    found = [model.evaluation.manifold for model in models]
    with style():
        figure = new_figure(6.5, 3.2)
        axes = figure.subplots()
        points = [
            {n: (getattr(m, n).value, getattr(m, n).error) for n in names} if m else {}
            for m in found
        ]
        first = next(m for m in found if m is not None)
        floor = {n: (getattr(first, n).floor, getattr(first, n).floor_error) for n in names}
        _categories(axes, models, list(names), points, floor)
        axes.set_ylabel("share of showers\n(density: ratio)")
        axes.set_xlabel(f"{first.features}, {first.nearest} nearest neighbours")
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def _legend(figure: Figure, axes: Axes) -> None:
    """Put the legend above all axes, where no point can lie."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=5)


def _categories(
    axes: Axes,
    models: Sequence[Model],
    names: Sequence[str],
    points: Sequence[dict[str, Point]],
    floor: dict[str, Point],
) -> None:
    """Draw per category the floor as a grey square and, beside it, every model."""
    places = np.arange(len(names))
    step = min(0.22, 0.8 / (len(models) + 1))
    everyone = [(against_itself(models), GEANT4_LINE, "s", floor)]
    everyone += [(m.label, m.colour, m.marker, p) for m, p in zip(models, points, strict=True)]
    for i, (label, colour, marker, values) in enumerate(everyone):
        known = [k for k, name in enumerate(names) if name in values]
        axes.errorbar(
            places[known] + step * (i - len(models) / 2),
            [values[names[k]][0] for k in known],
            [values[names[k]][1] for k in known],
            fmt=marker,
            markersize=6 if i == 0 else 4.5,
            linewidth=1.2,
            color=colour,
            markerfacecolor=GEANT4_FILL if i == 0 else colour,
            label=label,
        )
    axes.set_xticks(places, list(names))
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.grid(axis="y", alpha=0.3, linewidth=0.5)
