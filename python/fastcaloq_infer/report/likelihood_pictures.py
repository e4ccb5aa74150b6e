"""Pictures of the held-out likelihood: how much is lost, and where."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcaloq_infer.report.latent_pictures import latent_figure
from fastcaloq_infer.report.page import Picture
from fastcaloq_infer.report.style import (
    E_INC,
    GEANT4_LINE,
    energy_label,
    new_figure,
    style,
)
from fastcaloq_infer.report.unlikely_table import unlikely_figure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.results import Likelihood
    from fastcaloq_infer.report.lineup import Model

_MILLI = 1e3  # losses are shown in units of 10^-3 nats
_FEW = 12  # largest matrix with numbers in it


def likelihood_pictures(models: Sequence[Model]) -> Iterator[Picture]:
    """Yield the pictures of every model that has a likelihood."""
    known = [(model, model.evaluation.likelihood) for model in models]
    found = [(model, figures) for model, figures in known if figures is not None]
    if not found:
        return
    yield Picture(
        "likelihood",
        "Likelihood of held-out showers",
        "Mean log density of reference showers that the flow has not seen, in nats per shower (a "
        "density per MeV in every layer), at every incident energy: above; below, what is missing "
        "to the mean that the flow expects of its own showers, 0 for a perfect flow. Right: nats "
        "lost, each a lower bound measured in its own way: by a classifier between held-out and "
        "generated showers, in the distributions of single latent dimensions, in their "
        "correlations, and in the energy of each layer and their sum. Bars are statistical errors; "
        "values below zero are compatible with none.",
        partial(likelihood_figure, found),
    )
    for model, figures in found:
        own = "" if len(found) == 1 else f": {model.label}"
        key = "" if len(found) == 1 else f"_{model.label}"
        yield Picture(
            f"lost{key}",
            f"Where nats are lost{own}",
            "Nats lost in units of 10⁻³ at every incident energy: in each latent dimension (left) "
            "and in the energy of each layer (right), bold where four standard errors above zero. "
            "Below: Spearman's correlation of the latent dimensions with the layer energies within "
            "an incident energy, which says what a dimension stands for, and the correlations of "
            "the latents among themselves at the incident energy where they are largest.",
            partial(lost_figure, figures),
        )
        yield Picture(
            f"latents{key}",
            f"Latents of held-out showers{own}",
            "Each latent dimension over all incident energies, against N(0, 1) (grey); below, the "
            "ratio with its statistical error (triangles: outside of the panel). Last panel: p "
            "values of all tests of Gaussian latents, in order, against those expected of a "
            "perfect flow (line); below the dotted line Holm's rule rejects the most significant "
            "at 1 % for all together.",
            partial(latent_figure, figures),
        )
        yield Picture(
            f"unlikely{key}",
            f"Least likely showers{own}",
            "The held-out showers that the flow finds least likely among its own of the same "
            "energy. Colours: the share of the flow's own showers with less energy in this layer; "
            "a shower of likely energies everywhere is unlikely for how they go together.",
            partial(unlikely_figure, figures),
            folded=True,
        )


def likelihood_figure(found: Sequence[tuple[Model, Likelihood]]) -> Figure:
    """Nats per shower against incident energy, the gap to the flow's own, and the parts lost."""
    with style():
        figure = new_figure(9.0, 4.2)
        grid = figure.add_gridspec(2, 2, height_ratios=(2, 1), width_ratios=(1.25, 1))
        top = figure.add_subplot(grid[0, 0])
        bottom = figure.add_subplot(grid[1, 0], sharex=top)
        right = figure.add_subplot(grid[:, 1])
        names = [loss.name for loss in found[0][1].losses]
        for k, (model, figures) in enumerate(found):
            energy = np.array([at.incident_energy for at in figures.energies])
            # Several models stand side by side.
            beside = energy * 1.06 ** (k - 0.5 * (len(found) - 1))
            look: dict[str, Any] = {
                "fmt": model.marker,
                "color": model.colour,
                "markersize": 4,
            }
            top.errorbar(
                beside,
                [at.nats for at in figures.energies],
                [at.error for at in figures.energies],
                label=f"{model.label}: {figures.nats:.3f} ± {figures.error:.3f}",
                **look,
            )
            bottom.errorbar(
                beside,
                [at.nats - at.own for at in figures.energies],
                [np.hypot(at.error, at.own_error) for at in figures.energies],
                **look,
            )
            losses = {loss.name: loss for loss in figures.losses}
            rows = [row for row, name in enumerate(names) if name in losses]
            right.errorbar(
                [_MILLI * losses[names[row]].nats for row in rows],
                np.array(rows) + 0.5 * ((k + 0.5) / len(found) - 0.5),
                xerr=[_MILLI * losses[names[row]].error for row in rows],
                **look,
            )
        bottom.axhline(0, color=GEANT4_LINE, linewidth=0.8)
        right.axvline(0, color=GEANT4_LINE, linewidth=0.8)
        top.set_xscale("log")
        top.tick_params(labelbottom=False)
        top.set_ylabel("log density\n[nats per shower]")
        bottom.set_ylabel("minus that of\nits own showers")
        bottom.set_xlabel(E_INC)
        figure.align_ylabels([top, bottom])
        top.legend(loc="upper right")
        right.set_yticks(range(len(names)), [_LOSSES.get(name, _feature(name)) for name in names])
        right.set_ylim(len(names) - 0.4, -0.6)
        right.set_xlabel("lost, at least [$10^{-3}$ nats per shower]")
        right.grid(axis="x", alpha=0.3, linewidth=0.5)
    return figure


