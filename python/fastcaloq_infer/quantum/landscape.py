"""Circuits at random angles: the states they reach and the gradients they leave."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch

from fastcaloq_infer.quantum.contracted import ContractedCircuit
from fastcaloq_infer.quantum.evolution import Evolution

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from torch import Generator, Tensor

    from fastcaloq_infer.quantum.circuit import Circuit

__all__ = ["circuit_states", "gradient_variances", "random_states"]


@torch.no_grad()
def circuit_states(trained: ContractedCircuit, c: Tensor) -> NDArray[np.complex128]:
    """State vectors (B, 2**n) of a trained circuit at inputs ``c`` (B, n_inputs)."""
    angles = torch.einsum("uqi,bi->buq", trained.input_weights.double(), c.double())
    return _states(Evolution(trained.circuit), trained.weights, angles)


@torch.no_grad()
def random_states(circuit: Circuit, number: int, generator: Generator) -> NDArray[np.complex128]:
    """States (number, 2**n) with all angles, of layers and encoding, uniform over the circle."""
    rows, evolution = [], Evolution(circuit)
    for _ in range(number):
        weights = _uniform(circuit.weight_shape, generator)
        angles = _uniform((1, circuit.n_uploads, circuit.n_qubits), generator)
        rows.append(_states(evolution, weights, angles))
    return np.concatenate(rows)


def gradient_variances(
    circuit: Circuit, qubits: Iterable[int], samples: int, generator: Generator
) -> Iterator[tuple[int, float, float]]:
    """Variance of d<Z_0>/d(angle) against the number of qubits (barren plateaus).

    McClean et al., Nature Communications 9 (2018) 4812: of circuits deep enough to look random it
    falls like 2**-n at least. All angles are uniform; the variance is averaged over the layers'
    angles.

    Yields
    ------
    tuple
        Number of qubits, variance, and its standard error over the samples.
    """
    for n in qubits:
        smaller = circuit.model_copy(update={"n_qubits": n, "n_inputs": n})
        layer = ContractedCircuit(smaller).double()
        with torch.no_grad():  # the inputs are the angles
            layer.input_weights.copy_(
                torch.eye(n, dtype=torch.float64).expand(layer.input_weights.shape)
            )
        squares = []
        for _ in range(samples):
            with torch.no_grad():
                layer.weights.copy_(_uniform(smaller.weight_shape, generator))
            first = layer(_uniform((1, n), generator))[0, 0]
            gradient = torch.autograd.grad(first, layer.weights)[0]
            squares.append(float(gradient.square().mean()))  # the mean is 0 by symmetry
        values = np.array(squares)
        yield n, float(values.mean()), float(values.std(ddof=1) / math.sqrt(samples))


def _states(evolution: Evolution, weights: Tensor, angles: Tensor) -> NDArray[np.complex128]:
    evolution.double().weights.copy_(weights)
    start = torch.zeros(len(angles), 1, evolution.circuit.dimension, dtype=torch.complex128)
    start[:, :, 0] = 1.0
    states: NDArray[np.complex128] = evolution(start, angles)[:, 0].numpy()
    return states


def _uniform(shape: tuple[int, ...], generator: Generator) -> Tensor:
    return 2.0 * math.pi * torch.rand(shape, generator=generator, dtype=torch.float64)
