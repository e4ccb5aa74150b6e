"""Variational layers: an ansatz is a function that lists the gates of one layer.

A new one is a function and a decorator; every realisation (PennyLane, contracted, constants)
follows from its list::

    @ansatz("ry_line")
    def ry_line(n_qubits: int, layer: int) -> list[Gate]:
        rotations = [Gate("RY", (q,), q) for q in range(n_qubits)]
        return rotations + [Gate("CZ", (q, q + 1)) for q in range(n_qubits - 1)]
"""

from __future__ import annotations

from collections.abc import Callable

from fastcaloq_infer.quantum.gates import Gate

#: (n_qubits, layer number from 0) -> gates in order of application.
Ansatz = Callable[[int, int], list[Gate]]

ANSATZE: dict[str, Ansatz] = {}


def ansatz(name: str) -> Callable[[Ansatz], Ansatz]:
    """Register the decorated function as the ansatz ``name``."""

    def register(function: Ansatz) -> Ansatz:
        ANSATZE[name] = function
        return function

    return register


def _rotations(n_qubits: int, names: tuple[str, str, str]) -> list[Gate]:
    """Three rotations on every qubit; weights ordered (qubit, rotation)."""
    return [Gate(name, (q,), 3 * q + k) for q in range(n_qubits) for k, name in enumerate(names)]


@ansatz("rotation_ring")
def rotation_ring(n_qubits: int, layer: int) -> list[Gate]:
    """RZ, RY, RX on every qubit, then CNOTs 0->1, 1->2, ..., n-1->0 one after the other.

    The study's circuit. Read backwards from a measurement, the sequence makes each Z a parity
    of many qubits.
    """
    ring = [Gate("CNOT", (q, (q + 1) % n_qubits)) for q in range(n_qubits) if n_qubits > 1]
    return _rotations(n_qubits, ("RZ", "RY", "RX")) + ring


@ansatz("rotation_linear")
def rotation_linear(n_qubits: int, layer: int) -> list[Gate]:
    """As `rotation_ring` without the CNOT that closes the ring."""
    line = [Gate("CNOT", (q, q + 1)) for q in range(n_qubits - 1)]
    return _rotations(n_qubits, ("RZ", "RY", "RX")) + line


@ansatz("rotation_brickwork")
def rotation_brickwork(n_qubits: int, layer: int) -> list[Gate]:
    """RZ, RY, RX on every qubit, then CNOTs on even bonds (even layers) or odd bonds (odd layers).

    No qubit takes part in two CNOTs of a layer, so each Z spreads over two qubits per layer only.
    With an even number of qubits the odd bonds include n-1->0.
    """
    start = layer % 2
    stop = n_qubits if n_qubits % 2 == 0 and n_qubits > 2 else n_qubits - 1
    if n_qubits == 2:
        start = 0
    bonds = [(q, (q + 1) % n_qubits) for q in range(start, stop, 2)]
    return _rotations(n_qubits, ("RZ", "RY", "RX")) + [Gate("CNOT", bond) for bond in bonds]


@ansatz("strongly_entangling")
def strongly_entangling(n_qubits: int, layer: int) -> list[Gate]:
    """PennyLane's StronglyEntanglingLayers (Schuld et al. 2020, Phys. Rev. A 101, 032308).

    Rot(a, b, c) = RZ(c) RY(b) RZ(a) on every qubit, then CNOT q -> q + r with range
    r = layer mod (n-1) + 1.
    """
    if n_qubits == 1:
        return _rotations(1, ("RZ", "RY", "RZ"))
    reach = layer % (n_qubits - 1) + 1
    cnots = [Gate("CNOT", (q, (q + reach) % n_qubits)) for q in range(n_qubits)]
    return _rotations(n_qubits, ("RZ", "RY", "RZ")) + cnots


@ansatz("rotation_product")
def rotation_product(n_qubits: int, layer: int) -> list[Gate]:
    """RZ, RY, RX on every qubit and no entanglement: the control experiment."""
    return _rotations(n_qubits, ("RZ", "RY", "RX"))


def _neighbours(n_qubits: int, layer: int) -> list[tuple[int, int]]:
    """Bonds of a line: even ones in even layers, odd ones in odd layers, the only one always."""
    start = layer % 2 if n_qubits > 2 else 0
    return [(q, q + 1) for q in range(start, n_qubits - 1, 2)]


@ansatz("real_brickwork")
def real_brickwork(n_qubits: int, layer: int) -> list[Gate]:
    """RY on every qubit, then CNOTs on alternating bonds: real amplitudes stay real."""
    turns = [Gate("RY", (q,), q) for q in range(n_qubits)]
    return turns + [Gate("CNOT", bond) for bond in _neighbours(n_qubits, layer)]


@ansatz("rotation_ising")
def rotation_ising(n_qubits: int, layer: int) -> list[Gate]:
    """RZ, RY, RX on every qubit, then exp(-i angle/2 Z Z) on alternating bonds.

    The identity at angles of 0, unlike those with CNOTs.
    """
    pairs = [
        Gate("IsingZZ", bond, 3 * n_qubits + k)
        for k, bond in enumerate(_neighbours(n_qubits, layer))
    ]
    return _rotations(n_qubits, ("RZ", "RY", "RX")) + pairs
