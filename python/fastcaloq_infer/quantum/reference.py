"""The circuit as a PennyLane QNode: the reference, on any device, with shots if wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pennylane as qml
import torch
from torch import Tensor, nn

from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.quantum.initial import initial_input_weights, initial_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastcaloq_infer.quantum.circuit import Circuit


def _device(name: str, n_qubits: int) -> Any:
    try:
        return qml.device(name, wires=n_qubits)
    except qml.exceptions.DeviceError as error:
        raise ConfigError(
            f"quantum: device {name!r} is not installed, so the circuit cannot run on it: "
            "install its PennyLane plugin or use 'default.qubit'"
        ) from error


def qnode(
    circuit: Circuit,
    device: Any = "default.qubit",
    shots: int | None = None,
    diff_method: str = "best",
) -> Callable[[Tensor, Tensor, Tensor], tuple[Tensor, ...]]:
    """Build the QNode ``f(c, input_weights, weights)``.

    Parameters
    ----------
    circuit
        What to run.
    device
        Name of a PennyLane device, or a device with at least ``n_qubits`` wires.
    shots
        Measurements per expectation value; None for exact values.
    diff_method
        PennyLane's name: "best", "backprop", "adjoint", "parameter-shift", ...

    Returns
    -------
    Callable
        Maps inputs (B, n_inputs), input weights (n_uploads, n_qubits, n_inputs) and weights
        (n_layers, angles) to n_features expectation values of shape (B,).

    Raises
    ------
    ConfigError
        The device is not installed.
    """
    dev = _device(device, circuit.n_qubits) if isinstance(device, str) else device
    encoding = circuit.input_encoding

    def run(c: Tensor, input_weights: Tensor, weights: Tensor) -> list[Any]:
        for upload in range(circuit.n_uploads):
            angles = c @ input_weights[upload].T
            for gate in encoding.prefix(circuit.n_qubits):
                getattr(qml, gate.name)(wires=gate.wires)
            for turn in encoding.rotations(circuit.n_qubits):
                angle = angles[:, list(turn.factors)].prod(dim=1)
                getattr(qml, turn.name)(angle, wires=turn.wires)
            for layer in circuit.upload_layers(upload):
                for gate in circuit.layer_gates(layer):
                    values = () if gate.parameter is None else (weights[layer, gate.parameter],)
                    getattr(qml, gate.name)(*values, wires=gate.wires)
        return [qml.expval(qml.prod(*map(qml.PauliZ, group))) for group in circuit.readout]

    node = qml.QNode(run, dev, interface="torch", diff_method=diff_method)
    if shots is not None:
        node = qml.set_shots(node, shots=shots)
    return node  # type: ignore[no-any-return]


class ReferenceCircuit(nn.Module):
    """The QNode as a layer with the parameters of `ContractedCircuit` (same state_dict).

    Input (B, n_inputs), output (B, n_features) in the input's dtype.
    """

    def __init__(
        self,
        circuit: Circuit,
        device: Any = "default.qubit",
        shots: int | None = None,
        diff_method: str = "best",
    ) -> None:
        super().__init__()
        self.circuit = circuit
        self.input_weights = nn.Parameter(initial_input_weights(circuit))
        self.weights = nn.Parameter(initial_weights(circuit))
        self._qnode = qnode(circuit, device, shots, diff_method)

    def forward(self, c: Tensor) -> Tensor:
        """Evaluate the expectation values, shape (B, n_features)."""
        values = self._qnode(c, self.input_weights.to(c.dtype), self.weights.to(c.dtype))
        # One sample measured with shots comes back without its axis.
        return torch.stack([value.reshape(len(c)) for value in values], dim=1).to(c.dtype)
