"""The circuit as a torch layer whose variational part is contracted once per step.

The layers do not depend on the sample: with more samples than basis states they are multiplied
out into one matrix per upload (complex128) and the batch goes through real matrix products in its
own dtype; with fewer, the fused gates act on the states directly. Both are exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.quantum.constants import CircuitConstants, real_form
from fastcaloq_infer.quantum.distinct import distinct_rows
from fastcaloq_infer.quantum.fusion import Program, Rotations, Shuffle, compile_circuit
from fastcaloq_infer.quantum.gates import parity_signs
from fastcaloq_infer.quantum.initial import initial_input_weights, initial_weights

if TYPE_CHECKING:
    from fastcaloq_infer.quantum.circuit import Circuit


class _Permute(torch.autograd.Function):
    """Rows in another order; the gradient is a gather too, where index_select would scatter."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, source: Tensor, inverse: Tensor) -> Tensor:
        ctx.save_for_backward(source, inverse)
        return x.index_select(0, source)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        source, inverse = ctx.saved_tensors
        return _permute(grads[0], inverse, source), None, None


def _permute(x: Tensor, source: Tensor, inverse: Tensor) -> Tensor:
    permuted: Tensor = _Permute.apply(x, source, inverse)  # type: ignore[no-untyped-call]
    return permuted


