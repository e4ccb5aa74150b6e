"""A circuit as a distribution: the state it makes, measured once in the computational basis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import torch
from torch import Tensor, nn

from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.quantum.evolution import Evolution
from fastcaloq_infer.quantum.initial import initial_input_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastcaloq_infer.quantum.circuit import Circuit

__all__ = ["BornCircuit", "OutputBasis", "check_start"]

OutputBasis = Literal["computational", "qft", "qft_registers"]
"""What is done before the measurement: nothing, or quantum Fourier transforms."""


def check_start(start: str, n_qubits: int) -> str:
    """Return ``start`` where it names a state of the register.

    Raises
    ------
    ConfigError
        Neither "+" nor as many characters 0 and 1 as there are qubits, or one for all.
    """
    if start != "+" and not (len(start) in (1, n_qubits) and set(start) <= {"0", "1"}):
        raise ConfigError(
            f"quantum: start = {start!r} is no state of {n_qubits} qubits: give '+' for the "
            f"uniform superposition, or {n_qubits} characters 0 and 1 (one stands for all)"
        )
    return start


class BornCircuit(nn.Module):
    r"""Probabilities :math:`p(x|c) = |\langle x|F\,U(c)|z\rangle|^2` of all D basis states.

    D = 2**n_qubits, qubit 0 the most significant bit. States have shape (K, D), complex128; the
    whole state is computed, so that probabilities and gradients are exact.

    Parameters
    ----------
    circuit
        U: encoding, ansatz and layers; its observables are not used.
    start
        z, one character per qubit ("0", "1"; one stands for all), or "+" for the uniform
        superposition.
    output
        F: the identity; "qft", :math:`|j\rangle \to D^{-1/2} \sum_k e^{2\pi i jk/D} |k\rangle`;
        "qft_registers", the same on every register.
    registers
        Number of qubits of every register, n_qubits in all; None: a single one.
    spread
        Starting weights are uniform in +-0.3 pi times this.

    Attributes
    ----------
    input_weights
        Angles per unit of input, (n_uploads, n_qubits, n_inputs), trained.

    Raises
    ------
    ConfigError
        ``start`` or ``registers`` do not fit the qubits, or the output basis is unknown.
    """

    def __init__(
        self,
        circuit: Circuit,
        start: str = "0",
        output: OutputBasis = "computational",
        registers: Sequence[int] | None = None,
        spread: float = 1.0,
    ) -> None:
        super().__init__()
        self.circuit = circuit
        self.start = check_start(start, circuit.n_qubits)
        self.output = output
        self.registers = tuple(registers or (circuit.n_qubits,))
        if output not in get_args(OutputBasis):
            raise ConfigError(
                f"quantum: output = {output!r} is unknown: choose one of "
                f"{', '.join(get_args(OutputBasis))}"
            )
        if sum(self.registers) != circuit.n_qubits:
            raise ConfigError(
                f"quantum: registers {self.registers} hold {sum(self.registers)} qubits, but the "
                f"circuit has {circuit.n_qubits}: make them agree"
            )
        self.input_weights = nn.Parameter(initial_input_weights(circuit))
        self.evolution = Evolution(circuit, spread)

    def forward(self, c: Tensor) -> Tensor:
        """Probabilities (K, D), float64, of inputs (K, n_inputs); every row sums to 1."""
        return torch.view_as_real(self.states(c)).square().sum(dim=2)

    def states(self, c: Tensor) -> Tensor:
        """Return the states (K, D) before the measurement, of inputs (K, n_inputs)."""
        return self.apply_to(self.start_state(c.device).expand(len(c), -1), c)

    def start_state(self, device: torch.device | None = None) -> Tensor:
        """Return z as a state, (D,) complex128."""
        dimension = self.circuit.dimension
        if self.start == "+":
            return torch.full((dimension,), dimension**-0.5, dtype=torch.complex128, device=device)
        state = torch.zeros(dimension, dtype=torch.complex128, device=device)
        repeat = self.circuit.n_qubits // len(self.start)
        state[int(self.start * repeat, 2)] = 1.0
        return state

    def apply_to(self, states: Tensor, c: Tensor) -> Tensor:
        """Act on states (K, D), the k-th at the input c[k] of (K, n_inputs)."""
        return self._transform(self.evolution(states[:, None], self._angles(c))[:, 0])

    def undo(self, states: Tensor, c: Tensor) -> Tensor:
        """Act with the adjoint: ``undo(apply_to(states, c), c)`` is ``states``."""
        states = self._transform(states, adjoint=True)
        return self.evolution.adjoint(states[:, None], self._angles(c))[:, 0]

    def _angles(self, c: Tensor) -> Tensor:
        """Return the encoding angles (K, n_uploads, n_qubits), float64."""
        return torch.einsum("ki,uqi->kuq", c.double(), self.input_weights.double())

    def _transform(self, states: Tensor, *, adjoint: bool = False) -> Tensor:
        """Act with F or its adjoint; numpy's inverse transform has the sign of the quantum one."""
        if self.output == "computational":
            return states
        registers = (self.circuit.n_qubits,) if self.output == "qft" else self.registers
        shape = states.shape
        states = states.reshape(-1, *(2**n for n in registers))
        axes = tuple(range(1, states.ndim))
        transform = torch.fft.fftn if adjoint else torch.fft.ifftn
        transformed: Tensor = transform(states, dim=axes, norm="ortho")
        return transformed.reshape(shape)
