"""A circuit's features as a device would measure them, out of the probabilities of its outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from fastcaloq_infer.conditioning.base import Conditioner
from fastcaloq_infer.quantum.gates import parity_signs
from fastcaloq_infer.quantum.reference import qnode

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from fastcaloq_infer.conditioning import QuantumConditioner
    from fastcaloq_infer.quantum.circuit import Circuit
    from fastcaloq_infer.quantum.execution import Execution

    Array = NDArray[np.float64]

__all__ = ["GivenFeatures", "measured", "outcome_probabilities"]


@torch.no_grad()
def outcome_probabilities(
    conditioner: QuantumConditioner, conditions: Tensor, execution: Execution
) -> Array:
    """Probabilities (U, 2^n) of the outcomes at scaled conditions (U, 2), shots left aside."""
    circuit = conditioner.circuit
    exact = execution.model_copy(update={"shots": None})
    node = qnode(circuit.circuit, exact, probabilities=True)
    values = node(conditions.double(), circuit.input_weights.double(), circuit.weights.double())
    found: Array = values.numpy().reshape(len(conditions), -1).clip(min=0.0)
    found /= found.sum(axis=1, keepdims=True)  # a multinomial wants them exact
    return found


def measured(
    probabilities: Array,
    place: NDArray[np.intp],
    circuit: Circuit,
    shots: int | None,
    random: np.random.Generator,
    *,
    fresh: bool,
) -> Array:
    """Features (N, Q) of showers at the conditions ``place`` (N,), rows of ``probabilities``.

    ``shots`` outcomes are drawn by their probabilities, as a simulator of a device does, and the
    products of Z averaged over them: anew for every shower (``fresh``), or once per condition.
    None: the expectation values.
    """
    signs = parity_signs(circuit.n_qubits, circuit.readout).T
    if shots is None:
        exact: Array = (probabilities @ signs)[place]
        return exact
    counts = random.multinomial(shots, probabilities[place] if fresh else probabilities)
    values: Array = counts @ signs / shots
    return values if fresh else values[place]


class GivenFeatures(Conditioner):
    """Hands on features that were computed before, row by row of the showers asked for.

    ``start`` is the first row; whoever evaluates a part of the showers sets it.
    """

    kind = "given"

    def __init__(self, features: Array, dtype: torch.dtype) -> None:
        super().__init__()
        self.n_features = features.shape[1]
        self.start = 0
        self._features = torch.as_tensor(features, dtype=dtype)

    def forward(self, c: Tensor) -> Tensor:
        """Features (N, Q) of the next showers, whatever their conditions (N, 2)."""
        return self._features[self.start : self.start + len(c)]
