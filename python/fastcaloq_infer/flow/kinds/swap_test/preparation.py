"""The learnt inverse of a measurement: a circuit that prepares the state that was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from fastcaloq_infer.flow.coupling import Subnet
from fastcaloq_infer.quantum.circuit import Circuit
from fastcaloq_infer.quantum.evolution import Evolution

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = ["InversePreparation", "overlap"]


class InversePreparation(nn.Module):
    """S(y)|0>, a state for every vector y of measured values (inverse state preparation).

    A circuit whose rotations a network sets from y and the context. It starts from RY(arccos y)
    on every qubit, which is right where nothing but preparation and measurement happens.

    Parameters
    ----------
    n_qubits, n_layers, context
        Size of the circuit, and how many numbers besides y the network sees.
    hidden
        Widths of the network's hidden layers.
    """

    def __init__(self, n_qubits: int, n_layers: int, context: int, hidden: Sequence[int]) -> None:
        super().__init__()
        circuit = Circuit(
            n_qubits=n_qubits, n_layers=n_layers, ansatz="rotation_ising", reuploading=True
        )
        self.evolution = Evolution(circuit, spread=0.1)
        self.network = Subnet(n_qubits + context, hidden, n_layers * n_qubits, "silu")

    def angles(self, values: Tensor, context: Tensor) -> Tensor:
        """Rotations (N, n_layers, n) in radians for values <Z> (N, n)."""
        seen = torch.cat([values, context], dim=1).to(self.evolution.weights.dtype)
        angles: Tensor = self.network(seen).to(torch.float64)
        angles = angles.reshape(-1, *self.evolution.angles_shape)
        return torch.cat([angles[:, :1] + torch.arccos(values)[:, None], angles[:, 1:]], dim=1)

    def forward(self, values: Tensor, context: Tensor) -> Tensor:
        """Prepare states (N, 2**n) for values (N, n), float64, and context (N, C)."""
        empty = torch.zeros(
            (len(values), 1, self.evolution.circuit.dimension),
            dtype=torch.complex128,
            device=values.device,
        )
        empty[:, 0, 0] = 1.0
        prepared: Tensor = self.evolution(empty, self.angles(values, context))
        return prepared[:, 0]


def overlap(first: Tensor, second: Tensor) -> Tensor:
    """Fidelity |<first|second>|^2 (N,) of pure states (N, D): what a SWAP test estimates.

    Its ancilla is found in 0 with probability (1 + fidelity) / 2 (Buhrman, Cleve, Watrous, de Wolf
    2001, Phys. Rev. Lett. 87, 167902).
    """
    product = (first.conj() * second).sum(dim=1)
    return product.real.square() + product.imag.square()
