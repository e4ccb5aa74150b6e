"""A trained circuit as constant real matrices: what an artefact carries, and its evaluation.

state = initial; for every upload: phi = monomials(c) @ phases, state <- exp(-i phi) state,
[re, im] <- [re, im] @ matrix; features = (re^2 + im^2) @ readout.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.quantum.gates import parity_signs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.quantum.circuit import Circuit
    from fastcaloq_infer.quantum.fusion import Program

#: 10 qubits make 32 MiB per upload in float64, twelve would make 512 MiB.
MAX_EXPORT_QUBITS = 10


def monomials(c: NDArray[np.float64], degree: int) -> NDArray[np.float64]:
    """Products of the inputs up to ``degree``, by degree: (c0, c1, c0^2, c0 c1, c1^2).

    Shape (B, n_inputs) to (B, F). No constant: it would be a global phase.
    """
    columns = [
        c[:, list(index)].prod(axis=1)
        for power in range(1, degree + 1)
        for index in combinations_with_replacement(range(c.shape[1]), power)
    ]
    return np.stack(columns, axis=1)


@dataclass(frozen=True)
class CircuitConstants:
    """The embedded form; D = 2**n_qubits, F monomials, Q features, all float64.

    Attributes
    ----------
    initial_state
        (2D,) real parts, then imaginary parts.
    phases
        Per upload (F, D), radians per unit of the monomial.
    matrices
        Per upload (2D, 2D), to be multiplied from the right to a row (re, im).
    readout
        (D, Q) eigenvalues.
    monomial_degree
        1 or 2.
    """

    initial_state: NDArray[np.float64]
    phases: list[NDArray[np.float64]]
    matrices: list[NDArray[np.float64]]
    readout: NDArray[np.float64]
    monomial_degree: int

    def evaluate(self, c: NDArray[np.float64]) -> NDArray[np.float64]:
        """Features (B, Q) of inputs (B, n_inputs)."""
        dimension = len(self.readout)
        powers = monomials(np.asarray(c, dtype=np.float64), self.monomial_degree)
        rows = np.broadcast_to(self.initial_state, (len(c), 2 * dimension))
        for phases, matrix in zip(self.phases, self.matrices, strict=True):
            phi = powers @ phases
            cos, sin = np.cos(phi), np.sin(phi)
            re, im = rows[:, :dimension], rows[:, dimension:]
            rows = np.concatenate([re * cos + im * sin, im * cos - re * sin], axis=1) @ matrix
        re, im = rows[:, :dimension], rows[:, dimension:]
        features: NDArray[np.float64] = (re**2 + im**2) @ self.readout
        return features


def check_size(circuit: Circuit) -> None:
    """Refuse a circuit whose matrices would not fit into an artefact.

    Raises
    ------
    ConfigError
        Says how large they would be.
    """
    if circuit.n_qubits > MAX_EXPORT_QUBITS:
        size = 8 * (2 * circuit.dimension) ** 2 * circuit.n_uploads / 2**20
        raise ConfigError(
            f"quantum: the constant matrices of {circuit.n_qubits} qubits would take {size:.0f} MiB"
            f" in the model: use at most {MAX_EXPORT_QUBITS} qubits or a precomputed table"
        )


def _phase_table(
    circuit: Circuit, program: Program, input_weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Coefficients of the monomials in every basis state's phase, (F, D)."""
    n, inputs = circuit.n_qubits, range(circuit.n_inputs)
    table = [input_weights.T @ program.pattern[:n]]
    if circuit.monomial_degree == 2:
        left, right = np.array(program.factors[n:], dtype=np.int64).reshape(-1, 2).T
        for p, q in combinations_with_replacement(inputs, 2):
            product = input_weights[left, p] * input_weights[right, q]
            if p != q:
                product = product + input_weights[left, q] * input_weights[right, p]
            table.append((product @ program.pattern[n:])[None, :])
    return np.concatenate(table)


def real_form(
    circuit: Circuit,
    program: Program,
    input_weights: NDArray[np.float64],
    matrices: list[NDArray[np.complex128]],
) -> CircuitConstants:
    """Write contracted complex matrices, acting on columns, as real ones acting on rows."""
    return CircuitConstants(
        initial_state=np.concatenate([program.initial.real, program.initial.imag]),
        phases=[_phase_table(circuit, program, weights) for weights in input_weights],
        matrices=[np.block([[m.real.T, m.imag.T], [-m.imag.T, m.real.T]]) for m in matrices],
        readout=parity_signs(circuit.n_qubits, circuit.readout).T.copy(),
        monomial_degree=circuit.monomial_degree,
    )
