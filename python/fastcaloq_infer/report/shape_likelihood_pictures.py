"""Pictures of the likelihood of voxels: per energy, per layer, and whether latents are uniform."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcaloq_infer.report.page import Picture
from fastcaloq_infer.report.style import E_INC, GEANT4_FILL, GEANT4_LINE, new_figure, style

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fastcaloq_infer.evaluation.results import ShapeLikelihood
    from fastcaloq_infer.report.lineup import Model

_COLUMNS = 5
_FEW = 12  # largest table with numbers in it


def shape_likelihood_pictures(models: Sequence[Model]) -> Iterator[Picture]:
    """Yield the pictures of the models that have a likelihood of voxels."""
    known = [(model, model.evaluation.shape_likelihood) for model in models]
    found = [(model, figures) for model, figures in known if figures is not None]
    if not found:
        return
    yield Picture(
        "shape_likelihood",
        "Likelihood of the voxels of held-out showers",
        "Mean log density of the voxels given the energies of their layers, in nats per shower (a "
        "density per MeV in every voxel that is not empty): above; below, what is missing to the "
        "mean that the flow expects of its own voxels, 0 for a perfect flow. Bars are statistical "
        "errors.",
        partial(shape_likelihood_figure, found),
    )
    for model, figures in found:
        own = "" if len(found) == 1 else f": {model.label}"
        key = "" if len(found) == 1 else f"_{model.label}"
        yield Picture(
            f"shape_latents{key}",
            f"Where the voxels' nats are lost{own}",
            "Nats per shower lost in the latents of every layer, one by one against N(0, 1), and "
            "their sum, bold where four standard errors above zero: lower bounds. Below: Phi(z) of "
            "all latents of a layer and all energies, over its mean, flat for a perfect flow; the "
            "band is the statistical error. "
            f"{figures.failed} of {figures.tests} tests of single latents fail (Kolmogorov and "
            "Smirnov, 1 % for all together).",
            partial(shape_latents_figure, figures, model.colour),
        )


def shape_likelihood_figure(found: Sequence[tuple[Model, ShapeLikelihood]]) -> Figure:
    """Nats per shower against incident energy, and the gap to the flow's own showers."""
    with style():
        figure = new_figure(7.0, 4.2)
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
        for k, (model, figures) in enumerate(found):
            energy = np.array([at.incident_energy for at in figures.energies])
            beside = energy * 1.06 ** (k - 0.5 * (len(found) - 1))
            look: dict[str, Any] = {"fmt": model.marker, "color": model.colour, "markersize": 4}
            top.errorbar(
                beside,
                [at.nats for at in figures.energies],
                [at.error for at in figures.energies],
                label=f"{model.label}: {figures.nats:.2f} ± {figures.error:.2f}",
                **look,
            )
            bottom.errorbar(
                beside,
                [at.nats - at.own for at in figures.energies],
                [np.hypot(at.error, at.own_error) for at in figures.energies],
                **look,
            )
        bottom.axhline(0, color=GEANT4_LINE, linewidth=0.8)
        bottom.set_xscale("log")
        bottom.set_xlabel(E_INC)
        top.set_ylabel("log density\n[nats per shower]")
        bottom.set_ylabel("minus that of\nits own showers")
        figure.align_ylabels([top, bottom])
        top.legend(loc="best")
    return figure


def shape_latents_figure(figures: ShapeLikelihood, colour: str) -> Figure:
    """Nats lost per layer and energy, and histograms of Phi(z) per layer."""
    layers = list(dict.fromkeys(figure.layer for figure in figures.layers))
    energies = [at.incident_energy for at in figures.energies]
    lost, error = (
        np.array([getattr(f, what) for f in figures.layers]).reshape(len(layers), -1)
        for what in ("nats", "error")
    )
    lost = np.vstack([lost, lost.sum(axis=0)])
    error = np.vstack([error, np.sqrt((error**2).sum(axis=0))])
    names = [_name(layer) for layer in layers]
    columns = min(len(layers), _COLUMNS)
    rows = -(-len(layers) // columns)
    with style():
        figure = new_figure(9.0, 0.32 * (len(layers) + 1) + 1.3 + 1.9 * rows)
        parts: Any = figure.subfigures(2, 1, height_ratios=(0.32 * len(lost) + 1.3, 1.9 * rows))
        above, below = parts
        axes = above.subplots()
        image = axes.imshow(lost, cmap="Blues", vmin=0, vmax=max(lost.max(), 1e-3), aspect="auto")
        axes.set_yticks(range(len(lost)), [*names, "sum"])
        axes.set_xticks(range(len(energies)), [f"{energy:,.0f}" for energy in energies])
        axes.set_xlabel(E_INC)
        axes.spines[:].set_visible(False)
        above.colorbar(image, ax=axes, label="lost [nats]", extend="min", aspect=12)
        if max(lost.shape) <= _FEW:
            for (i, j), value in np.ndenumerate(lost):
                axes.text(
                    j,
                    i,
                    f"{value:.2f}",
                    ha="center",
                    va="center",
                    fontsize=8,
                    color="white" if value > 0.6 * lost.max() else "black",
                    fontweight="bold" if value > 4 * error[i, j] else "normal",
                )
        grid = below.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for unused in grid.flat[len(layers) :]:
            unused.set_axis_off()
        for place, uniformity in zip(grid.flat, figures.uniformity, strict=False):
            _uniform(place, np.array(uniformity.counts), colour)
            place.set_title(_name(uniformity.layer), loc="left")
        for place in grid[-1]:
            place.set_xlabel(r"$\Phi(z)$")
        for place in grid[:, 0]:
            place.set_ylabel("latents per bin /\nmean")
    return figure


def _uniform(axes: Axes, counts: np.ndarray[Any, Any], colour: str) -> None:
    mean = max(float(counts.mean()), 1.0)
    edges = np.linspace(0, 1, len(counts) + 1)
    band = 1 / np.sqrt(mean)
    axes.axhspan(1 - band, 1 + band, color=GEANT4_FILL, linewidth=0)
    axes.axhline(1, color=GEANT4_LINE, linewidth=0.8)
    axes.stairs(counts / mean, edges, color=colour, linewidth=1.3, baseline=None)
    axes.set_xlim(0, 1)


def _name(layer: int | None) -> str:
    return "all layers" if layer is None else f"layer {layer}"
