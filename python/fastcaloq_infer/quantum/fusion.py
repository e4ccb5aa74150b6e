"""Compile a circuit's gate lists into few large steps.

Single-qubit gates between two entanglers fuse into one 2x2 matrix per qubit, CNOT and CZ into one
permutation with signs. Pure NumPy bookkeeping, done once per circuit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.quantum.gates import SINGLE_QUBIT, Gate, bits, parity_signs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.quantum.circuit import Circuit


@dataclass
class Rotations:
    """Single-qubit gates, per qubit in order of application.

    ``slot`` is this step's place in the batched 2x2 matrices of the whole program.
    """

    gates: list[list[Gate]]
    slot: int = -1


@dataclass
class Shuffle:
    """new[k] = sign[k] * old[source[k]]; ``sign`` is None where all are +1."""

    source: NDArray[np.int64]
    sign: NDArray[np.float64] | None


@dataclass
class Phases:
    """new[k] = exp(-i sum_g weights[parameters[g]]/2 * pattern[g, k]) * old[k]."""

    parameters: NDArray[np.int64]
    pattern: NDArray[np.float64]


Step = Rotations | Shuffle | Phases


@dataclass
class Program:
    """Steps after each upload, and the tables from which all 2x2 matrices are built at once.

    Attributes
    ----------
    uploads
        For every upload the steps that follow it, basis changes included.
    parameter
        Index into the flattened weights with one 0 appended, shape (slots, qubits, depth).
    cosine, sine
        A and B of `gates.SINGLE_QUBIT`, shape (slots, qubits, depth, 2, 2).
    initial
        State before the first diagonal phases, shape (2**n_qubits,).
    pattern
        Phase of every basis state per encoding angle (or product), halved, (angles, 2**n_qubits).
    factors
        Qubits whose angles make each row of ``pattern``.
    final
        The last entangler, left out of ``uploads``: it only relabels what is measured.
    """

    uploads: list[list[Step]]
    parameter: NDArray[np.int64]
    cosine: NDArray[np.complex128]
    sine: NDArray[np.complex128]
    initial: NDArray[np.complex128]
    pattern: NDArray[np.float64]
    factors: list[tuple[int, ...]]
    final: Shuffle | None


def _shuffle(gate: Gate, n_qubits: int) -> Shuffle:
    table = bits(n_qubits)
    states = np.arange(2**n_qubits)
    first, second = gate.wires
    if gate.name == "CNOT":
        flip = table[first] << (n_qubits - 1 - second)
        return Shuffle(states ^ flip, None)
    return Shuffle(states, 1.0 - 2.0 * (table[first] & table[second]))


def _after(first: Shuffle, second: Shuffle) -> Shuffle:
    """Compose: ``first``, then ``second``."""
    sign = None if first.sign is None else first.sign[second.source]
    if second.sign is not None:
        sign = second.sign if sign is None else sign * second.sign
    return Shuffle(first.source[second.source], sign)


def fuse(gates: list[Gate], n_qubits: int) -> list[Step]:
    """Group a gate list into steps; gates on other qubits commute past one another."""
    steps: list[Step] = []
    for gate in gates:
        last = steps[-1] if steps else None
        if gate.name in SINGLE_QUBIT:
            if not isinstance(last, Rotations):
                last = Rotations([[] for _ in range(n_qubits)])
                steps.append(last)
            last.gates[gate.wires[0]].append(gate)
        elif gate.name == "IsingZZ":
            pattern = 0.5 * parity_signs(n_qubits, [gate.wires])
            index = np.array([gate.parameter])
            if isinstance(last, Phases):
                last.parameters = np.concatenate([last.parameters, index])
                last.pattern = np.concatenate([last.pattern, pattern])
            else:
                steps.append(Phases(index, pattern))
        else:
            shuffle = _shuffle(gate, n_qubits)
            if isinstance(last, Shuffle):
                steps[-1] = _after(last, shuffle)
            else:
                steps.append(shuffle)
    return steps


def _basis_gates(circuit: Circuit, name: str) -> list[Gate]:
    if circuit.input_encoding.axis == "Z":
        return []
    return [Gate(f"{name}{circuit.input_encoding.axis}", (q,)) for q in range(circuit.n_qubits)]


def prefix_matrix(circuit: Circuit) -> NDArray[np.complex128]:
    """Product (2, 2) of the constant gates on every qubit before the first diagonal phases."""
    gates = circuit.input_encoding.prefix(1) + _basis_gates(circuit, "BasisAdjoint")[:1]
    single = np.eye(2, dtype=np.complex128)
    for gate in gates:  # the same on every qubit
        single = SINGLE_QUBIT[gate.name][0] @ single
    return single


def _initial_state(circuit: Circuit) -> NDArray[np.complex128]:
    """|0...0> after the gates before the first diagonal phases."""
    single = prefix_matrix(circuit)[:, 0]
    state: NDArray[np.complex128] = np.ones(1, dtype=np.complex128)
    for _ in range(circuit.n_qubits):
        state = np.kron(state, single).astype(np.complex128)
    return state


def compile_circuit(circuit: Circuit) -> Program:
    """Compile the whole circuit."""
    n = circuit.n_qubits
    per_layer = circuit.weight_shape[1]
    encoding = circuit.input_encoding
    uploads = []
    for upload in range(circuit.n_uploads):
        gates = _basis_gates(circuit, "Basis")
        for layer in circuit.upload_layers(upload):
            gates += [
                Gate(
                    g.name,
                    g.wires,
                    None if g.parameter is None else layer * per_layer + g.parameter,
                )
                for g in circuit.layer_gates(layer)
            ]
        if upload + 1 < circuit.n_uploads:
            gates += encoding.prefix(n) + _basis_gates(circuit, "BasisAdjoint")
        uploads.append(fuse(gates, n))
    rotations = [step for steps in uploads for step in steps if isinstance(step, Rotations)]
    depth = max((len(g) for step in rotations for g in step.gates), default=0)
    shape = (len(rotations), n, depth)
    parameter = np.full(shape, circuit.n_layers * per_layer)  # the appended 0
    cosine = np.broadcast_to(np.eye(2, dtype=np.complex128), (*shape, 2, 2)).copy()
    sine = np.zeros((*shape, 2, 2), dtype=np.complex128)
    for slot, step in enumerate(rotations):
        step.slot = slot
        for q, sequence in enumerate(step.gates):
            for k, gate in enumerate(sequence):
                cosine[slot, q, k], sine[slot, q, k] = SINGLE_QUBIT[gate.name]
                if gate.parameter is not None:
                    parameter[slot, q, k] = gate.parameter
    final = uploads[-1].pop() if uploads[-1] and isinstance(uploads[-1][-1], Shuffle) else None
    return Program(
        uploads=uploads,
        parameter=parameter,
        cosine=cosine,
        sine=sine,
        initial=_initial_state(circuit),
        pattern=0.5 * parity_signs(n, encoding.factors(n)),
        factors=encoding.factors(n),
        final=final if isinstance(final, Shuffle) else None,
    )