_LOSSES = {
    "marginals": "latents one by one",
    "correlation": "latent correlations",
    "classifier": "seen by classifier",
}


def _feature(name: str) -> str:
    return "total energy" if name == "E_tot" else f"layer {name.removeprefix('E_')}"


def lost_figure(figures: Likelihood) -> Figure:
    """Heat maps: nats lost per latent and per layer at every energy, and what latents stand for."""
    latent = figures.latent
    energies = [at.incident_energy for at in figures.energies]
    features = list(dict.fromkeys(loss.feature for loss in figures.layers))
    n = len(latent.layer_correlations)
    dimensions = [f"$z_{{{k + 1}}}$" for k in range(n)]
    lost_z, error_z = (
        _MILLI * np.array([getattr(m, what) for m in latent.marginals]).reshape(len(energies), n)
        for what in ("nats", "error")
    )
    lost_e, error_e = (
        _MILLI * np.array([getattr(m, what) for m in figures.layers]).reshape(len(features), -1).T
        for what in ("nats", "error")
    )
    # One scale for both, no finer than ten errors, so that noise alone looks pale.
    span = max(float(np.max(lost_z)), float(np.max(lost_e)), 10 * float(np.median(error_z)))
    with style():
        figure = new_figure(9.0, 0.3 * len(energies) + 0.42 * n + 2.4)
        rows = figure.subplots(2, 2, height_ratios=(0.3 * len(energies), 0.42 * n))
        labels = [f"{energy:,.0f}" for energy in energies]
        names = [_feature(name).replace("layer ", "").replace(" energy", "") for name in features]
        for axes, values, errors, columns, title in (
            (rows[0, 0], lost_z, error_z, dimensions, "latent dimension"),
            (rows[0, 1], lost_e, error_e, names, "energy of layer"),
        ):
            image = axes.imshow(values, cmap="Blues", vmin=0, vmax=span, aspect="auto")
            _ticks(axes, columns, labels if axes is rows[0, 0] else [""] * len(labels))
            axes.set_xlabel(title)
            _write(axes, values, span, ".1f", values > 4 * errors)
        rows[0, 0].set_ylabel(E_INC)
        figure.colorbar(image, ax=rows[0], label="lost [$10^{-3}$ nats]", extend="min", aspect=15)
        meaning = np.array(latent.layer_correlations)
        worst = max(latent.energies, key=lambda at: abs(at.largest_correlation))
        apart = np.array([[v or 0.0 for v in row] for row in worst.correlations]) - np.eye(n)
        for axes, values, columns, title in (
            (rows[1, 0], meaning, names, "energy of layer"),
            (rows[1, 1], apart, dimensions, f"latent, {energy_label(worst.incident_energy)}"),
        ):
            image = axes.imshow(values, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
            _ticks(axes, columns, dimensions)
            axes.set_xlabel(title)
            shown = np.where(np.eye(n) > 0, np.nan, values) if axes is rows[1, 1] else values
            _write(axes, shown, 1.0, ".2f", np.zeros(values.shape, bool))
        rows[1, 0].set_ylabel("latent")
        figure.colorbar(image, ax=rows[1], label="correlation", aspect=10)
    return figure


def _ticks(axes: Axes, columns: Sequence[str], rows: Sequence[str]) -> None:
    step = -(-len(columns) // _FEW)
    axes.set_xticks(range(0, len(columns), step), list(columns)[::step])
    step = -(-len(rows) // _FEW)
    axes.set_yticks(range(0, len(rows), step), list(rows)[::step])
    axes.spines[:].set_visible(False)


def _write(
    axes: Axes,
    values: NDArray[np.float64],
    span: float,
    form: str,
    bold: NDArray[np.bool_],
) -> None:
    """Write numbers into a heat map that has room for them."""
    if max(values.shape) > _FEW:
        return
    for (i, j), value in np.ndenumerate(values):
        if np.isfinite(value):
            axes.text(
                j,
                i,
                # Adding 0 turns a rounded -0.00 into 0.00.
                format(round(float(value), 2 if form == ".2f" else 1) + 0.0, form),
                ha="center",
                va="center",
                fontsize=7.5,
                color="white" if abs(value) > 0.62 * span else "black",
                fontweight="bold" if bold[i, j] else "normal",
            )
