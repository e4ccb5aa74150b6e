"""Figures against incident energy: response, resolution, empty layers, chi squares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter

from fastcaloq_infer.evaluation.targets import SHARE_TARGET
from fastcaloq_infer.report.lineup import second
from fastcaloq_infer.report.style import E_INC, GEANT4_FILL, GEANT4_LINE, new_figure, style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.results import LayerShare
    from fastcaloq_infer.report.lineup import Model

_APART = 1.09  # ratio of energies at which neighbouring models' points are drawn
_COLUMNS = 5


def response_figure(models: Sequence[Model]) -> Figure:
    """Mean and relative width of E_tot/E_inc against energy, with ratios to the reference."""
    responses = models[0].evaluation.responses
    energy = np.array([r.incident_energy for r in responses])
    with style():
        figure = new_figure(9.0, 4.4)
        axes = figure.subplots(2, 2, sharex=True, height_ratios=(2, 1.2))
        for column, (name, label, scale) in enumerate(
            (
                ("response", r"mean of $E_\mathrm{tot}/E_\mathrm{inc}$", 1.0),
                ("resolution", r"width / mean of $E_\mathrm{tot}/E_\mathrm{inc}$ [%]", 100.0),
            )
        ):
            top, bottom = axes[:, column]
            ref, ref_error, floor, _ = (
                np.array([getattr(getattr(r, who), what) for r in responses])
                for who in ("reference", "floor")
                for what in (name, f"{name}_error")
            )
            _squares(top, energy, scale * ref, scale * ref_error, models[0].simulation)
            safe = np.where(ref > 0, ref, np.nan)
            band = ref_error / safe
            bottom.fill_between(energy, 1 - band, 1 + band, color=GEANT4_FILL, linewidth=0)
            bottom.axhline(1, color=GEANT4_LINE, linewidth=0.8)
            _floor_line(bottom, energy, floor / safe, models)
            for i, model in enumerate(models):
                moments = [r.generated for r in model.evaluation.responses]
                gen = np.array([getattr(m, name) for m in moments])
                error = np.array([getattr(m, f"{name}_error") for m in moments])
                _points(top, energy, scale * gen, scale * error, models, i)
                _points(bottom, energy, gen / safe, error / safe, models, i, named=False)
            top.set_ylabel(label)
            bottom.set_ylabel(f"ratio to\n{models[0].simulation}")
            _energy_axis(bottom)
        axes[0, 1].set_yscale("log")
        axes[0, 1].legend(loc="upper right")
        axes[1, 1].legend(loc="best", fontsize=7.5)
    return figure


def zero_fraction_figure(models: Sequence[Model]) -> Figure:
    """Fraction of showers that leave a layer empty, against energy, with the differences."""
    shares = [model.evaluation.zero_fractions for model in models]
    return _shares_figure(models, shares, "fraction of showers\nwithout energy")


def occupancy_figure(models: Sequence[Model]) -> Figure:
    """Fraction of a layer's voxels that hold energy, against energy, with the differences."""
    shares = [model.evaluation.occupancies for model in models]
    return _shares_figure(models, shares, "fraction of voxels\nwith energy")


