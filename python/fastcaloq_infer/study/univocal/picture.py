"""Held-out likelihood against parameters, and round trips before and after Newton's method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastcaloq_infer.files import atomic_path
from fastcaloq_infer.report.style import MARKERS, SERIES, new_figure, picture, style
from fastcaloq_infer.study.univocal.tasks import TASKS

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

__all__ = ["draw"]

_TICKS = (100, 200, 500, 1000, 2000)
_NAMES = {
    "hybrid": "register + coupling blocks",
    "careless": "the same, NLL alone",
}


def draw(results: dict[str, Any], path: Path) -> None:
    """Draw ``results`` as the program writes them.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    with style():
        figure = new_figure(9.6, 6.8)
        panels = figure.subplots(2, 2)
        for column, (task, title) in enumerate(TASKS.items()):
            quality, trips = panels[:, column]
            rows = results["summary"][task]
            _quality(quality, rows)
            quality.set_title(title)
            _trips(trips, rows)
        panels[0, 0].legend(loc="upper right")
        panels[1, 0].legend(loc="upper right")
        content = picture(figure, "palette")
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def _quality(axes: Axes, rows: dict[str, Any]) -> None:
    classical = sorted(
        (row for name, row in rows.items() if name.startswith("inn")),
        key=lambda row: row["parameters"],
    )
    series = {"INN": classical} | {_NAMES[name]: [rows[name]] for name in _NAMES if name in rows}
    for index, (label, points) in enumerate(series.items()):
        axes.errorbar(
            [row["parameters"] for row in points],
            [row["nll"] for row in points],
            [row["nll_std"] for row in points],
            marker=MARKERS[index],
            color=SERIES[index],
            linestyle="-" if len(points) > 1 else "none",
            capsize=2,
            label=label,
        )
    axes.set_xscale("log")
    axes.set_xticks(_TICKS, [str(tick) for tick in _TICKS])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("parameters behind the density")
    axes.set_ylabel("held-out NLL [nats]")
    axes.grid(alpha=0.3)


def _trips(axes: Axes, rows: dict[str, Any]) -> None:
    for index, name in enumerate(name for name in _NAMES if name in rows):
        row = rows[name]
        for place, kind in enumerate(("learnt", "polished")):
            median, far = row[f"{kind}_median"], row[f"{kind}_90"]
            axes.errorbar(
                place + 0.12 * (index - 0.5),
                median,
                [[0.0], [max(far - median, 0.0)]],
                marker=MARKERS[index + 1],
                color=SERIES[index + 1],
                linestyle="none",
                capsize=3,
                label=_NAMES[name] if place == 0 else None,
            )
    axes.axhline(1e-12, color="#4d4d4d", linewidth=0.8, linestyle=":")
    axes.set_yscale("log")
    axes.set_xlim(-0.5, 1.9)
    axes.set_xticks([0, 1], ["learnt inverse", "polished"])
    axes.set_ylabel("round trip, median to 90 %\n[standard deviations]")
    axes.grid(alpha=0.3, axis="y")
