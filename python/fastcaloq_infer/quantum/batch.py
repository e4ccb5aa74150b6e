"""What a batch of samples goes through, for one circuit or several of one description at once.

Axes in front of the weights' own hold the circuits; features are (..., Q, B): what belongs to one
sample is a column, so that every step runs along the samples. The layers come multiplied out, one
matrix per upload (`BatchEvaluation.contract`); gate by gate costs less where there are fewer
samples than basis states.
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
    """readout @ (re^2 + im^2); the gradient in one pass over the states, autograd makes three.

    States (..., 2D, B) real, re and im of an amplitude one below the other, readout (Q, D); every
    pass over a batch of 1024 costs some 0.02 ms.
    """

    @staticmethod
    def forward(ctx: Any, states: Tensor, readout: Tensor) -> Tensor:
        ctx.save_for_backward(states, readout)
        re, im = states[..., 0::2, :], states[..., 1::2, :]
        return readout @ (re * re).addcmul_(im, im)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        states, readout = ctx.saved_tensors
        by_probability = (2.0 * readout.T) @ grads[0]
        pairs = states.reshape(*by_probability.shape[:-1], 2, -1)
        return (pairs * by_probability.unsqueeze(-2)).flatten(-3, -2), None


class _Waves(torch.autograd.Function):
    """(cos(phi), sin(phi)) one above the other, (..., H, B) to (..., 2H, B).

    The gradient needs no new sines.
    """

    @staticmethod
    def forward(ctx: Any, phi: Tensor) -> Tensor:
        half = phi.shape[-2]
        waves = phi.new_empty((*phi.shape[:-2], 2 * half, phi.shape[-1]))
        torch.cos(phi, out=waves[..., :half, :])
        torch.sin(phi, out=waves[..., half:, :])
        ctx.save_for_backward(waves)
        return waves

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (waves,) = ctx.saved_tensors
        cos, sin = waves.chunk(2, dim=-2)
        by_cos, by_sin = grads[0].chunk(2, dim=-2)
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

        The first upload's matrix (..., 2D, K) is real and acts on (cos phi, sin phi), K of them;
        those of later uploads (..., D, D) are complex and act on states.
        """
        fused = self.fused
        groups = fused.groups(weights)
        columns = fused.run(0, weights, groups, None)
        # In front of rotations the identity is no state but a Kronecker product of small matrices;
        # what the waves start from is put in afterwards, in the precision of the batch.
        waves = fused.constant("waves", self._wave_columns, dtype, weights.device)
        first = torch.view_as_real(columns).flatten(-2).to(dtype) @ waves
        first = first.reshape(*first.shape[:-2], 2 * self.circuit.dimension, -1)
        later = [
            fused.run(upload, weights, groups, None).to(dtype.to_complex())
            for upload in range(1, self.circuit.n_uploads)
        ]
        return [first, *later]

    def features(self, c: Tensor, input_weights: Tensor, matrices: list[Tensor]) -> Tensor:
        """Features (..., Q, B) of inputs (B, n_inputs), in the inputs' dtype."""
        first, *later = matrices
        phi = self._phases(c, input_weights[..., 0, :, :], first.shape[-1] // 2)
        waves: Tensor = _Waves.apply(phi)  # type: ignore[no-untyped-call]
        states = first @ waves
        for upload, matrix in enumerate(later, start=1):
            phi = self._phases(c, input_weights[..., upload, :, :], self.circuit.dimension)
            amplitudes = torch.complex(states[..., 0::2, :], states[..., 1::2, :])
            turned = amplitudes * torch.complex(torch.cos(phi), -torch.sin(phi))
            states = _real(matrix @ turned)
        return self._measure(states)

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
            phi = self._phases(inputs, input_weights[..., upload, :, :], self.circuit.dimension)
            state = state * torch.complex(torch.cos(phi), -torch.sin(phi))
            state = fused.run(upload, weights, groups, state)
        return self._measure(_real(state)).to(c.dtype)

    def _phases(self, c: Tensor, input_weights: Tensor, rows: int) -> Tensor:
        """Phases (..., rows, B) of the first ``rows`` basis states."""
        program = self.fused.program
        pattern = self.fused.constant(
            f"pattern{rows}", lambda: program.pattern[:, :rows].T, c.dtype, c.device
        )
        weights = input_weights.to(c.dtype)
        pairs = program.factors[self.circuit.n_qubits :]
        if not pairs:
            per_input = pattern @ weights
            phi = per_input.flatten(0, -2) @ c.T.contiguous()
            return phi.reshape(*per_input.shape[:-1], -1)
        angles = weights @ c.T
        left, right = ([pair[k] for pair in pairs] for k in (0, 1))
        angles = torch.cat([angles, angles[..., left, :] * angles[..., right, :]], dim=-2)
        return pattern @ angles

    def _measure(self, states: Tensor) -> Tensor:
        """Take the expectation values (..., Q, B) of states (..., 2D, B)."""
        readout = self.fused.constant("readout", self._signs, states.dtype, states.device)
        features: Tensor = _Born.apply(states, readout)  # type: ignore[no-untyped-call]
        return features

    def _signs(self) -> NDArray[np.float64]:
        """Eigenvalue of every feature and basis state, (Q, D); undoes the final shuffle."""
        signs = parity_signs(self.circuit.n_qubits, self.circuit.readout)
        final = self.fused.program.final
        return signs if final is None else signs[:, np.argsort(final.source)]

    def _wave_columns(self) -> NDArray[np.float64]:
        """Real form (2D, 2K) of what takes a matrix on states to one on (cos phi, sin phi).

        The state is diag(a) exp(-i phi), a the initial one. With odd phases, phi[m] = -phi[k] for
        m = D-1-k, cos(phi_k) comes with a_k e_k + a_m e_m and sin(phi_k) with -i (a_k e_k - a_m
        e_m), so that D real functions carry all of it; else with a_k e_k and -i a_k e_k, 2D.
        Rows are (re, im) of every basis state, columns those of K waves, first all re.
        """
        diagonal = np.diag(self.fused.program.initial)
        even, odd = diagonal, diagonal
        if self._odd_phases:
            half = len(diagonal) // 2
            direct, mirror = diagonal[:, :half], diagonal[:, ::-1][:, :half]
            even, odd = direct + mirror, direct - mirror
        columns = np.concatenate([even, -1j * odd], axis=1)
        # (x + iy) (p + iq): row x gives (p, q), row y gives (-q, p).
        rows = np.stack(
            [np.hstack([columns.real, columns.imag]), np.hstack([-columns.imag, columns.real])],
            axis=1,
        )
        return rows.reshape(2 * len(diagonal), -1)

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


def _real(states: Tensor) -> Tensor:
    """Complex states (..., D, B) as real ones (..., 2D, B), re and im one below the other."""
    return torch.view_as_real(states).movedim(-1, -2).flatten(-3, -2)
