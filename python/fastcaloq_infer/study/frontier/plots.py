"""The picture of a frontier: AUC against what a shower and what a training costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastcaloq_infer.files import atomic_path
from fastcaloq_infer.report.style import (
    GEANT4_FILL,
    GEANT4_LINE,
    MARKERS,
    SERIES,
    new_figure,
    picture,
    style,
)

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fastcaloq_infer.study.frontier.results import FrontierResults, ModelRecord

__all__ = ["PICTURE", "write_pictures"]

PICTURE = "frontier.png"
_TICKS = (0.505, 0.51, 0.52, 0.55, 0.6, 0.7, 0.8, 0.9, 1.0)


def write_pictures(results: FrontierResults, folder: Path) -> None:
    """Write ``frontier.png``.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    with style():
        figure = _frontier(results)
    with atomic_path(folder / PICTURE) as temporary:
        temporary.write_bytes(picture(figure, "png"))


def _frontier(results: FrontierResults) -> Figure:
    figure = new_figure(11.5, 6.2)
    panels: list[Axes] = list(figure.subplots(1, 2, sharey=True))
    common = [model.budget for model in results.models]
    usual = max(set(common), key=common.count)
    looks, lowest = _looks(results), 0.6 * _floor(results)
    for model in results.models:
        if model.budget == usual:  # models of one time only: a fair comparison of architectures
            _point(
                panels[0], model.flop / 1e6, model, looks[model.title], lowest, label=model.title
            )
        _point(panels[1], model.cpu_seconds, model, looks[model.title], lowest, label=None)
    for series in {model.series for model in results.models if model.series}:
        line = sorted((m for m in results.models if m.series == series), key=lambda m: m.budget)
        panels[1].plot(
            [m.cpu_seconds for m in line],
            [max(m.judgement.network.mean - 0.5, lowest) for m in line],
            color=looks[line[0].title][0],
            linewidth=1.0,
            alpha=0.6,
            zorder=1,
        )
    panels[0].set_xlabel("MFLOP per shower (matrix products)")
    panels[0].set_title(f"trained for {usual:g} s of one core")
    panels[1].set_xlabel("CPU time of the training [s]")
    panels[1].set_title("the same models" if len(set(common)) == 1 else "trained for any time")
    _axes(panels, results)
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def _looks(results: FrontierResults) -> dict[str, tuple[str, str]]:
    """Colour and marker per model; those of one series share theirs."""
    names: dict[str, int] = {}
    looks = {}
    for model in results.models:
        number = names.setdefault(model.series or model.title, len(names))
        looks[model.title] = (
            SERIES[number % len(SERIES)],
            MARKERS[(number + number // len(SERIES)) % len(MARKERS)],
        )
    return looks


def _floor(results: FrontierResults) -> float:
    """Return how far from 0.5 an AUC may be that is none but chance."""
    floor = results.floor.network
    return max(abs(floor.mean - 0.5), floor.error) + floor.error


def _point(
    panel: Axes,
    x: float,
    model: ModelRecord,
    look: tuple[str, str],
    lowest: float,
    label: str | None,
) -> None:
    """Draw the network's AUC with its error, and the trees' as a small open mark.

    What is below ``lowest`` is drawn there, at the edge of the panel.
    """
    auc, (colour, marker) = model.judgement.network, look
    height = max(auc.mean - 0.5, lowest)
    panel.errorbar(
        x,
        height,
        yerr=[[min(auc.error, 0.9 * height)], [auc.error]],
        fmt=marker,
        color=colour,
        markersize=7,
        capsize=2,
        label=label,
    )
    panel.plot(
        x,
        max(model.judgement.trees.mean - 0.5, lowest),
        marker=marker,
        color=colour,
        markersize=5,
        markerfacecolor="white",
        linestyle="none",
    )


def _axes(panels: list[Axes], results: FrontierResults) -> None:
    from matplotlib.ticker import (
        FixedFormatter,
        FixedLocator,
        LogLocator,
        NullFormatter,
        NullLocator,
        StrMethodFormatter,
    )

    top = _floor(results)
    for number, panel in enumerate(panels):
        panel.set_xscale("log")
        panel.set_yscale("log")
        panel.axhspan(
            1e-4,
            top,
            color=GEANT4_FILL,
            linewidth=0,
            zorder=0,
            label="floor: Geant4 against Geant4, network" if number == 0 else None,
        )
        panel.axhline(top, color=GEANT4_LINE, linewidth=0.8, zorder=0)
        panel.grid(axis="y", color="#eeeeee", linewidth=0.8)
        panel.set_axisbelow(True)
        panel.margins(x=0.12)
        panel.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        panel.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        panel.xaxis.set_minor_formatter(NullFormatter())
    shown = [tick for tick in _TICKS if tick - 0.5 > 0.5 * top]
    panels[0].yaxis.set_major_locator(FixedLocator([tick - 0.5 for tick in shown]))
    panels[0].yaxis.set_major_formatter(FixedFormatter([f"{tick:g}" for tick in shown]))
    panels[0].yaxis.set_minor_locator(NullLocator())
    panels[0].set_ylim(0.5 * top, 0.55)
    panels[0].set_ylabel("AUC, held-out against generated voxels\n(filled: network, open: trees)")
