"""Two panels: where the likelihood of a measured circuit goes, and what is left of its input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastcaloq_infer.files import atomic_path
from fastcaloq_infer.report.style import (
    E_INC,
    GEANT4_FILL,
    GEANT4_LINE,
    MARKERS,
    SERIES,
    new_figure,
    picture,
    style,
)

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["draw"]


def draw(results: dict[str, Any], path: Path) -> None:
    """Draw what the program found.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    names = list(dict.fromkeys(run["variant"] for run in results["runs"]))
    with style():
        figure = new_figure(7.4, 3.2 + 0.42 * len(names))
        losses, kept = figure.subplots(2, 1, height_ratios=(0.42 * len(names), 2.6))
        _losses(losses, results, names)
        _kept(kept, results, names)
    with atomic_path(path) as temporary:
        temporary.write_bytes(picture(figure, "palette"))


def _runs(results: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [run for run in results["runs"] if run["variant"] == name]


def _below(runs: list[dict[str, Any]], what: str) -> NDArray[np.float64]:
    """Nats per shower below the flow, one per seed."""
    return np.array([run["likelihood"]["flow"] - run["likelihood"][what] for run in runs])


def _losses(axes: Axes, results: dict[str, Any], names: list[str]) -> None:
    for row, name in enumerate(names):
        runs = _runs(results, name)
        bins, total = _below(runs, "binned_flow"), _below(runs, "circuit")
        histogram = _below(runs, "histogram")
        first = row == 0
        axes.barh(row, bins.mean(), color=GEANT4_FILL, label="bins" if first else None)
        axes.barh(
            row,
            total.mean() - bins.mean(),
            left=bins.mean(),
            xerr=total.std(ddof=1) if len(total) > 1 else None,
            color=SERIES[0],
            ecolor="black",
            capsize=3,
            label="circuit" if first else None,
        )
        axes.plot(
            [histogram.mean()],
            [row],
            "D",
            color=SERIES[1],
            label="histogram of the training" if first else None,
        )
    axes.set_yticks(range(len(names)), [results["labels"][name] for name in names])
    axes.invert_yaxis()
    axes.set_xlabel("nats per held-out shower below the flow")
    axes.legend(loc="upper right")


def _kept(axes: Axes, results: dict[str, Any], names: list[str]) -> None:
    """I(z; x) against the incident energy, one line per size of the register and basis."""
    sizes = sorted({run["n_qubits"] for run in results["runs"]})
    shown = [next(n for n in names if _runs(results, n)[0]["n_qubits"] == size) for size in sizes]
    for index, name in enumerate(shown):
        runs = _runs(results, name)
        energy = [point["incident_energy"] for point in runs[0]["reversal"]]
        values = np.array([[point["kept"] for point in run["reversal"]] for run in runs])
        colour, qubits = SERIES[index], runs[0]["n_qubits"]
        axes.errorbar(
            energy,
            values.mean(axis=0),
            yerr=values.std(axis=0, ddof=1) if len(values) > 1 else None,
            color=colour,
            marker=MARKERS[index],
            capsize=3,
            linestyle="none",
            label=f"measured once, {qubits} qubits",
        )
        axes.axhline(runs[0]["ln_dimension"], color=colour, linestyle="--")
        axes.text(
            energy[-1],
            runs[0]["ln_dimension"] * (1.06 if index else 0.94),
            f"a bijection: {qubits} ln 2",
            color=colour,
            ha="right",
            va="bottom" if index else "top",
            fontsize=9,
        )
    haar = _runs(results, shown[0])[0]["haar_kept"]
    axes.axhline(haar, color=GEANT4_LINE, linestyle=":", label="random unitary, 1 - γ")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(0.2, 20.0)
    axes.set_xlabel(E_INC)
    axes.set_ylabel("I(z; x) kept [nats]")
    axes.legend(loc="center right")
