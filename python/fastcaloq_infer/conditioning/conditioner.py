"""Modules that turn the condition into the features every coupling subnet sees."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from fastcaloq_infer.conditioning.base import Conditioner
from fastcaloq_infer.conditioning.fourier import FourierConditioner
from fastcaloq_infer.conditioning.multilinear import MultilinearConditioner
from fastcaloq_infer.conditioning.perceptron import MLPConstants
from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.quantum.contracted import ContractedCircuit
from fastcaloq_infer.quantum.execution import Execution

if TYPE_CHECKING:
    from fastcaloq_infer.conditioning.config import QuantumConfig
    from fastcaloq_infer.quantum.circuit import Circuit
    from fastcaloq_infer.quantum.constants import CircuitConstants
    from fastcaloq_infer.quantum.reference import ReferenceCircuit

__all__ = [
    "ClassicalConditioner",
    "Conditioner",
    "FourierConditioner",
    "MultilinearConditioner",
    "NoConditioner",
    "QuantumConditioner",
    "build_conditioner",
    "matched_width",
]


class QuantumConditioner(Conditioner):
    """Expectation values of a trained circuit, exact or as ``execution`` says.

    Either way the weights are the same tensors under the same names, so a model trained exactly
    can be run with shots or noise, and the other way round.
    """

    kind = "conditioner"

    def __init__(self, circuit: Circuit, execution: Execution | None = None) -> None:
        super().__init__()
        self.execution = Execution() if execution is None else execution
        self.circuit: ContractedCircuit | ReferenceCircuit
        if self.execution.exact:
            self.circuit = ContractedCircuit(circuit)
        else:
            from fastcaloq_infer.quantum.reference import ReferenceCircuit  # loads PennyLane

            self.circuit = ReferenceCircuit(circuit, self.execution)
        self.n_features = circuit.n_features

    def with_all_shots(self) -> QuantumConditioner:
        """Return a conditioner of the same weights in the limit of many shots; noise stays."""
        unlimited = self.execution.model_copy(update={"shots": None, "fresh_shots": False})
        limit = QuantumConditioner(self.circuit.circuit, unlimited).to(self.circuit.weights)
        limit.load_state_dict(self.state_dict(), strict=True)
        return limit

    @property
    def contracted(self) -> ContractedCircuit:
        """The circuit with its present weights, without device, shots and noise."""
        if isinstance(self.circuit, ContractedCircuit):
            return self.circuit
        exact = ContractedCircuit(self.circuit.circuit).to(self.circuit.weights)
        exact.load_state_dict(self.circuit.state_dict(), strict=True)
        return exact

    def forward(self, c: Tensor) -> Tensor:
        """Features (N, Q) of conditions (N, 2)."""
        features: Tensor = self.circuit(c)
        return features

    def export_constants(self) -> CircuitConstants:
        """Real matrices of the contracted circuit.

        Raises
        ------
        ConfigError
            What the circuit's device measures is not what the matrices would give.
        """
        if not self.execution.undisturbed:
            raise ConfigError(
                "quantum: the matrices in a model file are exact, and this circuit runs with shots "
                "or noise: set quantum.shots, depolarising and readout_error back to export it"
            )
        return self.contracted.constants()


def matched_width(n_inputs: int, n_features: int, n_parameters: int) -> int:
    """Width of the one hidden layer that brings a network closest to ``n_parameters``."""
    return max(1, round((n_parameters - n_features) / (n_inputs + 1 + n_features)))


class ClassicalConditioner(Conditioner):
    """A tanh network with the circuit's inputs, features and about its number of parameters.

    tanh after the last layer as well, so that the features share the circuit's range [-1, 1].

    Raises
    ------
    InputError
        The input has not the shape (B, n_inputs).
    """

    kind = "classical"

    def __init__(self, circuit: Circuit) -> None:
        super().__init__()
        self.n_features = circuit.n_features
        self.n_inputs = circuit.n_inputs
        width = matched_width(circuit.n_inputs, circuit.n_features, circuit.n_parameters)
        self.hidden = [width]
        sizes = [circuit.n_inputs, *self.hidden, circuit.n_features]
        self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in pairwise(sizes))

    def forward(self, c: Tensor) -> Tensor:
        """Features (N, Q) of conditions (N, 2)."""
        c = self.checked(c, self.n_inputs)
        for layer in self.layers:
            c = torch.tanh(layer(c))
        return c

    def export_constants(self) -> MLPConstants:
        """Weights and biases."""
        arrays = [p.detach().to("cpu", torch.float64).numpy().copy() for p in self.parameters()]
        return MLPConstants(weights=[w.T.copy() for w in arrays[::2]], biases=arrays[1::2])


class NoConditioner(Conditioner):
    """No features."""

    kind = "none"
    n_features = 0

    def forward(self, c: Tensor) -> Tensor:
        """Return an empty (B, 0)."""
        return c.new_empty((len(c), 0))

    def export_constants(self) -> None:
        """Nothing to embed."""
        return


def build_conditioner(config: QuantumConfig) -> Conditioner:
    """Make the conditioner that ``config.kind`` names, with random starting weights."""
    conditioner = _build(config)
    return conditioner if config.trainable else conditioner.requires_grad_(False)


def _build(config: QuantumConfig) -> Conditioner:
    circuit = config.circuit
    if config.kind == "conditioner":
        return QuantumConditioner(circuit, config.execution)
    if config.kind == "classical":
        return ClassicalConditioner(circuit)
    if config.kind == "multilinear":
        return MultilinearConditioner(circuit)
    if config.kind == "fourier":
        return FourierConditioner(circuit, config.fourier_scale, readout=config.fourier_readout)
    return NoConditioner()
