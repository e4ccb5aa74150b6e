"""Shots that it takes to know a state, which a simulation reads off but a device does not."""

from __future__ import annotations

from typing import TypedDict

import numpy as np

__all__ = ["Estimate", "estimate_infidelity", "fewest_shots"]

_SHOTS_PER_DIMENSION = 400
_REPEATS = 40


class Estimate(TypedDict):
    """A simulated tomography: mean infidelity of the estimated state after ``shots`` copies."""

    n_qubits: int
    shots: int
    infidelity: float
    error: float


def fewest_shots(n_qubits: int, infidelity: float) -> float:
    """Return how many copies of a pure state in D = 2**n_qubits dimensions its estimate needs.

    No measurement, on single copies or on all at once, does better than a mean fidelity of
    (N + 1) / (N + D) (Bruss and Macchiavello 1999, Phys. Lett. A 253, 249, arXiv:quant-ph/9812016),
    so N = (D - 1) / infidelity - D; a single copy at least.
    """
    dimension = 2.0**n_qubits
    return max(1.0, (dimension - 1.0) / infidelity - dimension)


def estimate_infidelity(max_qubits: int, seed: int = 1) -> list[Estimate]:
    """Simulate tomography with every copy measured in a random basis of its own.

    An outcome is then distributed as a Haar-random vector v weighted with ``|<v|psi>|^2``, whose
    square is Beta(2, D - 1), and the mean of (D + 1) |v><v| - 1 estimates the density matrix
    (e.g. Guta et al. 2020, J. Phys. A 53, 204001); its largest eigenvector is the state found.
    Infidelity falls as 2 (D - 1) (D + 1) / (D + 2) / N: about twice the fewest shots.
    """
    random = np.random.default_rng(seed)
    found = []
    for n_qubits in range(1, max_qubits + 1):
        dimension = 2**n_qubits
        shots = _SHOTS_PER_DIMENSION * dimension
        missed = [1.0 - _fidelity(random, dimension, shots) for _ in range(_REPEATS)]
        found.append(
            Estimate(
                n_qubits=n_qubits,
                shots=shots,
                infidelity=float(np.mean(missed)),
                error=float(np.std(missed, ddof=1) / np.sqrt(_REPEATS)),
            )
        )
    return found


def _fidelity(random: np.random.Generator, dimension: int, shots: int) -> float:
    """Fidelity of one estimate of the first basis state, which stands for any state."""
    weight = random.beta(2.0, dimension - 1.0, shots)
    outcomes = random.normal(size=(shots, dimension)) + 1j * random.normal(size=(shots, dimension))
    rest = outcomes[:, 1:]
    rest *= np.sqrt((1.0 - weight) / np.sum(np.abs(rest) ** 2, axis=1))[:, None]
    phase = outcomes[:, 0] / np.abs(outcomes[:, 0])
    outcomes[:, 0] = np.sqrt(weight) * phase
    estimate = outcomes.T @ outcomes.conj() / shots
    return float(np.abs(np.linalg.eigh(estimate)[1][0, -1]) ** 2)
