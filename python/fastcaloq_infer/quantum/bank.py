"""Several circuits of one description, each with weights of its own, on the same inputs."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.quantum.batch import BatchEvaluation
from fastcaloq_infer.quantum.constants import CircuitConstants, check_size, real_form
from fastcaloq_infer.quantum.initial import initial_input_weights, initial_weights

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fastcaloq_infer.quantum.circuit import Circuit

__all__ = ["CircuitBank", "contracted_together", "initial_bank"]


def initial_bank(circuit: Circuit, count: int) -> tuple[nn.Parameter, nn.Parameter]:
    """Return starting input weights and weights of ``count`` circuits, stacked."""
    inputs = torch.stack([initial_input_weights(circuit)] * count)
    weights = torch.stack([initial_weights(circuit) for _ in range(count)])
    return nn.Parameter(inputs), nn.Parameter(weights)


class CircuitBank(nn.Module):
    """Features <Z...> of G circuits for a batch of inputs.

    Input (B, n_inputs) float32 or float64, output (B, G * n_features) in [-1, 1], same dtype, the
    features of the first circuit first. ``input_weights`` (G, n_uploads, n_qubits, n_inputs) and
    ``weights`` (G, n_layers, angles), radians, are trained. Values and gradients are those of G
    `ContractedCircuit`; every step is taken for all of them at once.

    Raises
    ------
    InputError
        The input has not the shape (B, n_inputs).
    """

    def __init__(self, circuit: Circuit, count: int) -> None:
        super().__init__()
        self.circuit = circuit
        self.count = count
        self.input_weights, self.weights = initial_bank(circuit, count)
        self._evaluation = BatchEvaluation(circuit)
        self._matrices: list[Tensor] | None = None

    def forward(self, c: Tensor) -> Tensor:
        """Features of every row, shape (B, G * n_features)."""
        circuit = self.circuit
        if c.ndim != 2 or c.shape[1] != circuit.n_inputs:
            raise InputError(
                f"quantum: the input has shape {tuple(c.shape)}, but the circuits encode "
                f"{circuit.n_inputs} numbers per sample: pass (B, {circuit.n_inputs})"
            )
        evaluation = self._evaluation
        if self._matrices is None and len(c) <= circuit.dimension:
            features = evaluation.gate_by_gate(c, self.input_weights, self.weights)
        else:
            matrices = self._matrices or evaluation.contract(self.weights, c.dtype)
            features = evaluation.features(c, self.input_weights, matrices)
        return features.flatten(0, 1).T

    def constants(self) -> list[CircuitConstants]:
        """Freeze every circuit into the constant matrices of the embedded form.

        Raises
        ------
        ConfigError
            More qubits than an artefact can carry.
        """
        check_size(self.circuit)
        matrices = [m.cpu().numpy() for m in self._evaluation.unitaries(self.weights)]
        inputs = self.input_weights.detach().to("cpu", torch.float64).numpy()
        program = self._evaluation.fused.program
        return [
            real_form(self.circuit, program, inputs[g], [matrix[g] for matrix in matrices])
            for g in range(self.count)
        ]

    @contextmanager
    def _given(self, matrices: list[Tensor]) -> Iterator[None]:
        self._matrices = matrices
        try:
            yield
        finally:
            self._matrices = None


@contextmanager
def contracted_together(
    banks: Sequence[CircuitBank], rows: int, dtype: torch.dtype
) -> Iterator[None]:
    """Contract the layers of several banks of one description at once, for use inside the context.

    Contracting is many small steps: 18 circuits together take hardly longer than three. Nothing
    happens where a batch of ``rows`` samples in ``dtype`` is too small for it to pay.
    """
    if not banks or rows <= banks[0].circuit.dimension:
        yield
        return
    weights = torch.cat([bank.weights for bank in banks])
    matrices = banks[0]._evaluation.contract(weights, dtype)
    counts = [bank.count for bank in banks]
    parts = zip(*(torch.split(matrix, counts) for matrix in matrices), strict=True)
    with ExitStack() as stack:
        for bank, part in zip(banks, parts, strict=True):
            stack.enter_context(bank._given(list(part)))
        yield
