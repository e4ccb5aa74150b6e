"""What a batch of samples goes through, for one circuit or several of one description at once.

Axes in front of the weights' own hold the circuits; features are (..., B, Q). The layers come
multiplied out, one matrix per upload (`BatchEvaluation.contract`); gate by gate costs less where
there are fewer samples than basis states.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from fastcaloq_infer.quantum.fused import FusedProgram
from fastcaloq_infer.quantum.gates import parity_signs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.quantum.circuit import Circuit


class _Born(torch.autograd.Function):
    """(rows * rows) @ readout; the gradient in one pass over the rows, where autograd makes three.

    Rows (..., 2D) real, readout (2D, Q); every pass over a batch of 1024 costs about 0.1 ms.
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor, readout: Tensor) -> Tensor:
        ctx.save_for_backward(rows, readout)
        return (rows * rows) @ readout

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        rows, readout = ctx.saved_tensors
        return (grads[0] @ (2.0 * readout.T)).mul_(rows), None


class _Waves(torch.autograd.Function):
    """(cos(phi), sin(phi)) side by side, (..., H) to (..., 2H); the gradient needs no new sines."""

    @staticmethod
    def forward(ctx: Any, phi: Tensor) -> Tensor:
        half = phi.shape[-1]
        waves = phi.new_empty((*phi.shape[:-1], 2 * half))
        torch.cos(phi, out=waves[..., :half])
        torch.sin(phi, out=waves[..., half:])
        ctx.save_for_backward(waves)
        return waves

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (waves,) = ctx.saved_tensors
        cos, sin = waves.chunk(2, dim=-1)
        by_cos, by_sin = grads[0].chunk(2, dim=-1)
        by_phi: Tensor = (by_sin * cos).addcmul_(by_cos, sin, value=-1.0)
        return by_phi


class BatchEvaluation:
    """Evaluates circuits of one description; holds constants, the caller the weights.

    Input weights are (..., n_uploads, n_qubits, n_inputs), weights (..., n_layers, angles).
    """

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit
        self.fused = FusedProgram(circuit)
        self._odd_phases = not circuit.input_encoding.pairs

    def contract(self, weights: Tensor, dtype: torch.dtype) -> list[Tensor]:
        """Multiply the layers out in float64; the result has the precision of ``dtype``.

        The first upload's matrix (..., K, 2D) is real and acts on rows (cos phi, sin phi); those of
        later uploads (..., D, D) are complex and act on rows of states.
        """
        fused = self.fused
        groups = fused.groups(weights)
        start = fused.constant(
            "start",
            lambda: _wave_columns(fused.program.initial, self._odd_phases),
            torch.complex128,
            weights.device,
        )
        columns = fused.run(0, weights, groups, start)
        if not self._odd_phases:
            columns = torch.cat([columns, -1j * columns], dim=-1)
        first = torch.view_as_real(columns.mT.contiguous()).flatten(-2).to(dtype)
        later = [
            fused.run(upload, weights, groups, None).mT.to(dtype.to_complex())
            for upload in range(1, self.circuit.n_uploads)
        ]
        return [first, *later]

    def features(self, c: Tensor, input_weights: Tensor, matrices: list[Tensor]) -> Tensor:
        """Features (..., B, Q) of inputs (B, n_inputs), in the inputs' dtype."""
        first, *later = matrices
        phi = self._phases(c, input_weights[..., 0, :, :], first.shape[-2] // 2)
        waves: Tensor = _Waves.apply(phi)  # type: ignore[no-untyped-call]
        rows = waves @ first
        for upload, matrix in enumerate(later, start=1):
            phi = self._phases(c, input_weights[..., upload, :, :], self.circuit.dimension)
            states = torch.view_as_complex(rows.reshape(*rows.shape[:-1], -1, 2))
            states = states * torch.complex(torch.cos(phi), -torch.sin(phi))
            rows = torch.view_as_real(states @ matrix).flatten(-2)
        return self._measure(rows)

    def gate_by_gate(self, c: Tensor, input_weights: Tensor, weights: Tensor) -> Tensor:
        """Act with the fused gates on the states of the batch, complex128; as `features`."""
        fused = self.fused
        groups = fused.groups(weights)
        initial = fused.constant(
            "initial", lambda: fused.program.initial, torch.complex128, c.device
        )
        state = initial[:, None]
        inputs = c.to(torch.float64)
        for upload in range(self.circuit.n_uploads):
            phi = self._phases(inputs, input_weights[..., upload, :, :], self.circuit.dimension).mT
            state = state * torch.complex(torch.cos(phi), -torch.sin(phi))
            state = fused.run(upload, weights, groups, state)
        rows = torch.view_as_real(state.mT.contiguous()).flatten(-2)
        return self._measure(rows).to(c.dtype)

    def _phases(self, c: Tensor, input_weights: Tensor, columns: int) -> Tensor:
        """Phases (..., B, columns) of the first ``columns`` basis states."""
        program = self.fused.program
        pattern = self.fused.constant(
            f"pattern{columns}", lambda: program.pattern[:, :columns], c.dtype, c.device
        )
        weights = input_weights.to(c.dtype)
        pairs = program.factors[self.circuit.n_qubits :]
        if not pairs:
            return c @ (weights.mT @ pattern)
        angles = c @ weights.mT
        left, right = ([pair[k] for pair in pairs] for k in (0, 1))
        angles = torch.cat([angles, angles[..., left] * angles[..., right]], dim=-1)
        return angles @ pattern

    def _measure(self, rows: Tensor) -> Tensor:
        """Take the expectation values (..., B, Q) of states (..., B, 2D)."""
        readout = self.fused.constant("readout", self._signs, rows.dtype, rows.device)
        features: Tensor = _Born.apply(rows, readout)  # type: ignore[no-untyped-call]
        return features

    def _signs(self) -> NDArray[np.float64]:
        """Eigenvalue for every (basis state, re or im) and feature; undoes the final shuffle."""
        signs = parity_signs(self.circuit.n_qubits, self.circuit.readout)
        final = self.fused.program.final
        if final is not None:
            signs = signs[:, np.argsort(final.source)]
        return np.repeat(signs.T, 2, axis=0)

    @torch.no_grad()
    def unitaries(self, weights: Tensor) -> list[Tensor]:
        """For every upload the matrix (..., D, D) complex128 that acts on columns of states."""
        fused = self.fused
        groups = fused.groups(weights)
        uploads = range(self.circuit.n_uploads)
        matrices = [fused.run(upload, weights, groups, None) for upload in uploads]
        if fused.program.final is not None:
            matrices[-1] = fused.shuffle("final", fused.program.final, matrices[-1])
        return matrices


def _wave_columns(initial: NDArray[np.complex128], odd_phases: bool) -> NDArray[np.complex128]:
    """Columns by which cos(phi) and sin(phi) enter the state, cosines first.

    With odd phases a_k exp(-i phi_k) and its mirror image a_m exp(+i phi_k), m = D-1-k, make
    cos(phi_k) (a_k e_k + a_m e_m) and sin(phi_k) (-i a_k e_k + i a_m e_m). Otherwise the plain
    diagonal, which serves both after a factor of -i.
    """
    diagonal = np.diag(initial)
    if not odd_phases:
        return diagonal
    half = len(initial) // 2
    mirror = diagonal[:, ::-1][:, :half]
    direct = diagonal[:, :half]
    return np.concatenate([direct + mirror, -1j * (direct - mirror)], axis=1)
