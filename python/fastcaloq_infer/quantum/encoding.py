"""How the inputs enter the circuit: rotations about one axis by angles linear in the inputs.

Upload u turns qubit j by ``angle_j = input_weights[u, j] @ c``. Every encoding here is diagonal
in a constant single-qubit basis, which is what lets a circuit be exported as constant matrices
and diagonal phases.
"""

from __future__ import annotations

from dataclasses import dataclass

from fastcaloq_infer.quantum.gates import Gate, ring_pairs


@dataclass(frozen=True)
class EncodingGate:
    """A gate whose angle is the product of the angles of the qubits in ``factors``."""

    name: str
    wires: tuple[int, ...]
    factors: tuple[int, ...]


@dataclass(frozen=True)
class Encoding:
    """Rotations about ``axis`` on every qubit.

    ``hadamard`` puts a Hadamard on every qubit first; ``pairs`` adds exp(-i angle_i angle_j/2 Z Z)
    on the pairs of the ring (axis Z only).
    """

    axis: str
    hadamard: bool = False
    pairs: bool = False

    @property
    def monomial_degree(self) -> int:
        """Degree in the inputs of the phases: 1, or 2 with pairs."""
        return 2 if self.pairs else 1

    def factors(self, n_qubits: int) -> list[tuple[int, ...]]:
        """Qubits behind every phase, single qubits first, then pairs."""
        singles: list[tuple[int, ...]] = [(q,) for q in range(n_qubits)]
        return singles + (list(ring_pairs(n_qubits)) if self.pairs else [])

    def prefix(self, n_qubits: int) -> list[Gate]:
        """Constant gates before the rotations."""
        return [Gate("Hadamard", (q,)) for q in range(n_qubits)] if self.hadamard else []

    def rotations(self, n_qubits: int) -> list[EncodingGate]:
        """List the gates that depend on the inputs; they commute with one another."""
        names = {1: f"R{self.axis}", 2: "IsingZZ"}
        return [EncodingGate(names[len(f)], f, f) for f in self.factors(n_qubits)]


ENCODINGS: dict[str, Encoding] = {
    "angle_y": Encoding("Y"),
    "angle_x": Encoding("X"),
    # Havlicek et al. 2019, Nature 567, 209, with products of the angles as pair phases.
    "iqp": Encoding("Z", hadamard=True, pairs=True),
    # A rotation about Z leaves basis states alone, hence the Hadamards.
    "angle_z": Encoding("Z", hadamard=True),
}
