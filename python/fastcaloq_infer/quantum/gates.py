"""The gates a circuit may use, as numbers: the one table behind every realisation.

Qubit 0 is the most significant bit of a basis state's number (PennyLane's order).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Gate:
    """One gate: PennyLane's class name, its wires and, if it has an angle, where the angle is.

    ``parameter`` counts within the weights of the gate's own layer.
    """

    name: str
    wires: tuple[int, ...]
    parameter: int | None = None


def _matrix(rows: Sequence[Sequence[complex]], scale: float = 1.0) -> NDArray[np.complex128]:
    return np.array(rows, dtype=np.complex128) * scale


IDENTITY = _matrix([[1, 0], [0, 1]])
PAULI = {
    "X": _matrix([[0, 1], [1, 0]]),
    "Y": _matrix([[0, -1j], [1j, 0]]),
    "Z": _matrix([[1, 0], [0, -1]]),
}
HADAMARD = _matrix([[1, 1], [1, -1]], np.sqrt(0.5))
ZERO = np.zeros((2, 2), dtype=np.complex128)

#: Basis in which a Pauli axis is diagonal: axis = basis @ Z @ basis^dagger.
BASIS = {"X": HADAMARD, "Y": _matrix([[1, 1], [1j, -1j]], np.sqrt(0.5)), "Z": IDENTITY}

#: name -> (A, B): the 2x2 matrix of a single-qubit gate is cos(angle/2) A + sin(angle/2) B.
#: A gate without an angle has angle 0. "Basis*" are the basis changes of the encodings.
SINGLE_QUBIT: dict[str, tuple[NDArray[np.complex128], NDArray[np.complex128]]] = {
    **{f"R{axis}": (IDENTITY, -1j * matrix) for axis, matrix in PAULI.items()},
    **{f"Pauli{axis}": (matrix, ZERO) for axis, matrix in PAULI.items()},
    "Hadamard": (HADAMARD, ZERO),
    **{f"Basis{axis}": (basis, ZERO) for axis, basis in BASIS.items()},
    **{f"BasisAdjoint{axis}": (basis.conj().T, ZERO) for axis, basis in BASIS.items()},
}

#: Gates with an angle, and gates on two qubits; IsingZZ(angle) = exp(-i angle/2 Z Z).
PARAMETRISED = frozenset({"RX", "RY", "RZ", "IsingZZ"})
TWO_QUBIT = frozenset({"CNOT", "CZ", "IsingZZ"})
ALLOWED = frozenset(n for n in SINGLE_QUBIT if not n.startswith("Basis")) | TWO_QUBIT


def bits(n_qubits: int) -> NDArray[np.int64]:
    """Bit of every qubit in every basis state, shape (n_qubits, 2**n_qubits), 0 or 1."""
    states = np.arange(2**n_qubits)
    return np.stack([(states >> (n_qubits - 1 - q)) & 1 for q in range(n_qubits)])


def parity_signs(n_qubits: int, groups: Iterable[tuple[int, ...]]) -> NDArray[np.float64]:
    """Eigenvalues +-1 of products of Pauli Z, shape (len(groups), 2**n_qubits)."""
    table = 1.0 - 2.0 * bits(n_qubits)
    return np.stack([table[list(group)].prod(axis=0) for group in groups])


def ring_pairs(n_qubits: int) -> list[tuple[int, int]]:
    """Neighbours on a ring, every pair once: none for 1 qubit, one for 2, n for n > 2."""
    if n_qubits == 1:
        return []
    count = 1 if n_qubits == 2 else n_qubits
    return [(i, (i + 1) % n_qubits) for i in range(count)]


def check_gates(gates: Sequence[Gate], n_qubits: int, ansatz: str) -> None:
    """Refuse a gate list that no realisation could run.

    Raises
    ------
    ConfigError
        Names the ansatz and the first gate that is unknown, misses its wires or its angle.
    """
    for gate in gates:
        place = f"ansatz {ansatz!r}: gate {gate.name!r} on wires {gate.wires}"
        if gate.name not in ALLOWED:
            raise ConfigError(
                f"{place} is unknown, so it cannot be contracted: use one of {sorted(ALLOWED)}"
            )
        n_wires = 2 if gate.name in TWO_QUBIT else 1
        if len(set(gate.wires)) != n_wires or len(gate.wires) != n_wires:
            raise ConfigError(f"{place} acts on {n_wires} different qubits: correct its wires")
        if not all(0 <= wire < n_qubits for wire in gate.wires):
            raise ConfigError(
                f"{place} leaves the register: the circuit has qubits 0 to {n_qubits - 1}"
            )
        if (gate.parameter is not None) != (gate.name in PARAMETRISED):
            needs = "needs" if gate.name in PARAMETRISED else "takes no"
            raise ConfigError(f"{place} {needs} angle: correct its parameter index")
        if gate.parameter is not None and gate.parameter < 0:
            raise ConfigError(f"{place} has a negative parameter index: count from 0")
