"""A histogram of Geant4 and generated samples above their ratio, with statistical bands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import NullFormatter, NullLocator

from fastcaloq_infer.report.lineup import second
from fastcaloq_infer.report.panel_grid import MAIN, add_legend, panel_grid
from fastcaloq_infer.report.style import GEANT4_FILL, GEANT4_LINE, style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from fastcaloq_infer.report.binned import Binned, Edges
    from fastcaloq_infer.report.lineup import Model

_NOTE = 0.135  # inches per line of notes
_MINOR = 2000.0  # span of a logarithmic axis that still gets small ticks
_SPREAD = 0.5  # of a bin: points of several models stand side by side


Note = tuple[str, str]
"""A line of text in a panel, and its colour."""


@dataclass(frozen=True)
class Panel:
    """One distribution of all samples.

    Attributes
    ----------
    title, label
        Above the panel, and under its x axis.
    edges
        B bins.
    reference, generated, floor
        Contents of the bins; one generated sample per model.
    notes
        Written into the panel, above the histogram.
    log_y
        Whether the contents are drawn on a logarithmic axis.
    """

    title: str
    label: str
    edges: Edges
    reference: Binned
    generated: tuple[Binned, ...]
    floor: Binned | None
    notes: tuple[Note, ...] = ()
    log_y: bool = False


def panel_figure(
    panels: Sequence[Panel],
    models: Sequence[Model],
    per_bin: str = "showers per bin /\nall showers",
    *,
    ratio_span: float = 0.5,
) -> Figure:
    """Draw panels, three in a row, each above its ratio to the reference; one legend for all."""
    with style():
        figure, pairs = panel_grid(len(panels), per_bin, models[0].simulation)
        for pair, panel in zip(pairs, panels, strict=True):
            _draw(pair, panel, models, ratio_span)
        add_legend(figure, pairs[0])
    return figure


def _draw(
    pair: tuple[Axes, Axes], panel: Panel, models: Sequence[Model], ratio_span: float
) -> None:
    """Draw the histograms, and generated over the reference.

    The reference is the filled step with its error as a hatched band, a generated sample a line;
    in the ratio the band is the reference's relative error, the thin line the floor sample, and
    the bars are the generated sample's errors. Triangles mark ratios outside of the panel by more
    than two errors.
    """
    main, ratio = pair
    edges, reference = panel.edges, panel.reference
    if edges.logarithmic:
        ratio.set_xscale("log")
        _thin(ratio.xaxis, edges.values[0], edges.values[-1])
    _draw_reference(main, edges.values, reference, models[0].simulation)
    for model, binned in zip(models, panel.generated, strict=True):
        width = 1.5 if len(models) == 1 else 1.2
        main.stairs(
            binned.fraction, edges.values, color=model.colour, linewidth=width, label=model.label
        )
    _set_height(main, panel)
    main.set_title(panel.title, loc="left")
    known = reference.fraction > 0
    scale = np.where(known, reference.fraction, 1.0)
    band = np.where(known, reference.error / scale, 0.0)
    ratio.stairs(1 + band, edges.values, baseline=1 - band, fill=True, color=GEANT4_FILL)
    ratio.axhline(1.0, color=GEANT4_LINE, linewidth=0.8)
    if panel.floor is not None:
        ratio.stairs(
            np.where(known, panel.floor.fraction / scale, np.nan),
            edges.values,
            baseline=None,
            color=GEANT4_LINE,
            linewidth=0.7,
            linestyle=(0, (3, 1.5)),
            label=second(models),
        )
    ratio.set_ylim(1 - ratio_span, 1 + ratio_span)
    for i, (model, binned) in enumerate(zip(models, panel.generated, strict=True)):
        offset = _SPREAD * ((i + 0.5) / len(models) - 0.5)
        values = np.where(known, binned.fraction / scale, np.nan)
        errors = np.where(known, binned.error / scale, np.nan)
        _draw_ratio(ratio, _positions(edges, offset), values, errors, band, model)
    ratio.set_yticks([1 - 0.8 * ratio_span, 1.0, 1 + 0.8 * ratio_span])
    ratio.set_xlim(edges.values[0], edges.values[-1])
    ratio.grid(axis="y", alpha=0.3, linewidth=0.5)
    ratio.set_xlabel(panel.label)


def _set_height(axes: Axes, panel: Panel) -> None:
    """Choose the y axis, with room for the notes above the histogram."""
    everything = (panel.reference, *panel.generated)
    top = max(float((binned.fraction + binned.error).max()) for binned in everything) or 1.0
    used = 1.0 - 0.03 - _NOTE * len(panel.notes) / MAIN
    filled = panel.reference.fraction[panel.reference.fraction > 0]
    if panel.log_y and len(filled):
        low = 0.4 * float(filled.min())
        axes.set_yscale("log")
        axes.set_ylim(low, low * (1.2 * top / low) ** (1 / used))
        _thin(axes.yaxis, *axes.get_ylim())
    else:
        axes.set_ylim(0, top / used)
    for i, (text, colour) in enumerate(panel.notes):
        axes.annotate(
            text,
            (0, 1),
            (4, -72 * _NOTE * i - 1),
            xycoords="axes fraction",
            textcoords="offset points",
            va="top",
            fontsize=7.5,
            color=colour,
        )


def _thin(axis: Axis, low: float, high: float) -> None:
    """Leave the small ticks of a logarithmic axis out where there is no room for them."""
    if high / low > _MINOR:
        axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def _positions(edges: Edges, offset: float) -> NDArray[np.float64]:
    """Return where in the bins (B,) to draw: ``offset`` widths to the right of their middles."""
    low, high = edges.values[:-1], edges.values[1:]
    if edges.logarithmic:
        return np.asarray(edges.middles * (high / low) ** offset)
    return np.asarray(edges.middles + offset * (high - low))


def _draw_ratio(
    axes: Axes,
    positions: NDArray[np.float64],
    values: NDArray[np.float64],
    errors: NDArray[np.float64],
    band: NDArray[np.float64],
    model: Model,
) -> None:
    """Draw points with bars; those outside of the panel become triangles where it is no chance."""
    low, high = axes.get_ylim()
    significant = np.abs(values - 1) > 2 * np.hypot(errors, band)
    above, below = (values > high) & significant, (values < low) & significant
    inside = np.isfinite(values) & ~above & ~below
    axes.errorbar(
        positions[inside],
        values[inside],
        errors[inside],
        fmt=model.marker,
        markersize=2.4,
        linewidth=0.9,
        color=model.colour,
    )
    for beyond, marker, edge in ((above, "^", high), (below, "v", low)):
        if beyond.any():
            axes.plot(
                positions[beyond],
                np.full(beyond.sum(), edge),
                marker,
                color=model.colour,
                markersize=4,
                clip_on=False,
                markerfacecolor="white",
            )


def _draw_reference(axes: Axes, edges: NDArray[np.float64], reference: Binned, label: str) -> None:
    axes.stairs(reference.fraction, edges, fill=True, color=GEANT4_FILL)
    axes.stairs(reference.fraction, edges, color=GEANT4_LINE, linewidth=1.0, label=label)
    axes.stairs(
        reference.fraction + reference.error,
        edges,
        baseline=np.maximum(reference.fraction - reference.error, 0.0),
        fill=True,
        facecolor="none",
        edgecolor=GEANT4_LINE,
        hatch="//////",
        linewidth=0,
        label="statistical error",
    )
