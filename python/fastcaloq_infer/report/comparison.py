"""A histogram of Geant4 and generated showers above their ratio, with statistical bands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Patch
from matplotlib.ticker import NullFormatter

from fastcaloq_infer.report.style import GEANT4_FILL, GEANT4_LINE, GENERATED, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

COLUMNS = 3

# Inches.
_LEFT, _GAP, _WIDTH = 0.95, 0.6, 2.75
_LEGEND, _TITLE, _MAIN, _RATIO, _BELOW = 0.32, 0.3, 1.65, 0.75, 0.6

_SHOWERS_PER_BIN = 60
_LOG_SPAN = 15.0  # 1 % to 99 % quantile: wider distributions are drawn on a logarithmic axis


@dataclass(frozen=True)
class Binned:
    """A weighted histogram as fractions of all showers.

    Attributes
    ----------
    fraction, error
        Shape (B,), fraction of the showers per bin and its Poisson error sqrt(sum w^2).
    """

    fraction: NDArray[np.float64]
    error: NDArray[np.float64]


def bin_showers(
    values: NDArray[np.float64],
    edges: NDArray[np.float64],
    weights: NDArray[np.float64] | None = None,
) -> Binned:
    """Count values (N,) between edges (B + 1,), relative to all N showers."""
    weights = np.ones(len(values)) if weights is None else weights
    total = weights.sum()
    sums, _ = np.histogram(values, edges, weights=weights)
    squares, _ = np.histogram(values, edges, weights=weights**2)
    return Binned(sums / total, np.sqrt(squares) / total)


def choose_edges(reference: NDArray[np.float64]) -> tuple[NDArray[np.float64], bool]:
    """Return bin edges for the reference's positive values and whether they are logarithmic.

    The range is that of the central 99.6 %, widened a little; tails beyond are not drawn (the
    figures of the evaluation count them).
    """
    positive = reference[reference > 0]
    if len(positive) < 2:
        return np.array([0.5, 1.0, 2.0]), False
    n_bins = int(np.clip(len(positive) // _SHOWERS_PER_BIN, 6, 36))
    low, first, last, high = np.quantile(positive, [0.002, 0.01, 0.99, 0.998])
    if last / first > _LOG_SPAN:
        return np.geomspace(low / 1.3, high * 1.3, n_bins + 1), True
    margin = 0.08 * (high - low) or 0.05 * high
    return np.linspace(max(low - margin, 0.0), high + margin, n_bins + 1), False


def comparison_grid(n: int) -> tuple[Figure, list[tuple[Axes, Axes]]]:
    """Return a figure with ``n`` pairs of axes, a histogram and its ratio aligned below it.

    Places are given in inches rather than left to a layout engine, which takes seconds for
    eighteen axes and collapses the small ones.
    """
    rows = -(-n // COLUMNS)
    width = _LEFT + COLUMNS * (_WIDTH + _GAP)
    height = _LEGEND + rows * (_TITLE + _MAIN + _RATIO + _BELOW)
    figure = new_figure(width, height, automatic=False)
    pairs = []
    for i in range(n):
        row, column = divmod(i, COLUMNS)
        left = _LEFT + column * (_WIDTH + _GAP)
        top = height - _LEGEND - row * (_TITLE + _MAIN + _RATIO + _BELOW) - _TITLE
        pairs.append(
            (
                figure.add_axes(_box(left, top - _MAIN, _MAIN - 0.05, width, height)),
                figure.add_axes(_box(left, top - _MAIN - _RATIO, _RATIO - 0.05, width, height)),
            )
        )
        pairs[-1][1].sharex(pairs[-1][0])
        pairs[-1][0].tick_params(labelbottom=False)
        if column == 0:
            pairs[-1][0].set_ylabel("showers per bin /\nall showers")
            pairs[-1][1].set_ylabel("generated /\nGeant4")
            figure.align_ylabels(pairs[-1])
    return figure, pairs


def _box(
    left: float, bottom: float, axes_height: float, width: float, height: float
) -> tuple[float, float, float, float]:
    return left / width, bottom / height, _WIDTH / width, axes_height / height


def add_legend(figure: Figure, axes: Axes) -> None:
    """Put one legend for all panels at the top of the figure."""
    handles, labels = axes.get_legend_handles_labels()
    handles[0] = Patch(facecolor=GEANT4_FILL, edgecolor=GEANT4_LINE)
    figure.legend(handles, labels, loc="upper center", ncols=3, borderaxespad=0.2)


def draw_comparison(
    main: Axes,
    ratio: Axes,
    reference: Binned,
    generated: Binned,
    edges: NDArray[np.float64],
    *,
    log_x: bool,
    log_y: bool = False,
    ratio_span: float = 0.5,
) -> None:
    """Draw both histograms and generated over Geant4.

    Geant4 is the filled step with its error as a hatched band, the generated sample a line; in the
    ratio the band is Geant4's relative error and the bars are the generated sample's. Ratios
    outside the panel are marked by triangles at its edge.
    """
    if log_x:
        for axes in (main, ratio):
            axes.set_xscale("log")
            axes.xaxis.set_minor_formatter(NullFormatter())
    _steps(main, edges, reference, generated)
    filled = reference.fraction[reference.fraction > 0]
    if log_y and len(filled):
        main.set_yscale("log")
        main.set_ylim(bottom=0.4 * float(filled.min()))
    else:
        main.set_ylim(bottom=0)
    known = reference.fraction > 0
    scale = np.where(known, reference.fraction, 1.0)
    band = np.where(known, reference.error / scale, 0.0)
    values = np.where(known, generated.fraction / scale, np.nan)
    errors = np.where(known, generated.error / scale, np.nan)
    low, high = 1 - ratio_span, 1 + ratio_span
    _band(ratio, edges, 1 - band, 1 + band)
    ratio.axhline(1.0, color=GEANT4_LINE, linewidth=0.8)
    middles = np.sqrt(edges[1:] * edges[:-1]) if log_x else 0.5 * (edges[1:] + edges[:-1])
    inside = (values >= low) & (values <= high)
    ratio.errorbar(
        middles[inside],
        values[inside],
        errors[inside],
        fmt="o",
        markersize=2.4,
        linewidth=0.9,
        color=GENERATED,
    )
    for beyond, marker, edge in ((values > high, "^", high), (values < low, "v", low)):
        ratio.plot(
            middles[beyond],
            np.full(beyond.sum(), edge),
            marker,
            color=GENERATED,
            markersize=4,
            clip_on=False,
            markerfacecolor="white",
        )
    ratio.set_ylim(low, high)
    ratio.set_yticks([1 - 0.8 * ratio_span, 1.0, 1 + 0.8 * ratio_span])
    ratio.set_xlim(edges[0], edges[-1])
    ratio.grid(axis="y", alpha=0.3, linewidth=0.5)


def _steps(axes: Axes, edges: NDArray[np.float64], reference: Binned, generated: Binned) -> None:
    axes.stairs(reference.fraction, edges, fill=True, color=GEANT4_FILL)
    axes.stairs(reference.fraction, edges, color=GEANT4_LINE, linewidth=1.0, label="Geant4")
    lower = np.maximum(reference.fraction - reference.error, 0.0)
    axes.stairs(
        reference.fraction + reference.error,
        edges,
        baseline=lower,
        fill=True,
        facecolor="none",
        edgecolor=GEANT4_LINE,
        hatch="//////",
        linewidth=0,
        label="Geant4, statistical error",
    )
    axes.stairs(generated.fraction, edges, color=GENERATED, linewidth=1.5, label="generated")


def _band(
    axes: Axes, edges: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> None:
    axes.stairs(high, edges, baseline=low, fill=True, color=GEANT4_FILL, linewidth=0)