def _shares_figure(
    models: Sequence[Model], shares: Sequence[Sequence[LayerShare]], label: str
) -> Figure:
    """Draw a share of every layer against energy; ``shares`` are those of each model."""
    layers = models[0].evaluation.layer_ids
    columns = min(len(layers), _COLUMNS)
    rows = -(-len(layers) // columns)
    with style():
        figure = new_figure(2.5 * columns + 0.6, 4.2 * rows)
        axes = figure.subplots(
            2 * rows, columns, sharex=True, sharey="row", height_ratios=(2, 1) * rows, squeeze=False
        )
        for i, layer in enumerate(layers):
            row, column = divmod(i, columns)
            top, bottom = axes[2 * row : 2 * row + 2, column]
            _share_of_layer(
                top, bottom, models, [[s for s in each if s.layer == layer] for each in shares]
            )
            top.set_title(f"layer {layer}", loc="left")
            _energy_axis(bottom)
            if column == 0:
                top.set_ylabel(label)
                bottom.set_ylabel("difference")
                top.set_ylim(-0.03, 1.03)
                bottom.set_ylim(-3 * SHARE_TARGET, 3 * SHARE_TARGET)
        for unused in range(len(layers), rows * columns):
            row, column = divmod(unused, columns)
            for place in axes[2 * row : 2 * row + 2, column]:
                place.set_axis_off()
        handles, labels = axes[0, 0].get_legend_handles_labels()
        more, names = axes[1, 0].get_legend_handles_labels()
        figure.legend(handles + more, labels + names, loc="outside upper center", ncols=5)
    return figure


def _share_of_layer(
    top: Axes, bottom: Axes, models: Sequence[Model], shares: Sequence[Sequence[LayerShare]]
) -> None:
    bottom.axhspan(-SHARE_TARGET, SHARE_TARGET, color=GEANT4_FILL, linewidth=0, label="target")
    bottom.axhline(0, color=GEANT4_LINE, linewidth=0.8)
    for i, own in enumerate(shares):
        energy = np.array([s.incident_energy for s in own])
        reference = np.array([s.reference for s in own])
        if i == 0:
            errors = np.array([s.reference_error for s in own])
            _squares(top, energy, reference, errors, models[0].simulation)
            _floor_line(bottom, energy, np.array([s.floor for s in own]) - reference, models)
        for axes, value, error in (
            (top, "generated", "generated_error"),
            (bottom, "difference", "difference_error"),
        ):
            values, errors = (np.array([getattr(s, what) for s in own]) for what in (value, error))
            _points(axes, energy, values, errors, models, i, named=axes is top)


def chi_square_figure(models: Sequence[Model]) -> Figure:
    """Return chi2/ndf of E_tot at every incident energy; 1 is expected of a perfect generator."""
    with style():
        figure = new_figure(7.0, 3.4)
        axes = figure.subplots()
        floor = models[0].evaluation.chi_squares
        energy = np.array([c.incident_energy for c in floor])
        low, high = (
            np.array([1 + s * (2 / max(c.floor_ndf, 1)) ** 0.5 for c in floor]) for s in (-1, 1)
        )
        axes.fill_between(
            energy, low, high, color=GEANT4_FILL, linewidth=0, label="expected, one sigma"
        )
        axes.axhline(1, color=GEANT4_LINE, linewidth=0.8)
        _squares(axes, energy, np.array([c.floor for c in floor]), None, second(models))
        for i, model in enumerate(models):
            chis = model.evaluation.chi_squares
            values, errors = np.array([c.value for c in chis]), np.array([c.error for c in chis])
            _points(axes, np.array([c.incident_energy for c in chis]), values, errors, models, i)
        axes.set_ylabel(r"$\chi^2$ / ndf of $E_\mathrm{tot}$")
        axes.set_ylim(bottom=0)
        largest = max(c.value for m in models for c in m.evaluation.chi_squares)
        if largest > 12:  # of a bad model: the others would lie on the axis
            axes.set_yscale("log")
            axes.set_ylim(bottom=0.3)
        _energy_axis(axes)
        axes.legend()
    return figure


def _squares(
    axes: Axes,
    energy: NDArray[np.float64],
    value: NDArray[np.float64],
    error: NDArray[np.float64] | None,
    label: str,
) -> None:
    axes.errorbar(
        energy,
        value,
        error,
        fmt="s",
        markersize=6.5,
        color=GEANT4_LINE,
        markerfacecolor=GEANT4_FILL,
        label=label,
    )


def _points(
    axes: Axes,
    energy: NDArray[np.float64],
    value: NDArray[np.float64],
    error: NDArray[np.float64],
    models: Sequence[Model],
    i: int,
    *,
    named: bool = True,
) -> None:
    """Draw one model's points, beside those of the others."""
    model = models[i]
    axes.errorbar(
        energy * _APART ** (i - (len(models) - 1) / 2),
        value,
        error,
        fmt=model.marker,
        markersize=3.2,
        linewidth=1.0,
        color=model.colour,
        label=model.label if named else None,
    )


def _floor_line(
    axes: Axes, energy: NDArray[np.float64], value: NDArray[np.float64], models: Sequence[Model]
) -> None:
    axes.plot(energy, value, "--", color=GEANT4_LINE, linewidth=0.8, label=second(models))


def _energy_axis(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(numticks=6))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(E_INC)
