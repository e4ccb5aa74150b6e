"""Starting values of a circuit's trainable numbers, shared by every realisation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from fastcaloq_infer.quantum.circuit import Circuit


def initial_input_weights(circuit: Circuit) -> torch.Tensor:
    """Angles per unit of input, shape (n_uploads, n_qubits, n_inputs).

    Qubit j sees input j mod n_inputs only. The qubits that share an input get the frequencies
    pi/2 * (1/m, 2/m, ..., 1), m their number: without re-uploading a feature is a trigonometric
    polynomial of the input whose highest frequency is their sum, about pi/4 (m+1).
    """
    weights = torch.zeros(circuit.input_weight_shape)
    for j in range(circuit.n_qubits):
        sharing = len(range(j % circuit.n_inputs, circuit.n_qubits, circuit.n_inputs))
        rank = j // circuit.n_inputs + 1
        weights[:, j, j % circuit.n_inputs] = 0.5 * math.pi * rank / sharing
    return weights


def initial_weights(circuit: Circuit, generator: torch.Generator | None = None) -> torch.Tensor:
    """Angles of the layers, uniform in [-pi, pi), shape ``circuit.weight_shape``."""
    return (2.0 * torch.rand(circuit.weight_shape, generator=generator) - 1.0) * math.pi
