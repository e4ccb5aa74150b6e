"""One picture of what whole states cost: time, memory, shots against qubits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastcaloq_infer.files import atomic_path
from fastcaloq_infer.report.style import GEANT4_LINE, MARKERS, SERIES, new_figure, picture, style
from fastcaloq_infer.study.states.tomography import fewest_shots

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

__all__ = ["draw"]

_INFIDELITIES = (1e-2, 1e-6)
_FLOAT64 = 1e-24  # infidelity of amplitudes known to 1e-12, the round trip of the simulation


def draw(results: dict[str, Any], path: Path) -> None:
    """Draw ``results`` as the program writes them.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    rows = results["simulation"]
    qubits = np.array([row["n_qubits"] for row in rows])
    with style():
        figure = new_figure(6.4, 8.4)
        time, memory, shots = figure.subplots(3, 1, sharex=True)
        _series(time, qubits, [1e6 * row["seconds"] for row in rows], 0, "measured, one core")
        time.set_ylabel("time per shower\nand direction [µs]")
        _series(memory, qubits, [row["state_bytes"] for row in rows], 0, "state")
        _series(memory, qubits, [row["step_bytes"] for row in rows], 1, "kept for a gradient")
        memory.set_ylabel("memory per shower\nand block [bytes]")
        for index, infidelity in enumerate((*_INFIDELITIES, _FLOAT64)):
            shots.plot(
                qubits,
                [fewest_shots(n, infidelity) for n in qubits],
                color=SERIES[index],
                linestyle=("-", "--", ":")[index],
                label=f"fewest, infidelity {_power(infidelity)}",
            )
        simulated = results["tomography"]
        shots.plot(
            [row["n_qubits"] for row in simulated],
            # Infidelity falls as 1 / shots: the number at which it would be the first one.
            [row["shots"] * row["infidelity"] / _INFIDELITIES[0] for row in simulated],
            "D",
            color=GEANT4_LINE,
            label=f"random bases, simulated, {_power(_INFIDELITIES[0])}",
        )
        shots.set_ylabel("shots per shower,\nblock and direction")
        shots.set_xlabel("qubits")
        shots.set_xticks(qubits)
        for axes in (time, memory, shots):
            axes.set_yscale("log")
            axes.grid(alpha=0.3)
        for axes in (time, memory):
            axes.legend(loc="upper left")
        shots.legend(loc="upper left", bbox_to_anchor=(0.0, 0.82))  # between the lines
        content = picture(figure, "palette")
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def _series(axes: Axes, x: Any, y: list[float], index: int, label: str) -> None:
    axes.plot(x, y, marker=MARKERS[index], color=SERIES[index], label=label)


def _power(value: float) -> str:
    return f"$10^{{{round(np.log10(value))}}}$"
