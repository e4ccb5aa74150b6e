"""Starting values of a circuit's trainable numbers, shared by every realisation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from fastcaloq_infer.quantum.circuit import Circuit


def initial_input_weights(circuit: Circuit) -> torch.Tensor:
    """Angles per unit of input, shape (n_uploads, n_qubits, n_inputs).

    Qubit j sees input j mod n_inputs only. The m qubits that share an input get the frequencies
    3 pi/4 * (1/m, 2/m, ..., 1): without re-uploading a feature is a trigonometric polynomial of
    the input whose highest frequency is their sum. Lower ones follow nine energies slowly (fit
    error after 200 steps 0.027 with pi/2), higher ones oscillate between them (error there 0.076
    with pi, 0.066 here).
    """
    weights = torch.zeros(circuit.input_weight_shape)
    for j in range(circuit.n_qubits):
        sharing = len(range(j % circuit.n_inputs, circuit.n_qubits, circuit.n_inputs))
        rank = j // circuit.n_inputs + 1
        weights[:, j, j % circuit.n_inputs] = 0.75 * math.pi * rank / sharing
    return weights


def initial_weights(circuit: Circuit, generator: torch.Generator | None = None) -> torch.Tensor:
    """Angles of the layers, uniform in +-0.3 pi, shape ``circuit.weight_shape``.

    Uniform over the circle spreads each Z over the register at once: the features then vary with
    energy by 0.15 instead of 0.18 (6 qubits, 2 layers) and a fit is behind after 200 steps, 0.025
    to 0.020.
    """
    return (2.0 * torch.rand(circuit.weight_shape, generator=generator) - 1.0) * (0.3 * math.pi)
