"""The quantum network of a coupling block, and blocks that contract all their circuits together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from fastcaloq_infer.flow.coupling import CouplingNetwork
from fastcaloq_infer.flow.transform import Composition
from fastcaloq_infer.quantum.bank import CircuitBank, contracted_together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastcaloq_infer.flow.coupling import CouplingBlock
    from fastcaloq_infer.quantum.circuit import Circuit

__all__ = ["QuantumBlocks", "QuantumSubnet"]


class QuantumSubnet(CouplingNetwork):
    """Circuits that see the passive coordinates and the context, and a linear read-out of each.

    With u = (tanh(a / coordinate_scale), context) circuit g gives Q expectation values f_g(u) and
    the g-th group of outputs is W_g f_g + b_g, where W_g and b_g start at zero.

    Parameters
    ----------
    circuit
        Description of every circuit; its inputs are the ``passive`` coordinates and the context.
    passive
        Number of leading columns of the input that are coordinates.
    outputs
        Numbers of outputs of circuit 0, 1, ..., which come one after the other.
    coordinate_scale
        Where the bounded map bends.
    """

    def __init__(
        self, circuit: Circuit, passive: int, outputs: Sequence[int], coordinate_scale: float
    ) -> None:
        super().__init__()
        self.passive = passive
        self.coordinate_scale = coordinate_scale
        self.circuits = CircuitBank(circuit, len(outputs))
        self.readouts = nn.ModuleList(nn.Linear(circuit.n_features, size) for size in outputs)
        for parameter in self.readouts.parameters():
            nn.init.zeros_(parameter)

    def forward(self, rows: Tensor) -> Tensor:
        """Map coordinates and context (N, passive + context) to (N, sum of ``outputs``)."""
        bounded = torch.tanh(rows[:, : self.passive] / self.coordinate_scale)
        features = self.circuits(torch.cat([bounded, rows[:, self.passive :]], dim=1))
        parts = torch.split(features.T, self.circuits.circuit.n_features)
        outputs = [
            torch.addmm(readout.bias[:, None], readout.weight, part)
            for readout, part in zip(self._linears, parts, strict=True)
        ]
        # Outputs lie side by side for all rows, as the circuits' features do.
        return torch.cat(outputs).T

    @property
    def _linears(self) -> list[nn.Linear]:
        return cast("list[nn.Linear]", list(self.readouts))

    @torch.no_grad()
    def joint_readout(self) -> tuple[Tensor, Tensor]:
        """Weight (G * Q, outputs) and bias (outputs,) that act on the features of all circuits."""
        blocks = [linear.weight.T for linear in self._linears]
        weight: Tensor = torch.block_diag(*blocks)  # type: ignore[no-untyped-call]
        return weight, torch.cat([linear.bias for linear in self._linears])

    @property
    def roundings(self) -> float:
        """Those of the phases, of one product per upload, of the expectation values, the read-out.

        A phase phi is off by phi roundings and more; the read-out's weights multiply what the
        features are off by.
        """
        circuit = self.circuits.circuit
        largest_angles = self.circuits.input_weights.detach().abs().sum(dim=-1)
        phases = 0.5 * largest_angles.sum(dim=-1).max(dim=0).values.sum()
        product = 0.5 * math.sqrt(2 * circuit.dimension)
        features = float(phases) + product * (circuit.n_uploads + 1)
        gain = max(float(linear.weight.detach().norm(dim=1).max()) for linear in self._linears)
        return features * max(1.0, gain) + 0.5 * math.sqrt(circuit.n_features)


class QuantumBlocks(Composition):
    """Coupling blocks whose subnets are circuits: the layers of all are contracted at once."""

    def forward(self, x: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Apply every block in order."""
        with contracted_together(self._banks(), len(x), x.dtype):
            return super().forward(x, context)

    def inverse(self, z: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Undo every block, the last one first."""
        with contracted_together(self._banks(), len(z), z.dtype):
            return super().inverse(z, context)

    def _banks(self) -> list[CircuitBank]:
        blocks = cast("list[CouplingBlock]", list(self.transforms))
        banks = [cast("QuantumSubnet", block.coupling.subnet).circuits for block in blocks]
        return [bank for bank in banks if isinstance(bank, CircuitBank)]