def _group_sizes(n_qubits: int) -> list[int]:
    """Split the qubits into runs whose fused matrices are small (at most 32 x 32) and few."""
    count = 1 if n_qubits <= 3 else max(2, -(-n_qubits // 5))
    return [len(part) for part in np.array_split(np.arange(n_qubits), count)]


def _kron(a: Tensor, b: Tensor) -> Tensor:
    """Kronecker product of the last two axes, batched over the first."""
    product = a[:, :, None, :, None] * b[:, None, :, None, :]
    return product.reshape(a.shape[0], a.shape[1] * b.shape[1], -1)


class ContractedCircuit(nn.Module):
    """Features <Z...> of a circuit for a batch of inputs.

    Input (B, n_inputs) float32 or float64, output (B, n_features) in [-1, 1], same dtype.
    ``input_weights`` (n_uploads, n_qubits, n_inputs) and ``weights`` (n_layers, angles), radians,
    are trained.

    Raises
    ------
    InputError
        The input has not the shape (B, n_inputs).
    """

    def __init__(self, circuit: Circuit) -> None:
        super().__init__()
        self.circuit = circuit
        self.input_weights = nn.Parameter(initial_input_weights(circuit))
        self.weights = nn.Parameter(initial_weights(circuit))
        self._program: Program = compile_circuit(circuit)
        # Not buffers: module.float() must not round the constants of a float64 contraction.
        self._cache: dict[tuple[Any, ...], Tensor] = {}

    def forward(self, c: Tensor) -> Tensor:
        """Features of every row, shape (B, n_features)."""
        if c.ndim != 2 or c.shape[1] != self.circuit.n_inputs:
            raise InputError(
                f"quantum: the input has shape {tuple(c.shape)}, but the circuit encodes "
                f"{self.circuit.n_inputs} numbers per sample: pass (B, {self.circuit.n_inputs})"
            )
        distinct = distinct_rows(c)
        if distinct is None:
            return self._features(c)
        # embedding: its gradient sums equal rows in a fixed order, whatever the threads.
        return functional.embedding(distinct[1], self._features(distinct[0]))

    def _features(self, c: Tensor) -> Tensor:
        if len(c) > self.circuit.dimension:
            return self._contracted(c)
        return self._gate_by_gate(c)

    # -- constants ---------------------------------------------------------------------------

    def _constant(self, name: str, value: Any, dtype: torch.dtype, device: torch.device) -> Tensor:
        key = (name, dtype, device)
        if key not in self._cache:
            array = np.ascontiguousarray(value() if callable(value) else value)
            self._cache[key] = torch.from_numpy(array).to(device=device, dtype=dtype)
        return self._cache[key]

    def _phases(self, c: Tensor, upload: int, columns: int) -> Tensor:
        """Phases (B, columns) of the first ``columns`` basis states."""
        angles = functional.linear(c, self.input_weights[upload].to(c.dtype))
        factors = self._program.factors
        n = self.circuit.n_qubits
        if len(factors) > n:
            left, right = ([pair[k] for pair in factors[n:]] for k in (0, 1))
            angles = torch.cat([angles, angles[:, left] * angles[:, right]], dim=1)
        pattern = self._constant(
            f"pattern{columns}", self._program.pattern[:, :columns], c.dtype, c.device
        )
        return angles @ pattern

    def _readout(self, dtype: torch.dtype, device: torch.device) -> Tensor:
        """Eigenvalues for (re, im), shape (2D, Q)."""

        def table() -> np.ndarray[Any, Any]:
            signs = parity_signs(self.circuit.n_qubits, self.circuit.readout)
            return np.concatenate([signs, signs], axis=1).T

        return self._constant("readout", table, dtype, device)

    # -- gates -------------------------------------------------------------------------------

    def _fused(self) -> list[Tensor]:
        """Matrices of every group of qubits, each (slots, 2**size, 2**size) complex128."""
        program, device = self._program, self.weights.device
        complex_, real = torch.complex128, torch.float64
        index = self._constant("parameter", program.parameter.ravel(), torch.int64, device)
        cosine = self._constant("cosine", program.cosine, complex_, device)
        sine = self._constant("sine", program.sine, complex_, device)
        zero = self._constant("zero", np.zeros(1), real, device)
        angles = torch.cat([self.weights.to(real).reshape(-1), zero])
        half = 0.5 * angles.index_select(0, index).reshape(*program.parameter.shape, 1, 1)
        gates = torch.cos(half) * cosine + torch.sin(half) * sine
        single = gates[:, :, 0]
        for k in range(1, gates.shape[2]):
            single = gates[:, :, k] @ single
        groups, start = [], 0
        for size in _group_sizes(self.circuit.n_qubits):
            group = single[:, start]
            for q in range(start + 1, start + size):
                group = _kron(group, single[:, q])
            groups.append(group)
            start += size
        return groups

    def _run(self, upload: int, groups: list[Tensor], state: Tensor | None) -> Tensor:
        """Run an upload's steps on the columns of a state (D, columns); None is the identity."""
        device, dimension = self.weights.device, self.circuit.dimension
        for position, step in enumerate(self._program.uploads[upload]):
            if isinstance(step, Rotations):
                if state is None:
                    state = groups[0][step.slot]
                    for group in groups[1:]:
                        state = torch.kron(state, group[step.slot])
                    continue
                before = 1
                for group in groups:
                    size = group.shape[1]
                    state = group[step.slot] @ state.reshape(before, size, -1)
                    before *= size
                state = state.reshape(dimension, -1)
                continue
            place = f"{upload}.{position}"
            if state is None:
                state = torch.eye(dimension, dtype=torch.complex128, device=device)
            if isinstance(step, Shuffle):
                source = self._constant(f"source{place}", step.source, torch.int64, device)
                inverse = self._constant(
                    f"inverse{place}", np.argsort(step.source), torch.int64, device
                )
                state = _permute(state, source, inverse)
                if step.sign is not None:
                    sign = self._constant(f"sign{place}", step.sign, torch.float64, device)
                    state = state * sign[:, None]
            else:
                pattern = self._constant(f"phases{place}", step.pattern, torch.float64, device)
                angles = self.weights.to(torch.float64).reshape(-1)[step.parameters.tolist()]
                phi = angles @ pattern
                state = state * torch.polar(torch.ones_like(phi), -phi)[:, None]
        if state is None:
            return torch.eye(dimension, dtype=torch.complex128, device=device)
        return state

    def matrices(self) -> list[Tensor]:
        """Contract: for every upload the matrix (D, D) complex128 that acts on state columns."""
        groups = self._fused()
        return [self._run(u, groups, None) for u in range(self.circuit.n_uploads)]

    # -- the two ways ------------------------------------------------------------------------

    def _gate_by_gate(self, c: Tensor) -> Tensor:
        groups = self._fused()
        initial = self._constant("initial", self._program.initial, torch.complex128, c.device)
        state = initial[:, None].expand(-1, len(c))
        for upload in range(self.circuit.n_uploads):
            phi = self._phases(c.to(torch.float64), upload, self.circuit.dimension).T
            state = self._run(upload, groups, state * torch.polar(torch.ones_like(phi), -phi))
        rows = torch.view_as_real(state)
        probability = (rows * rows).sum(dim=2)
        signs = self._readout(torch.float64, c.device)[: self.circuit.dimension]
        return (probability.T @ signs).to(c.dtype)

    def _contracted(self, c: Tensor) -> Tensor:
        dimension = self.circuit.dimension
        matrices = self.matrices()
        rows = self._first_upload(c, matrices[0])
        for upload, matrix in enumerate(matrices[1:], start=1):
            phi = self._phases(c, upload, dimension)
            cos, sin = torch.cos(phi), torch.sin(phi)
            re, im = rows[:, :dimension], rows[:, dimension:]
            turned = torch.cat([re * cos + im * sin, im * cos - re * sin], dim=1)
            top = torch.cat([matrix.real.T, matrix.imag.T], dim=1)
            bottom = torch.cat([-matrix.imag.T, matrix.real.T], dim=1)
            rows = turned @ torch.cat([top, bottom]).to(c.dtype)
        return (rows * rows) @ self._readout(c.dtype, c.device)

    def _first_upload(self, c: Tensor, matrix: Tensor) -> Tensor:
        """(re, im) rows (B, 2D) after the first upload, from the real functions cos and sin.

        state = (matrix * initial) exp(-i phi). Without pair phases phi is odd under flipping all
        qubits, phi[D-1-k] = -phi[k], so that half of the columns carry all of it.
        """
        dimension = self.circuit.dimension
        initial = self._constant("initial", self._program.initial, torch.complex128, c.device)
        amplitudes = (matrix * initial).T
        if self.circuit.input_encoding.pairs:
            even = odd = amplitudes
        else:
            half = dimension // 2
            mirrored = amplitudes[half:].flip(0)
            even, odd = amplitudes[:half] + mirrored, amplitudes[:half] - mirrored
        # cos * even - i sin * odd, split into real and imaginary part
        top = torch.cat([even.real, even.imag], dim=1)
        bottom = torch.cat([odd.imag, -odd.real], dim=1)
        phi = self._phases(c, 0, len(even))
        waves = torch.cat([torch.cos(phi), torch.sin(phi)], dim=1)
        return waves @ torch.cat([top, bottom]).to(c.dtype)

    # -- export ------------------------------------------------------------------------------

    @torch.no_grad()
    def constants(self) -> CircuitConstants:
        """Freeze the layer into the constant matrices of the embedded form."""
        return real_form(
            self.circuit,
            self._program,
            self.input_weights.detach().to("cpu", torch.float64).numpy(),
            [matrix.cpu().numpy() for matrix in self.matrices()],
        )
