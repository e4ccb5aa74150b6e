"""Showers layer by layer, seen along the particle: energy against radius and alpha.

Needs arrays and a binning only, so that it draws an average of many showers as well as one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Colormap, LogNorm
from matplotlib.patheffects import withStroke

from fastcaloq_infer.data.voxelisation import ALPHA_START
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.report.style import GEANT4_LINE, new_figure, style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from fastcaloq_infer.data import Binning, LayerBinning

MAX_LAYERS = 8
"""Layers side by side; of more, as many are drawn at equal distances."""

_ARC = math.tau / 72  # longest straight piece of a circle
_EVEN = 4.0  # the widest ring over the narrowest: above it the radius is drawn logarithmically
_DECADES = 6  # of the colour scale, downwards from the largest energy
_RATIO_SPAN = 2.0
_KNOWN = 0.25  # relative error above which a ratio says nothing
_NOTHING = "#e9e9e9"


@dataclass(frozen=True)
class Shower:
    """One row of the picture.

    Attributes
    ----------
    label
        Written beside the row.
    energy
        Shape (V,), MeV: of a shower, or the mean of many.
    error
        Shape (V,), MeV, the mean's standard error, or None.
    """

    label: str
    energy: NDArray[np.floating]
    error: NDArray[np.floating] | None = None


def average(
    label: str, voxel_energy: NDArray[np.floating], weights: NDArray[np.float64] | None = None
) -> Shower:
    """Return the mean of showers (N, V) with its standard error; ``weights`` has shape (N,)."""
    # float64, without a float64 copy of all voxels: products of single rows are enough.
    weights = np.ones(len(voxel_energy)) if weights is None else weights
    share = weights / weights.sum()
    mean = np.einsum("n,nv->v", share, voxel_energy, dtype=np.float64)
    square = np.einsum("n,nv,nv->v", share**2, voxel_energy, voxel_energy, dtype=np.float64)
    return Shower(label, mean, np.sqrt(np.maximum(square - (share**2).sum() * mean**2, 0.0)))


def polar_figure(
    showers: Sequence[Shower],
    binning: Binning,
    *,
    ratio_to: int | None = None,
    layers: Sequence[int] | None = None,
    title: str = "",
) -> Figure:
    """Draw every shower as a row of discs, one per layer, with one colour scale for all.

    Parameters
    ----------
    showers
        The rows, from above.
    binning
        Where the voxels are. A layer with one alpha bin consists of rings.
    ratio_to
        Index of the row to which ratios of the others are drawn below, or None. Voxels whose ratio
        is known to worse than 25 % are grey there.
    layers
        Layer numbers to draw; by default all, or eight at equal distances of more.
    title
        Above the picture.

    Raises
    ------
    InputError
        No row, another number of voxels than the binning's, a layer that is not in it.
    """
    _check(showers, binning)
    chosen = _choose_layers(binning, layers)
    ratios = [] if ratio_to is None else [s for i, s in enumerate(showers) if i != ratio_to]
    rows, columns = len(showers) + len(ratios), len(chosen)
    with style():
        figure = new_figure(1.75 * columns + 1.6, 1.75 * rows + 0.75)
        axes = figure.subplots(rows, columns, squeeze=False)
        norm = _energy_norm(showers, binning, chosen)
        mesh = None
        for i, (row, shower) in enumerate(zip(axes, showers, strict=False)):
            for cell, k in zip(row, chosen, strict=True):
                values = shower.energy[binning.layer_slices[k]]
                mesh = draw_layer(cell, binning.layers[k], values, marks=i == 0)
                mesh.set(norm=norm, cmap=_colours("inferno"))
            row[0].set_ylabel(shower.label)
        if mesh is not None:
            label = "energy per voxel [MeV]"
            figure.colorbar(mesh, ax=axes[: len(showers)], label=label, extend="min", aspect=30)
        for row, shower in zip(axes[len(showers) :], ratios, strict=True):
            ratio = _ratio(shower, showers[ratio_to or 0])
            for cell, k in zip(row, chosen, strict=True):
                mesh = draw_layer(cell, binning.layers[k], ratio[binning.layer_slices[k]])
                mesh.set(norm=LogNorm(1 / _RATIO_SPAN, _RATIO_SPAN), cmap=_colours("RdBu_r"))
            row[0].set_ylabel(f"{shower.label} /\n{showers[ratio_to or 0].label}")
        if ratios and mesh is not None:
            bar = figure.colorbar(
                mesh, ax=axes[len(showers) :], label="ratio", extend="both", aspect=30
            )
            ticks = [0.5, 0.7, 1, 1.4, 2]
            bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
            bar.minorticks_off()
        for cell, k in zip(axes[0], chosen, strict=True):
            cell.set_title(f"layer {binning.layers[k].id}")
        for cell, k in zip(axes[-1], chosen, strict=True):
            cell.set_xlabel(f"r < {binning.layers[k].r_edges[-1]:g} mm", fontsize=8.5)
        if title:
            figure.suptitle(title, fontsize=11)
    return figure


def draw_layer(
    axes: Axes, layer: LayerBinning, values: NDArray[np.floating], *, marks: bool = False
) -> QuadMesh:
    """Fill a disc with a layer's values (n_alpha * n_r,), r fastest; alpha = 0 is to the right.

    Where the rings' widths differ much, the radius is drawn as log(1 + r / first edge), so that the
    core can be seen; ``marks`` puts thin circles at decades of r in mm.
    """
    radius = _radius(layer)
    pieces = max(1, math.ceil(math.tau / layer.n_alpha / _ARC))
    alpha = ALPHA_START + math.tau * np.linspace(0, 1, layer.n_alpha * pieces + 1)
    edges = radius(np.asarray(layer.r_edges))
    # Corner (i, j) of the mesh: alpha edge i, ring edge j.
    x, y = np.cos(alpha)[:, None] * edges, np.sin(alpha)[:, None] * edges
    grid = np.repeat(np.asarray(values).reshape(layer.n_alpha, layer.n_r), pieces, axis=0)
    mesh = axes.pcolormesh(x, y, grid, rasterized=True, shading="flat", linewidth=0)
    outer = edges[-1]
    _circle(axes, outer, GEANT4_LINE)
    for r in _marks(layer) if marks else ():
        _circle(axes, radius(r), "white")
        text = axes.text(0, -float(radius(r)), f"{r:g}", color="white", fontsize=6.5, ha="center")
        text.set_path_effects([withStroke(linewidth=1.2, foreground=GEANT4_LINE)])
    axes.set(aspect="equal", xticks=[], yticks=[], xlim=1.04 * outer * np.array([-1, 1]))
    axes.set_ylim(axes.get_xlim())
    axes.spines[:].set_visible(False)
    return mesh


def _circle(axes: Axes, radius: NDArray[np.float64], colour: str) -> None:
    angle = np.linspace(0, math.tau, 73)
    axes.plot(radius * np.cos(angle), radius * np.sin(angle), color=colour, linewidth=0.6)


class _radius:  # noqa: N801 - used as a function
    """The radius on the paper for a radius r in mm."""

    def __init__(self, layer: LayerBinning) -> None:
        widths = np.diff(layer.r_edges)
        self.unit = next(edge for edge in layer.r_edges if edge > 0)
        self.linear = bool(widths.max() <= _EVEN * widths.min())

    def __call__(self, r: NDArray[np.float64] | float) -> NDArray[np.float64]:
        return np.asarray(r if self.linear else np.log1p(np.asarray(r) / self.unit))


def _marks(layer: LayerBinning) -> list[float]:
    """Return radii to mark: powers of ten well inside the disc."""
    last = layer.r_edges[-1]
    return [r for r in (10.0, 100.0, 1000.0) if layer.r_edges[1] < r < 0.7 * last]


def _check(showers: Sequence[Shower], binning: Binning) -> None:
    if not showers:
        raise InputError("there is no shower to draw; give one or more")
    for shower in showers:
        if np.shape(shower.energy) != (binning.n_voxels,):
            raise InputError(
                f"{shower.label!r} has voxels of shape {np.shape(shower.energy)}, binning "
                f"{binning.name!r} has {binning.n_voxels}; give one shower with its own binning"
            )


def _choose_layers(binning: Binning, layers: Sequence[int] | None) -> list[int]:
    if layers is None:
        count = min(binning.n_layers, MAX_LAYERS)
        return [int(k) for k in np.linspace(0, binning.n_layers - 1, count).round()]
    unknown = [layer for layer in layers if layer not in binning.layer_ids]
    if unknown or not layers:
        raise InputError(
            f"binning {binning.name!r} has no layer {unknown or 'in an empty list'}; it has "
            f"{binning.layer_ids}"
        )
    return [binning.layer_ids.index(layer) for layer in layers]


def _energy_norm(showers: Sequence[Shower], binning: Binning, chosen: list[int]) -> LogNorm:
    values = np.concatenate(
        [shower.energy[binning.layer_slices[k]] for shower in showers for k in chosen]
    )
    positive = values[values > 0]
    if not len(positive):
        return LogNorm(0.1, 1.0)
    high = float(positive.max())
    return LogNorm(max(float(positive.min()) * 0.99, high * 10.0**-_DECADES), high * 1.01)


def _colours(name: str) -> Colormap:
    colours = colormaps[name].with_extremes(bad=_NOTHING)
    return colours.with_extremes(under=colours(0)) if name == "inferno" else colours


def _ratio(shower: Shower, reference: Shower) -> NDArray[np.float64]:
    known = (reference.energy > 0) & (shower.energy > 0)
    for part in (shower, reference):
        if part.error is not None:
            known &= part.error <= _KNOWN * part.energy
    safe = np.where(known, reference.energy, 1.0)
    return np.where(known, shower.energy / safe, np.nan)
