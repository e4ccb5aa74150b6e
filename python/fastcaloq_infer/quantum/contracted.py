"""The circuit as a torch layer whose variational part is contracted once per step.

The layers do not depend on the sample: with more samples than basis states they are multiplied
out into one matrix per upload (complex128) and the batch goes through matrix products in its own
dtype; with fewer, the fused gates act on the states directly. Both are exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.quantum.constants import CircuitConstants, check_size, real_form
from fastcaloq_infer.quantum.distinct import distinct_rows
from fastcaloq_infer.quantum.fused import FusedProgram
from fastcaloq_infer.quantum.gates import parity_signs
from fastcaloq_infer.quantum.initial import initial_input_weights, initial_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.quantum.circuit import Circuit


class _Born(torch.autograd.Function):
    """(rows * rows) @ readout; the gradient in one pass over the rows, where autograd makes three.

    Rows (B, 2D) real, readout (2D, Q); every pass over a batch of 1024 costs about 0.1 ms.
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor, readout: Tensor) -> Tensor:
        ctx.save_for_backward(rows, readout)
        return (rows * rows) @ readout

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        rows, readout = ctx.saved_tensors
        return (grads[0] @ (2.0 * readout.T)).mul_(rows), None


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
        self._fused = FusedProgram(circuit)

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

    def _gate_by_gate(self, c: Tensor) -> Tensor:
        """Fused gates on the states of the batch, complex128."""
        fused = self._fused
        groups = fused.groups(self.weights)
        initial = fused.constant(
            "initial", lambda: fused.program.initial, torch.complex128, c.device
        )
        state = initial[:, None]
        for upload in range(self.circuit.n_uploads):
            phi = self._phases(c.to(torch.float64), upload, self.circuit.dimension).T
            state = state * torch.complex(torch.cos(phi), -torch.sin(phi))
            state = fused.run(upload, self.weights, groups, state)
        return self._measure(state.T, torch.float64).to(c.dtype)

    def _contracted(self, c: Tensor) -> Tensor:
        """Contract the layers in complex128, evaluate the batch in its own dtype."""
        fused = self._fused
        dtype = c.dtype
        groups = fused.groups(self.weights)
        rows = self._first_upload(c, groups)
        for upload in range(1, self.circuit.n_uploads):
            matrix = fused.run(upload, self.weights, groups, None).T
            phi = self._phases(c, upload, self.circuit.dimension)
            rows = rows * torch.complex(torch.cos(phi), -torch.sin(phi))
            rows = rows @ matrix.to(dtype.to_complex())
        return self._measure(rows, dtype)

    def _first_upload(self, c: Tensor, groups: list[Tensor]) -> Tensor:
        """States (B, D) after the first upload as a real matrix product of cos(phi), sin(phi).

        state = V diag(initial) exp(-i phi). Without pair phases phi changes sign when all qubits
        flip, phi[D-1-k] = -phi[k], and D real functions carry all of it instead of 2D.
        """
        odd_phases = not self.circuit.input_encoding.pairs
        start = self._fused.constant(
            "start", lambda: _wave_columns(self._initial(), odd_phases), torch.complex128, c.device
        )
        columns = self._fused.run(0, self.weights, groups, start)
        if not odd_phases:
            columns = torch.cat([columns, -1j * columns], dim=1)
        matrix = torch.view_as_real(columns.T.contiguous()).flatten(1).to(c.dtype)
        phi = self._phases(c, 0, len(matrix) // 2)
        rows = torch.cat([torch.cos(phi), torch.sin(phi)], dim=1) @ matrix
        return torch.view_as_complex(rows.reshape(len(c), -1, 2))

    def _initial(self) -> NDArray[np.complex128]:
        return self._fused.program.initial

    def _phases(self, c: Tensor, upload: int, columns: int) -> Tensor:
        """Phases (B, columns) of the first ``columns`` basis states."""
        program = self._fused.program
        angles = functional.linear(c, self.input_weights[upload].to(c.dtype))
        pairs = program.factors[self.circuit.n_qubits :]
        if pairs:
            left, right = ([pair[k] for pair in pairs] for k in (0, 1))
            angles = torch.cat([angles, angles[:, left] * angles[:, right]], dim=1)
        pattern = self._fused.constant(
            f"pattern{columns}", lambda: program.pattern[:, :columns], c.dtype, c.device
        )
        return angles @ pattern

    def _measure(self, states: Tensor, dtype: torch.dtype) -> Tensor:
        """Take the expectation values (B, Q) of states (B, D)."""
        rows = torch.view_as_real(states.contiguous()).flatten(1)
        readout = self._fused.constant("readout", self._signs, dtype, states.device)
        features: Tensor = _Born.apply(rows, readout)  # type: ignore[no-untyped-call]
        return features

    def _signs(self) -> NDArray[np.float64]:
        """Eigenvalue for every (basis state, re or im) and feature; undoes the final shuffle."""
        signs = parity_signs(self.circuit.n_qubits, self.circuit.readout)
        final = self._fused.program.final
        if final is not None:
            signs = signs[:, np.argsort(final.source)]
        return np.repeat(signs.T, 2, axis=0)

    @torch.no_grad()
    def matrices(self) -> list[Tensor]:
        """Contract: for every upload the matrix (D, D) complex128 that acts on state columns."""
        fused = self._fused
        groups = fused.groups(self.weights)
        uploads = range(self.circuit.n_uploads)
        matrices = [fused.run(upload, self.weights, groups, None) for upload in uploads]
        if fused.program.final is not None:
            matrices[-1] = fused.shuffle("final", fused.program.final, matrices[-1])
        return matrices

    def constants(self) -> CircuitConstants:
        """Freeze the layer into the constant matrices of the embedded form.

        Raises
        ------
        ConfigError
            More qubits than an artefact can carry.
        """
        check_size(self.circuit)
        return real_form(
            self.circuit,
            self._fused.program,
            self.input_weights.detach().to("cpu", torch.float64).numpy(),
            [matrix.cpu().numpy() for matrix in self.matrices()],
        )


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
