"""What a quantum state or a circuit is like: Bloch vectors, purity, entanglement, expressibility.

States are pure, amplitudes (B, 2**n), or mixed, density matrices (B, 2**n, 2**n); complex, qubit 0
the most significant bit. Nothing here knows of calorimeters or of training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    States = NDArray[np.complexfloating]

__all__ = [
    "bloch_vectors",
    "divergence_from_haar",
    "fidelities",
    "haar_entanglement",
    "haar_probabilities",
    "meyer_wallach",
    "purities",
]

_PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])


def _single_qubit(states: States) -> NDArray[np.complex128]:
    """Reduced density matrices (B, n, 2, 2)."""
    mixed = states.ndim == 3
    batch, dimension = states.shape[:2]
    n = int(dimension).bit_length() - 1
    found = np.empty((batch, n, 2, 2), dtype=np.complex128)
    for qubit in range(n):
        split = (2**qubit, 2, 2 ** (n - 1 - qubit))
        if mixed:
            rho = states.reshape(batch, *split, *split)
            found[:, qubit] = np.einsum("bisjitj->bst", rho)
        else:
            psi = states.reshape(batch, *split)
            found[:, qubit] = np.einsum("bisj,bitj->bst", psi, psi.conj())
    return found


def bloch_vectors(states: States) -> NDArray[np.float64]:
    """Return the expectation values of X, Y, Z of every qubit, (B, n, 3)."""
    vectors: NDArray[np.float64] = np.einsum("bnst,kts->bnk", _single_qubit(states), _PAULI).real
    return vectors


def purities(bloch: NDArray[np.float64]) -> NDArray[np.float64]:
    """Tr rho_k^2 = (1 + |r_k|^2)/2 of every qubit, (..., n), from Bloch vectors (..., n, 3).

    1 for a qubit in a state of its own, 1/2 for one that alone says nothing.
    """
    purity: NDArray[np.float64] = 0.5 * (1.0 + (bloch**2).sum(axis=-1))
    return purity


def meyer_wallach(bloch: NDArray[np.float64]) -> NDArray[np.float64]:
    """Entanglement Q = 2 (1 - mean_k Tr rho_k^2) of pure states, (...), 0 to 1.

    Meyer and Wallach, J. Math. Phys. 43 (2002) 4273, in the form of Brennen, Quantum Inf. Comput. 3
    (2003) 619. Of a mixed state it also counts what noise has mixed, and is no entanglement.
    """
    entanglement: NDArray[np.float64] = 2.0 * (1.0 - purities(bloch).mean(axis=-1))
    return entanglement


def haar_entanglement(n_qubits: int) -> float:
    """Mean of Q over random states, (N - 2)/(N + 1) with N = 2**n.

    From the mean purity of one qubit of a random state (Lubkin, J. Math. Phys. 19 (1978) 1028).
    """
    dimension: int = 2**n_qubits
    return (dimension - 2) / (dimension + 1)


def fidelities(first: States, second: States) -> NDArray[np.float64]:
    """Return |<a|b>|^2 (B,) of pure states, pair by pair."""
    overlap: NDArray[np.float64] = np.abs((first.conj() * second).sum(axis=1)) ** 2
    return overlap


def haar_probabilities(edges: NDArray[np.float64], n_qubits: int) -> NDArray[np.float64]:
    """Probability of every bin of the fidelity of two random states, density (N-1)(1-F)^(N-2)."""
    above: NDArray[np.float64] = (1.0 - edges) ** (2**n_qubits - 1)
    return above[:-1] - above[1:]


def divergence_from_haar(
    fidelity: NDArray[np.float64], n_qubits: int, bins: int = 75
) -> tuple[float, float]:
    """Expressibility: KL divergence of a circuit's fidelities from those of random states.

    Sim, Johnson and Aspuru-Guzik, Adv. Quantum Technol. 2 (2019) 1900070, equation 13, in nats, 75
    bins as there; small is expressive. A circuit that does nothing has (N-1) ln(bins).

    Parameters
    ----------
    fidelity
        (M,) fidelities of independent pairs of the circuit's states.
    n_qubits
        Qubits of the circuit.
    bins
        Number of equal bins between 0 and 1.

    Returns
    -------
    tuple of float
        The divergence, and what M pairs of random states would show by chance: half the number of
        bins that can be filled, less one, over M (Wilks).
    """
    edges = np.linspace(0.0, 1.0, bins + 1)
    # Rounding may leave a fidelity a hair above 1.
    counts = np.histogram(np.clip(fidelity, 0.0, 1.0), edges)[0]
    share, expected = counts / len(fidelity), haar_probabilities(edges, n_qubits)
    filled = counts > 0
    divergence = float((share[filled] * np.log(share[filled] / expected[filled])).sum())
    reachable = int((expected * len(fidelity) > 1.0).sum())
    return divergence, max(reachable - 1, 0) / (2.0 * len(fidelity))
