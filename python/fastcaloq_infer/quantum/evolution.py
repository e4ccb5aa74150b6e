"""A circuit that acts on states that are given, and its adjoint, which undoes it.

`ContractedCircuit` starts every sample from |0...0> and measures; here states come in and states
go out, so that nothing is lost. The same compiled program is behind both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from fastcaloq_infer.quantum.fused import FusedProgram
from fastcaloq_infer.quantum.initial import initial_weights

if TYPE_CHECKING:
    from fastcaloq_infer.quantum.circuit import Circuit

__all__ = ["Evolution"]

#: Beyond, one matrix per upload (16 bytes * 4**n) is larger than it is worth.
_LARGEST_CONTRACTED = 256


class Evolution(nn.Module):
    """The unitary U(angles, weights) of a circuit on complex128 states (B, K, 2**n_qubits).

    Parameters
    ----------
    circuit
        Layers, encoding and re-uploading; its observables and inputs do not matter here.
    spread
        Starting weights are uniform in +-0.3 pi times this.

    Attributes
    ----------
    weights
        Angles of the layers in radians, (n_layers, angles), trained.
    """

    def __init__(self, circuit: Circuit, spread: float = 1.0) -> None:
        super().__init__()
        self.circuit = circuit
        self.weights = nn.Parameter(spread * initial_weights(circuit))
        self._fused = FusedProgram(circuit)

    @property
    def angles_shape(self) -> tuple[int, int]:
        """Encoding angles of a sample: (n_uploads, n_qubits)."""
        return (self.circuit.n_uploads, self.circuit.n_qubits)

    def forward(self, states: Tensor, angles: Tensor | None = None) -> Tensor:
        """Act with U on K states per sample.

        Parameters
        ----------
        states
            Amplitudes (B, K, 2**n_qubits), complex128, qubit 0 the most significant bit.
        angles
            Encoding angles (B, n_uploads, n_qubits) in radians, float64; None: all 0.
        """
        if self._contracts(states):
            return self._with_matrices(states, angles, adjoint=False)
        batch, count, dimension = states.shape
        fused, groups = self._fused, self._fused.groups(self.weights)
        columns = fused.enter(states.reshape(-1, dimension).T)
        for upload in range(self.circuit.n_uploads):
            columns = self._turn(columns, angles, upload, count, adjoint=False)
            columns = fused.run(upload, self.weights, groups, columns)
        if fused.program.final is not None:
            columns = fused.shuffle("final", fused.program.final, columns)
        return columns.T.reshape(batch, count, dimension)

    def adjoint(self, states: Tensor, angles: Tensor | None = None) -> Tensor:
        """Act with the adjoint of U: ``adjoint(forward(states, angles), angles)`` is ``states``."""
        if self._contracts(states):
            return self._with_matrices(states, angles, adjoint=True)
        batch, count, dimension = states.shape
        fused, groups = self._fused, self._fused.groups(self.weights)
        columns = states.reshape(-1, dimension).T
        if fused.program.final is not None:
            columns = fused.unshuffle("final", fused.program.final, columns)
        for upload in reversed(range(self.circuit.n_uploads)):
            columns = fused.undo(upload, self.weights, groups, columns)
            columns = self._turn(columns, angles, upload, count, adjoint=True)
        return fused.enter(columns, adjoint=True).T.reshape(batch, count, dimension)

    def _contracts(self, states: Tensor) -> bool:
        """Whether one matrix per upload is cheaper than its gates on every state."""
        dimension = self.circuit.dimension
        return dimension <= _LARGEST_CONTRACTED and states.shape[0] * states.shape[1] > dimension

    def _with_matrices(self, states: Tensor, angles: Tensor | None, *, adjoint: bool) -> Tensor:
        matrices = self._matrices(states.device, merged=angles is None)
        rows = states
        if angles is None:
            return rows @ (matrices[0].conj() if adjoint else matrices[0].T)
        if not adjoint:
            rows = rows @ matrices[0].T
            for upload, matrix in enumerate(matrices[1:]):
                rows = (rows * self._phases(angles, upload)[:, None]) @ matrix.T
            return rows
        for upload in reversed(range(self.circuit.n_uploads)):
            phases = self._phases(angles, upload).conj()
            rows = (rows @ matrices[upload + 1].conj()) * phases[:, None]
        return rows @ matrices[0].conj()

    def _matrices(self, device: torch.device, *, merged: bool) -> list[Tensor]:
        """Return the entrance and the layers after every upload; ``merged``: their product."""
        fused, groups = self._fused, self._fused.groups(self.weights)
        identity = torch.eye(self.circuit.dimension, dtype=torch.complex128, device=device)
        matrices = [fused.enter(identity)]
        for upload in range(self.circuit.n_uploads):
            start = matrices.pop() if merged else None
            matrices.append(fused.run(upload, self.weights, groups, start))
        if fused.program.final is not None:
            matrices[-1] = fused.shuffle("final", fused.program.final, matrices[-1])
        return matrices

    def _turn(
        self, columns: Tensor, angles: Tensor | None, upload: int, count: int, *, adjoint: bool
    ) -> Tensor:
        """Multiply columns (D, B * count) by the phases of an upload."""
        if angles is None:
            return columns
        phases = self._phases(angles, upload)
        phases = (phases.conj() if adjoint else phases).T
        return columns * phases.repeat_interleave(count, dim=1)

    def _phases(self, angles: Tensor, upload: int) -> Tensor:
        """Diagonal (B, D) of the encoding in its own basis."""
        program = self._fused.program
        turned = angles[:, upload]
        pairs = program.factors[self.circuit.n_qubits :]
        if pairs:
            left, right = ([pair[k] for pair in pairs] for k in (0, 1))
            turned = torch.cat([turned, turned[:, left] * turned[:, right]], dim=1)
        pattern = self._fused.constant(
            "pattern", lambda: program.pattern, torch.float64, angles.device
        )
        phi = turned @ pattern
        return torch.complex(torch.cos(phi), -torch.sin(phi))
