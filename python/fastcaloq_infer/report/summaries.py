"""Pictures of summary quantities: correlations, zero fractions, response, separations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.report.style import (
    GEANT4_FILL,
    GEANT4_LINE,
    GENERATED,
    energy_label,
    new_figure,
    style,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.results import Correlation, Evaluation, Matrix

_E_INC = r"$E_\mathrm{inc}$ [MeV]"
_DIFFERENCE_SPAN = 0.2


def correlation_figure(evaluation: Evaluation, shown: Sequence[int] | None = None) -> Figure:
    """Correlation matrices: Geant4, generated and their difference, for some energies."""
    count = len(evaluation.correlations)
    shown = sorted({count // 4, count // 2, count - 1}) if shown is None else shown
    with style():
        figure = new_figure(9.0, 3.0 * len(shown) + 0.6)
        axes = figure.subplots(len(shown), 3, squeeze=False)
        for row, index in zip(axes, shown, strict=True):
            images = _correlation_row(row, evaluation.correlations[index], evaluation.layer_ids)
        for image, columns, label, extend in (
            (images[0], axes[:, :2], "Pearson correlation", "neither"),
            (images[1], axes[:, 2], "generated - Geant4", "both"),
        ):
            figure.colorbar(
                image, ax=columns, label=label, extend=extend, location="bottom", aspect=30
            )
    return figure


def _correlation_row(
    row: NDArray[np.object_], figure: Correlation, layer_ids: tuple[int, ...]
) -> tuple[AxesImage, AxesImage]:
    reference, generated = _array(figure.reference), _array(figure.generated)
    # One colour scale per meaning: both matrices share -1 to 1, differences have their own.
    first = _matrix(row[0], reference, layer_ids, "RdBu_r", 1.0)
    _matrix(row[1], generated, layer_ids, "RdBu_r", 1.0)
    last = _matrix(row[2], generated - reference, layer_ids, "PuOr_r", _DIFFERENCE_SPAN)
    energy = rf"$E_\mathrm{{inc}}$ = {energy_label(figure.incident_energy)}"
    for axes, title in zip(row, (f"Geant4, {energy}", "generated", "difference"), strict=True):
        axes.set_title(title, loc="left")
    row[0].set_ylabel("layer")
    return first, last


def _matrix(
    axes: Axes, values: NDArray[np.float64], layer_ids: tuple[int, ...], cmap: str, span: float
) -> AxesImage:
    axes.set_facecolor("#eeeeee")
    image = axes.imshow(values, cmap=cmap, vmin=-span, vmax=span)
    ticks = range(len(layer_ids))
    axes.set_xticks(ticks, [str(i) for i in layer_ids])
    axes.set_yticks(ticks, [str(i) for i in layer_ids])
    axes.set_xlabel("layer")
    axes.spines[:].set_visible(False)
    for i in ticks:
        for j in ticks:
            value = values[i, j]
            dark = np.isfinite(value) and abs(value) > 0.62 * span
            # Adding 0 turns a rounded -0.00 into 0.00.
            text = f"{round(float(value), 2) + 0.0:.2f}" if np.isfinite(value) else "-"
            axes.text(
                j,
                i,
                text,
                ha="center",
                va="center",
                fontsize=7.5,
                color="white" if dark else "black",
            )
    return image


def _array(matrix: Matrix) -> NDArray[np.float64]:
    return np.array([[np.nan if v is None else v for v in row] for row in matrix])


def zero_fraction_figure(evaluation: Evaluation) -> Figure:
    """Fraction of showers that leave a layer empty, against energy, with the differences."""
    columns = len(evaluation.layer_ids)
    with style():
        figure = new_figure(2.5 * columns + 0.6, 4.2)
        axes = figure.subplots(
            2, columns, sharex=True, sharey="row", height_ratios=(2, 1), squeeze=False
        )
        for i, layer in enumerate(evaluation.layer_ids):
            zeros = [z for z in evaluation.zero_fractions if z.layer == layer]
            energy = np.array([z.incident_energy for z in zeros])
            top, bottom = axes[0, i], axes[1, i]
            top.errorbar(
                energy,
                [z.reference for z in zeros],
                [z.reference_error for z in zeros],
                fmt="s",
                markersize=6,
                color=GEANT4_LINE,
                markerfacecolor=GEANT4_FILL,
                label="Geant4",
            )
            top.errorbar(
                energy,
                [z.generated for z in zeros],
                [z.generated_error for z in zeros],
                fmt="o",
                markersize=3,
                color=GENERATED,
                label="generated",
            )
            bottom.axhspan(-0.02, 0.02, color=GEANT4_FILL, linewidth=0, label="target")
            bottom.axhline(0, color=GEANT4_LINE, linewidth=0.8)
            bottom.errorbar(
                energy,
                [z.difference for z in zeros],
                [z.difference_error for z in zeros],
                fmt="o",
                markersize=3,
                color=GENERATED,
            )
            top.set_title(f"layer {layer}", loc="left")
            top.set_xscale("log")
            bottom.set_xlabel(_E_INC)
            bottom.set_ylim(-0.06, 0.06)
        axes[0, 0].set_ylabel("fraction of showers\nwithout energy")
        axes[1, 0].set_ylabel("difference")
        axes[0, 0].set_ylim(-0.03, 1.03)
        axes[0, 0].legend(loc="upper right")
        axes[1, 0].legend(loc="lower right")
    return figure


def response_figure(evaluation: Evaluation) -> Figure:
    """Mean and relative width of E_tot/E_inc against energy, with generated over Geant4."""
    energy = np.array([r.incident_energy for r in evaluation.responses])
    with style():
        figure = new_figure(9.0, 4.2)
        axes = figure.subplots(2, 2, sharex=True, height_ratios=(2, 1))
        for column, (name, label, scale) in enumerate(
            (
                ("response", r"mean of $E_\mathrm{tot}/E_\mathrm{inc}$", 1.0),
                ("resolution", r"width / mean of $E_\mathrm{tot}/E_\mathrm{inc}$ [%]", 100.0),
            )
        ):
            ref, ref_error, gen, gen_error = (
                np.array([getattr(getattr(r, who), what) for r in evaluation.responses])
                for who in ("reference", "generated")
                for what in (name, f"{name}_error")
            )
            top, bottom = axes[0, column], axes[1, column]
            top.errorbar(
                energy,
                scale * ref,
                scale * ref_error,
                fmt="s",
                markersize=7,
                color=GEANT4_LINE,
                markerfacecolor=GEANT4_FILL,
                label="Geant4",
            )
            top.errorbar(
                energy,
                scale * gen,
                scale * gen_error,
                fmt="o",
                markersize=3.5,
                color=GENERATED,
                label="generated",
            )
            safe = np.where(ref > 0, ref, np.nan)
            band = ref_error / safe
            bottom.fill_between(
                energy,
                1 - band,
                1 + band,
                color=GEANT4_FILL,
                linewidth=0,
            )
            bottom.axhline(1, color=GEANT4_LINE, linewidth=0.8)
            bottom.errorbar(
                energy, gen / safe, gen_error / safe, fmt="o", markersize=3.5, color=GENERATED
            )
            top.set_ylabel(label)
            bottom.set_ylabel("generated /\nGeant4")
            bottom.set_xlabel(_E_INC)
            top.set_xscale("log")
        axes[0, 1].set_yscale("log")
        axes[0, 1].legend(loc="upper right")
    return figure


def separation_figure(evaluation: Evaluation) -> Figure:
    """Separation power in units of its floor for every feature and incident energy."""
    features = list(dict.fromkeys(s.feature for s in evaluation.separations))
    energies = evaluation.incident_energies
    ratio = np.array(
        [[s.ratio for s in evaluation.separations if s.feature == feature] for feature in features]
    )
    names = [name.replace("E_", "") for name in features]
    with style():
        figure = new_figure(9.0, 0.42 * len(features) + 1.4)
        axes = figure.subplots()
        image = axes.imshow(ratio, cmap="Blues", vmin=0, vmax=6, aspect="auto")
        axes.set_xticks(range(len(energies)), [f"{e:,.0f}" for e in energies])
        axes.set_yticks(
            range(len(names)), ["total" if name == "tot" else f"layer {name}" for name in names]
        )
        axes.set_xlabel(_E_INC)
        axes.set_ylabel("energy of")
        axes.spines[:].set_visible(False)
        for (i, j), value in np.ndenumerate(ratio):
            axes.text(
                j,
                i,
                f"{value:.1f}",
                ha="center",
                va="center",
                fontsize=9,
                color="white" if value > 3.6 else "black",
                fontweight="bold" if value > 3 else "normal",
            )
        figure.colorbar(image, label="separation /\nGeant4 against Geant4", extend="max")
    return figure
