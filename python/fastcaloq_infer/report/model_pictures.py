"""Pictures of the model itself: its training and the features of its conditioner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from fastcaloq_infer.report.style import GEANT4_LINE, GENERATED, SERIES, new_figure, style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray


@dataclass(frozen=True)
class LearningCurve:
    """Negative log likelihoods in nats per shower (density in MeV) against the epoch."""

    epoch: Sequence[float]
    train: Sequence[float]
    validation: Sequence[float]


@dataclass(frozen=True)
class ConditionerCurves:
    """The conditioner's features at one eta.

    Attributes
    ----------
    energy, features
        Shape (n,) MeV and (n, Q): the circuit itself.
    table_energy, table_features
        Shape (m,) MeV and (m, Q): the knots of the precomputed table, if there is one.
    kind
        Named in the legend.
    """

    energy: NDArray[np.float64]
    features: NDArray[np.float64]
    table_energy: NDArray[np.float64] | None = None
    table_features: NDArray[np.float64] | None = None
    kind: str = "circuit"


def learning_curve_figure(curve: LearningCurve) -> Figure:
    """Likelihood on training and validation showers against the epoch."""
    with style():
        figure = new_figure(7.0, 3.4)
        axes = figure.subplots()
        axes.plot(
            curve.epoch,
            curve.train,
            "--",
            color=GEANT4_LINE,
            linewidth=1.4,
            label="training showers, running weights",
        )
        axes.plot(
            curve.epoch,
            curve.validation,
            "-o",
            color=GENERATED,
            markersize=3,
            linewidth=1.6,
            label="validation showers, averaged weights",
        )
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylabel("negative log likelihood\n[nats per shower]")
        # The steep fall of the first epochs would flatten everything that follows.
        late = [
            value
            for epoch, *pair in zip(curve.epoch, curve.train, curve.validation, strict=True)
            for value in pair
            if epoch >= 0.1 * max(curve.epoch) and np.isfinite(value)
        ]
        if len(late) > 2 and max(late) > min(late):
            margin = 0.08 * (max(late) - min(late))
            axes.set_ylim(min(late) - margin, max(late) + margin)
        axes.grid(alpha=0.3, linewidth=0.5)
        axes.legend()
    return figure


def conditioner_figure(curves: ConditionerCurves) -> Figure:
    """Features of the conditioner against incident energy: curves, and the table's knots."""
    with style():
        figure = new_figure(7.0, 3.6)
        axes = figure.subplots()
        for k in range(curves.features.shape[1]):
            colour = SERIES[k % len(SERIES)]
            axes.plot(
                curves.energy,
                curves.features[:, k],
                color=colour,
                linewidth=1.4,
                linestyle="-" if k < len(SERIES) else "--",
                label=f"$q_{{{k + 1}}}$",
            )
            if curves.table_energy is not None and curves.table_features is not None:
                # Every knot would merge into a line: about thirty show where they lie.
                step = max(1, len(curves.table_energy) // 30)
                axes.plot(
                    curves.table_energy[::step],
                    curves.table_features[::step, k],
                    "o",
                    markersize=3.2,
                    color=colour,
                    markerfacecolor="white",
                )
        axes.set_xscale("log")
        axes.set_xlabel(r"$E_\mathrm{inc}$ [MeV]")
        axes.set_ylabel(f"feature of the {curves.kind}")
        axes.set_ylim(-1.08, 1.08)
        axes.grid(alpha=0.3, linewidth=0.5)
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure
