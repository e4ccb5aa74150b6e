"""How fast the contracted circuit is, as ratios to PennyLane within one run.

Both run forward and backward (gradients of all weights) on the same 1024 distinct conditions, in
turn, so that whatever else the machine does weighs on both; medians are compared.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

#: (name, layers, re-uploading)
_CASES = (
    ("6 qubits, 2 layers", 2, False),
    ("6 qubits, 6 layers", 6, False),
    ("6 qubits, 6 layers, re-uploading", 6, True),
)


def _milliseconds(call: Callable[[], None]) -> float:
    start = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - start)


def _step(module: torch.nn.Module, conditions: torch.Tensor) -> Callable[[], None]:
    def step() -> None:
        module.zero_grad()
        module(conditions).sum().backward()

    return step


def conditioner_figures(
    batch: int = 1024, rounds: int = 7, dtype: str = "float32"
) -> dict[str, dict[str, float]]:
    """Time forward and backward of one training step's features.

    Parameters
    ----------
    batch
        Conditions per step.
    rounds
        Reference steps measured per case; ten contracted steps go with each.
    dtype
        "float32" (training) or "float64", of parameters and conditions.

    Returns
    -------
    dict
        Per case the medians in ms ``contracted_ms``, ``reference_ms`` (default.qubit, backprop),
        their ratio ``speedup`` and ``grid_ms``: the contracted layer on nine distinct energies.
    """
    import torch

    from fastcaloq_infer.quantum import Circuit, ContractedCircuit, Execution, ReferenceCircuit

    precision: torch.dtype = getattr(torch, dtype)
    generator = torch.Generator().manual_seed(1)
    spread = (2.0 * torch.rand(batch, 2, generator=generator) - 1.0).to(precision)
    grid = torch.zeros_like(spread)
    grid[:, 0] = torch.linspace(-1, 1, 9)[torch.randint(9, (batch,), generator=generator)]
    figures = {}
    for name, layers, reuploading in _CASES:
        circuit = Circuit(n_qubits=6, n_layers=layers, reuploading=reuploading)
        layer = ContractedCircuit(circuit).to(precision)
        reference = ReferenceCircuit(circuit, Execution(diff_method="backprop")).to(precision)
        steps = [_step(layer, spread), _step(reference, spread), _step(layer, grid)]
        for step in steps:
            step()  # the first call builds constants and PennyLane's caches
        times: list[list[float]] = [[], [], []]
        for _ in range(rounds):
            for series, step, repeats in zip(times, steps, (10, 1, 10), strict=True):
                series.extend(_milliseconds(step) for _ in range(repeats))
        contracted, slow, on_grid = (statistics.median(series) for series in times)
        figures[name] = {
            "contracted_ms": contracted,
            "reference_ms": slow,
            "speedup": slow / contracted,
            "grid_ms": on_grid,
        }
    return figures
