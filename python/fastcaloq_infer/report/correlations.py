"""Correlations between the layers: matrices of Geant4, and what the models make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.report.style import energy_label, new_figure, style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.results import Matrix
    from fastcaloq_infer.report.lineup import Model

_SPAN = 0.2  # of the differences' colours
_WRITTEN = 8  # largest matrix with numbers in it


def correlation_figure(models: Sequence[Model], shown: Sequence[int] | None = None) -> Figure:
    """Correlation matrices at some energies: the reference's and the models' differences from it.

    A single model's own matrix stands between the two.
    """
    evaluation = models[0].evaluation
    count = len(evaluation.correlations)
    shown = sorted({count // 4, count // 2, count - 1}) if shown is None else shown
    alone = len(models) == 1
    n_columns = 3 if alone else 1 + len(models)
    with style():
        figure = new_figure(3.0 * n_columns, 3.0 * len(shown) + 0.6)
        axes = figure.subplots(len(shown), n_columns, squeeze=False)
        for row, index in zip(axes, shown, strict=True):
            found = evaluation.correlations[index]
            reference = _array(found.reference)
            image = _matrix(row[0], reference, evaluation.layer_ids, "RdBu_r", 1.0)
            row[0].set_title(
                rf"{models[0].simulation}, $E_\mathrm{{inc}}$ = "
                f"{energy_label(found.incident_energy)}",
                loc="left",
            )
            row[0].set_ylabel("layer")
            if alone:
                own = _array(found.generated)
                _matrix(row[1], own, evaluation.layer_ids, "RdBu_r", 1.0)
                row[1].set_title(models[0].label, loc="left")
            for cell, model in zip(row[2 if alone else 1 :], models, strict=True):
                own = _array(model.evaluation.correlations[index].generated)
                last = _matrix(cell, own - reference, evaluation.layer_ids, "PuOr_r", _SPAN)
                cell.set_title(f"{model.label} - {model.simulation}", loc="left")
        # One colour scale per meaning: correlations share -1 to 1, differences have their own.
        first_difference = 2 if alone else 1
        for which, columns, label, extend in (
            (image, axes[:, :first_difference], "Pearson correlation", "neither"),
            (last, axes[:, first_difference:], f"generated - {models[0].simulation}", "both"),
        ):
            figure.colorbar(
                which, ax=columns, label=label, extend=extend, location="bottom", aspect=30
            )
    return figure


def _matrix(
    axes: Axes, values: NDArray[np.float64], layer_ids: tuple[int, ...], cmap: str, span: float
) -> AxesImage:
    axes.set_facecolor("#eeeeee")
    image = axes.imshow(values, cmap=cmap, vmin=-span, vmax=span)
    step = -(-len(layer_ids) // (2 * _WRITTEN))
    ticks = range(0, len(layer_ids), step)
    axes.set_xticks(ticks, [str(layer_ids[i]) for i in ticks])
    axes.set_yticks(ticks, [str(layer_ids[i]) for i in ticks])
    axes.set_xlabel("layer")
    axes.spines[:].set_visible(False)
    for (i, j), value in np.ndenumerate(values if len(values) <= _WRITTEN else np.empty((0, 0))):
        dark = np.isfinite(value) and abs(value) > 0.62 * span
        # Adding 0 turns a rounded -0.00 into 0.00.
        text = f"{round(float(value), 2) + 0.0:.2f}" if np.isfinite(value) else "-"
        colour = "white" if dark else "black"
        axes.text(j, i, text, ha="center", va="center", fontsize=7.5, color=colour)
    return image


def _array(matrix: Matrix) -> NDArray[np.float64]:
    return np.array([[np.nan if v is None else v for v in row] for row in matrix])
