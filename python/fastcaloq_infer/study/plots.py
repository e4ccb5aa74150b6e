"""Pictures of a study: what differs, what a classifier sees, what it costs."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from fastcaloq_infer.files import atomic_path
from fastcaloq_infer.report.style import (
    GEANT4_FILL,
    GEANT4_LINE,
    SERIES,
    new_figure,
    picture,
    style,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fastcaloq_infer.study.results import CellResults, StudyResults
    from fastcaloq_infer.study.times import StudyTimes

__all__ = ["PICTURES", "write_pictures"]

PICTURES = ("effects.png", "auc.png", "cost.png")
_RESOLVED, _OPEN = SERIES[1], SERIES[0]


def write_pictures(results: StudyResults, times: StudyTimes, folder: Path) -> None:
    """Write ``effects.png``, ``auc.png`` and ``cost.png``.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    drawings: dict[str, Callable[[], Figure]] = {
        "effects.png": lambda: _effects(results),
        "auc.png": lambda: _aucs(results),
        "cost.png": lambda: _costs(results, times),
    }
    for name in PICTURES:
        with style():
            figure = drawings[name]()
        with atomic_path(folder / name) as temporary:
            temporary.write_bytes(picture(figure, "png"))


def _panels(results: StudyResults) -> tuple[Figure, list[Axes]]:
    """One panel per cell, variants from top to bottom on a common axis."""
    titles = [variant.title for variant in results.cells[0].variants]
    figure = new_figure(3.2 + 3.1 * len(results.cells), 1.4 + 0.28 * len(titles))
    panels = figure.subplots(1, len(results.cells), sharey=True, squeeze=False)
    axes: list[Axes] = list(panels[0])
    for panel, cell in zip(axes, results.cells, strict=True):
        panel.set_title(cell.title)
        panel.grid(axis="y", color="#eeeeee", linewidth=0.8)
        panel.set_axisbelow(True)
        panel.locator_params(axis="x", nbins=5)
    axes[0].set_yticks(range(len(titles)), titles)
    axes[0].set_ylim(len(titles) - 0.5, -0.5)
    return figure, axes


def _effects(results: StudyResults) -> Figure:
    figure, axes = _panels(results)
    for panel, cell in zip(axes, results.cells, strict=True):
        rows = {variant.name: row for row, variant in enumerate(cell.variants)}
        panel.axvline(0.0, color=GEANT4_LINE, linewidth=0.8)
        panel.plot(0.0, rows[results.reference], marker="|", markersize=11, color=GEANT4_LINE)
        for comparison in cell.comparisons:
            colour = _RESOLVED if comparison.resolved else _OPEN
            panel.errorbar(
                comparison.effect,
                rows[comparison.variant],
                xerr=[
                    [comparison.effect - comparison.low],
                    [comparison.high - comparison.effect],
                ],
                fmt="o",
                markersize=5,
                markerfacecolor=colour if comparison.resolved else "white",
                color=colour,
                capsize=3,
            )
        panel.set_xlabel("difference in log-likelihood\n[nats per shower], right is better")
    _legend(figure, results)
    return figure


def _legend(figure: Figure, results: StudyResults) -> None:
    from matplotlib.lines import Line2D

    alpha = 1.0 - results.confidence
    handles = [
        Line2D([], [], color=_RESOLVED, marker="o", label=f"differs: p (Holm) < {alpha:.2g}"),
        Line2D(
            [],
            [],
            color=_OPEN,
            marker="o",
            markerfacecolor="white",
            label="difference not resolved",
        ),
        Line2D([], [], color=GEANT4_LINE, marker="|", linestyle="none", label="reference"),
    ]
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=3,
        title=f"bars: {results.confidence:.0%} intervals over seeds and showers, each by itself",
        title_fontsize=9,
    )


def _aucs(results: StudyResults) -> Figure:
    figure, axes = _panels(results)
    for panel, cell in zip(axes, results.cells, strict=True):
        floor = cell.floor_auc
        if floor is not None:
            spread = floor.spread or 0.0
            panel.axvspan(
                floor.mean - spread,
                floor.mean + spread,
                color=GEANT4_FILL,
                linewidth=0,
                label="Geant4 against Geant4, mean and spread",
            )
        for row, variant in enumerate(cell.variants):
            if variant.auc is None:
                continue
            values = variant.auc.values
            panel.plot(values, [row] * len(values), ".", color=_OPEN, alpha=0.35, markersize=5)
            panel.errorbar(
                variant.auc.mean,
                row,
                xerr=variant.auc.spread,
                fmt="o",
                color=_OPEN,
                markersize=5,
                capsize=3,
                label="mean and spread of trainings and classifiers" if row == 0 else None,
            )
        panel.set_xlabel("AUC, held-out against generated\n(0.5: indistinguishable)")
    handles, labels = axes[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def _costs(results: StudyResults, times: StudyTimes) -> Figure:
    """Effect against trained numbers of the conditioner and against training time, per cell."""
    cells = results.cells
    figure = new_figure(9.6, 0.9 + 3.0 * len(cells))
    panels = figure.subplots(len(cells), 2, sharey="row", squeeze=False)
    for row, cell in zip(panels, cells, strict=True):
        _cost_row(list(row), results, cell, times)
    handles, labels = panels[0][0].get_legend_handles_labels()
    title = f"bars: {results.confidence:.0%} intervals"
    figure.legend(handles, labels, loc="outside right center", title=title, title_fontsize=9)
    return figure


def _cost_row(
    panels: list[Axes], results: StudyResults, cell: CellResults, times: StudyTimes
) -> None:
    effects = {comparison.variant: comparison for comparison in cell.comparisons}
    places = _side_by_side([variant.n_conditioner for variant in cell.variants])
    for number, variant in enumerate(cell.variants):
        comparison = effects.get(variant.name)
        if comparison is None and variant.name != results.reference:
            continue  # without a likelihood
        effect, low, high = (
            (comparison.effect, comparison.low, comparison.high) if comparison else (0.0, 0.0, 0.0)
        )
        numbers = (places[number], times.of(cell.size, cell.region, variant.name).fit_cpu)
        for panel, x in zip(panels, numbers, strict=True):
            if x is None:
                continue
            panel.errorbar(
                x,
                effect,
                yerr=[[effect - low], [high - effect]],
                fmt="osD^v"[number % 5],
                markersize=6,
                color=SERIES[number % len(SERIES)],
                markerfacecolor="white" if number >= len(SERIES) else None,
                capsize=2,
                label=variant.title,
            )
    for panel in panels:
        panel.axhline(0.0, color=GEANT4_LINE, linewidth=0.8, zorder=0)
        panel.set_title(cell.title)
    panels[0].set_xscale("symlog", linthresh=10)
    panels[0].set_xlim(-3, 2.5 * max(10, *(variant.n_conditioner for variant in cell.variants)))
    panels[0].set_xlabel("numbers in the conditioner, trained or fixed\n(near ones side by side)")
    panels[0].set_ylabel("difference in log-likelihood\n[nats per shower]")
    panels[1].set_xlabel("CPU time of a training [s]")


def _side_by_side(numbers: list[int]) -> list[float]:
    """Move numbers that hardly differ apart by factors, in their order, around their place."""
    places = [float(number) for number in numbers]
    order = sorted((k for k in range(len(numbers)) if numbers[k] > 0), key=lambda k: numbers[k])
    for before, k in pairwise(order):
        places[k] = max(places[k], 1.3 * places[before])
    # Pushed to the right only, a bunch would lie beside its place: halfway back, in the logarithm.
    return [(number * place) ** 0.5 for number, place in zip(numbers, places, strict=True)]
