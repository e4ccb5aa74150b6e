"""Where panels stand: pairs of axes in rows of three, and one legend for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.patches import Patch

from fastcaloq_infer.report.style import GEANT4_FILL, GEANT4_LINE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 3

# Inches.
_LEFT, _GAP, _WIDTH = 0.95, 0.6, 2.75
_LEGEND, _TITLE, MAIN, _RATIO, _BELOW = 0.32, 0.3, 1.65, 0.75, 0.6


def panel_grid(n: int, per_bin: str, reference: str) -> tuple[Figure, list[tuple[Axes, Axes]]]:
    """Return a figure with ``n`` pairs of axes, a histogram and its ratio aligned below it.

    ``reference`` is what the ratio is to.

    Places are given in inches rather than left to a layout engine, which takes seconds for
    eighteen axes and collapses the small ones.
    """
    columns = min(COLUMNS, n)
    rows = -(-n // columns)
    width = _LEFT + COLUMNS * (_WIDTH + _GAP)
    height = _LEGEND + rows * (_TITLE + MAIN + _RATIO + _BELOW)
    figure = new_figure(width, height, automatic=False)
    pairs = []
    for i in range(n):
        row, column = divmod(i, columns)
        left = _LEFT + column * (_WIDTH + _GAP)
        top = height - _LEGEND - row * (_TITLE + MAIN + _RATIO + _BELOW) - _TITLE
        main = figure.add_axes(_box(left, top - MAIN, MAIN - 0.05, width, height))
        ratio = figure.add_axes(_box(left, top - MAIN - _RATIO, _RATIO - 0.05, width, height))
        ratio.sharex(main)
        main.xaxis.set_visible(False)  # the ratio's ticks are enough, and ticks are what takes time
        if column == 0:
            main.set_ylabel(per_bin)
            ratio.set_ylabel(f"ratio to\n{reference}")
            figure.align_ylabels([main, ratio])
        pairs.append((main, ratio))
    return figure, pairs


def _box(
    left: float, bottom: float, axes_height: float, width: float, height: float
) -> tuple[float, float, float, float]:
    return left / width, bottom / height, _WIDTH / width, axes_height / height


def add_legend(figure: Figure, pair: tuple[Axes, Axes]) -> None:
    """Put one legend for all panels at the top of the figure."""
    handles, labels = pair[0].get_legend_handles_labels()
    handles[0] = Patch(facecolor=GEANT4_FILL, edgecolor=GEANT4_LINE)
    more, names = pair[1].get_legend_handles_labels()
    handles, labels = handles + more, labels + names
    columns = len(handles) if sum(len(label) for label in labels) < 110 else 4
    figure.legend(handles, labels, loc="upper center", ncols=columns, borderaxespad=0.2)
