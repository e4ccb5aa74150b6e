"""`CircuitBank` on PennyLane: the reference of circuits that sit inside coupling blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from fastcaloq_infer.quantum.bank import initial_bank
from fastcaloq_infer.quantum.execution import Execution
from fastcaloq_infer.quantum.reference import qnode

if TYPE_CHECKING:
    from fastcaloq_infer.quantum.circuit import Circuit

__all__ = ["ReferenceBank"]


class ReferenceBank(nn.Module):
    """G QNodes as a layer with the parameters of `CircuitBank` (same state_dict).

    Input (B, n_inputs), output (B, G * n_features) in the input's dtype. ``execution`` is that of
    `qnode`.
    """

    def __init__(self, circuit: Circuit, count: int, execution: Execution | None = None) -> None:
        super().__init__()
        self.circuit = circuit
        self.count = count
        self.input_weights, self.weights = initial_bank(circuit, count)
        self._qnode = qnode(circuit, Execution() if execution is None else execution)

    def forward(self, c: Tensor) -> Tensor:
        """Evaluate the expectation values, shape (B, G * n_features)."""
        own = zip(self.input_weights.double(), self.weights.double(), strict=True)
        values = [value for weights in own for value in self._qnode(c.double(), *weights)]
        return torch.stack([value.reshape(len(c)) for value in values], dim=1).to(c.dtype)
