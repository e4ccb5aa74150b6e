"""The circuit as a torch layer whose variational part is contracted once per step.

The layers do not depend on the sample: with more samples than basis states they are multiplied
out into one matrix per upload (complex128) and the batch goes through matrix products in its own
dtype; with fewer, the fused gates act on the states directly. Both are exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.quantum.batch import BatchEvaluation
from fastcaloq_infer.quantum.constants import CircuitConstants, check_size, real_form
from fastcaloq_infer.quantum.distinct import distinct_rows
from fastcaloq_infer.quantum.initial import initial_input_weights, initial_weights

if TYPE_CHECKING:
    from fastcaloq_infer.quantum.circuit import Circuit


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
        self._evaluation = BatchEvaluation(circuit)

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
        return self._evaluation.gate_by_gate(c, self.input_weights, self.weights).T

    def _contracted(self, c: Tensor) -> Tensor:
        matrices = self._evaluation.contract(self.weights, c.dtype)
        return self._evaluation.features(c, self.input_weights, matrices).T

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
            self._evaluation.fused.program,
            self.input_weights.detach().to("cpu", torch.float64).numpy(),
            [matrix.cpu().numpy() for matrix in self._evaluation.unitaries(self.weights)],
        )
