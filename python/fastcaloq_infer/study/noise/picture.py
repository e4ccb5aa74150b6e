"""The picture of shots and noise: fidelity against both, with the exact circuit beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastcaloq_infer.files import atomic_path
from fastcaloq_infer.report.style import GEANT4_LINE, MARKERS, SERIES, new_figure, picture, style

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fastcaloq_infer.study.noise.results import NoiseResults

__all__ = ["draw"]

_COLUMNS = (
    ("shots per measurement", (("fresh", "every shower measures"), ("table", "once per energy"))),
    (
        "probability p",
        (("depolarising", "depolarising, after each gate"), ("readout", "readout error")),
    ),
)
_ROWS = (
    ("nats_lost", "nats lost per shower"),
    ("auc", "AUC"),
    ("layer_distance", r"$W_1$ of layers [floors]"),
)


def draw(results: NoiseResults, path: Path) -> None:
    """Write the picture as PNG.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    rows = [row for row in _ROWS if row[0] != "auc" or results.floor_auc is not None]
    with style():
        figure = new_figure(9.0, 1.2 + 2.4 * len(rows))
        panels = figure.subplots(len(rows), 2, sharex="col", sharey="row", squeeze=False)
        for line, (name, label) in zip(panels, rows, strict=True):
            line[0].set_ylabel(label)
            for axes, (_, series) in zip(line, _COLUMNS, strict=True):
                _panel(axes, results, name, series)
        for axes, (label, _) in zip(panels[-1], _COLUMNS, strict=True):
            axes.set_xlabel(label)
        for axes in panels[0]:
            axes.legend(loc="best")
        _title(figure, results)
        content = picture(figure, "png")
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def _panel(
    axes: Axes, results: NoiseResults, name: str, series: tuple[tuple[str, str], ...]
) -> None:
    exact = getattr(results.points[0], name)
    axes.axhline(exact.mean, color=SERIES[2], linewidth=1.0, linestyle="--", label="exact circuit")
    if name == "auc" and results.floor_auc is not None:
        axes.axhline(results.floor_auc.mean, color=GEANT4_LINE, linewidth=0.9, linestyle=":")
    elif name == "layer_distance":
        axes.axhline(1.0, color=GEANT4_LINE, linewidth=0.9, linestyle=":")
    axes.plot(
        [], [], color=GEANT4_LINE, linewidth=0.9, linestyle=":", label="Geant4 against Geant4"
    )
    for number, (key, title) in enumerate(series):
        points = results.series(key)
        figures = [getattr(point, name) for point in points]
        axes.errorbar(
            [point.value or 0.0 for point in points],
            [figure.mean for figure in figures],
            [figure.error for figure in figures],
            color=SERIES[number],
            marker=MARKERS[number],
            markersize=4,
            linewidth=1.2,
            capsize=2,
            label=title,
        )
    axes.set_xscale("log")
    if name == "nats_lost":
        axes.set_yscale("symlog", linthresh=1e-3)
    elif name == "layer_distance":
        axes.set_yscale("log")
    axes.grid(color="#eeeeee", linewidth=0.8)


def _title(figure: Figure, results: NoiseResults) -> None:
    figure.suptitle(
        f"{results.model}: trained exactly, drawn with shots or noise",
        fontsize=10,
        x=0.02,
        ha="left",
    )
