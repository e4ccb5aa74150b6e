"""The circuit as a PennyLane QNode: the reference, on any device, with shots and noise."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pennylane as qml
import torch
from torch import Tensor, nn
from torch.nn import functional

from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.memory import available_memory, gigabytes
from fastcaloq_infer.quantum.distinct import distinct_rows
from fastcaloq_infer.quantum.execution import DensityMatrices, Execution
from fastcaloq_infer.quantum.initial import initial_input_weights, initial_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastcaloq_infer.quantum.circuit import Circuit

__all__ = ["ReferenceCircuit", "make_device", "qnode", "takes_seed"]

_NUMBER = 16  # bytes of a complex128
_COPIES = 3  # states that a simulator holds at once: before and after a gate, and a product
_AT_ONCE = 2**28  # bytes of states evaluated together

EXACT = Execution()


def make_device(name: str, n_qubits: int, seed: int | None = None) -> Any:
    """Return the PennyLane device of that name; ``seed`` starts its random numbers.

    Raises
    ------
    ConfigError
        The device is not installed.
    """
    settings = {} if seed is None else {"seed": seed}
    try:
        return qml.device(name, wires=n_qubits, **settings)
    except qml.exceptions.DeviceError as error:
        raise ConfigError(
            f"quantum: device {name!r} is not installed, so the circuit cannot run on it: "
            "install its PennyLane plugin or use 'default.qubit'"
        ) from error


@lru_cache(maxsize=32)
def takes_seed(name: str, n_qubits: int) -> bool:
    """Whether the device can be told where its random numbers start."""
    try:
        qml.device(name, wires=n_qubits, seed=0)
    except Exception:  # no such argument, or no such device: that is said where it is made
        return False
    return True


def qnode(
    circuit: Circuit,
    execution: Execution = EXACT,
    device: Any = None,
    *,
    probabilities: bool = False,
    one_by_one: bool = False,
) -> Callable[[Tensor, Tensor, Tensor], Any]:
    """Build the QNode ``f(c, input_weights, weights)``.

    Parameters
    ----------
    circuit
        What to run.
    execution
        Device, shots, noise and the method of gradients.
    device
        A device with at least ``n_qubits`` wires, in place of the named one.
    probabilities
        Return the probabilities (B, 2^n) of the outcomes in place of expectation values.
    one_by_one
        Run the circuit once per row, as gradients of the inputs' angles need it that are not taken
        by backpropagation.

    Returns
    -------
    Callable
        Maps inputs (B, n_inputs), input weights (n_uploads, n_qubits, n_inputs) and weights
        (n_layers, angles) to n_features expectation values of shape (B,).

    Raises
    ------
    ConfigError
        The device is not installed, or its memory would not suffice.
    """
    if device is None:
        _refuse_too_large(circuit, execution)
        device = make_device(execution.device_name, circuit.n_qubits)
    encoding = circuit.input_encoding

    def apply(name: str, wires: tuple[int, ...], *angles: Tensor) -> None:
        getattr(qml, name)(*angles, wires=wires)
        if execution.depolarising > 0:
            for wire in wires:
                qml.DepolarizingChannel(execution.depolarising, wires=wire)

    def run(c: Tensor, input_weights: Tensor, weights: Tensor) -> Any:
        for upload in range(circuit.n_uploads):
            angles = c @ input_weights[upload].T
            for gate in encoding.prefix(circuit.n_qubits):
                apply(gate.name, gate.wires)
            for turn in encoding.rotations(circuit.n_qubits):
                apply(turn.name, turn.wires, angles[:, list(turn.factors)].prod(dim=1))
            for layer in circuit.upload_layers(upload):
                for gate in circuit.layer_gates(layer):
                    values = () if gate.parameter is None else (weights[layer, gate.parameter],)
                    apply(gate.name, gate.wires, *values)
        if execution.readout_error > 0:
            for qubit in range(circuit.n_qubits):
                qml.BitFlip(execution.readout_error, wires=qubit)
        if probabilities:
            return qml.probs(wires=range(circuit.n_qubits))
        return [qml.expval(qml.prod(*map(qml.PauliZ, group))) for group in circuit.readout]

    node = qml.QNode(run, device, interface="torch", diff_method=execution.diff_method)
    if execution.shots is not None:
        node = qml.set_shots(node, shots=execution.shots)
    if one_by_one:
        node = qml.transforms.broadcast_expand(node)
    return node  # type: ignore[no-any-return]


_shared_qnode = lru_cache(maxsize=32)(qnode)


class ReferenceCircuit(nn.Module):
    """The QNode as a layer with the parameters of `ContractedCircuit` (same state_dict).

    Input (B, n_inputs), output (B, n_features) in the input's dtype; evaluated in float64. Equal
    conditions of a batch are evaluated once, with ``fresh_shots`` each by itself.

    Measured values are those of a seed that is a hash of torch's initial seed, the conditions and
    the weights: the same in every run, anew after every step of a training, and others after
    ``torch.manual_seed``. Devices that take no seed (hardware) measure as they like.

    Parameters
    ----------
    circuit
        What to run.
    execution
        Device, shots, noise and the method of gradients.
    device
        A device to use in place of the named one, whatever its seed.

    Raises
    ------
    ConfigError
        The device is not installed, or cannot run the circuit.
    """

    def __init__(self, circuit: Circuit, execution: Execution = EXACT, device: Any = None) -> None:
        super().__init__()
        self.circuit = circuit
        self.execution = execution
        self.input_weights = nn.Parameter(initial_input_weights(circuit))
        self.weights = nn.Parameter(initial_weights(circuit))
        self._device = device
        self._seeded = (
            device is None
            and execution.shots is not None
            and takes_seed(execution.device_name, circuit.n_qubits)
        )
        self._backprop = execution.diff_method == "backprop" or (
            execution.diff_method == "best" and device is None and execution.simulated
        )
        side = 4 if execution.device_name in DensityMatrices else 2
        self._rows = max(1, _AT_ONCE // (_NUMBER * side**circuit.n_qubits))
        if device is None:
            _shared_qnode(circuit, execution)  # says what is wrong with it

    def forward(self, c: Tensor) -> Tensor:
        """Evaluate the expectation values, shape (B, n_features)."""
        fresh = self.execution.fresh_shots and self.execution.shots is not None
        distinct = None if fresh else distinct_rows(c)
        if distinct is None:
            return self._features(c)
        return functional.embedding(distinct[1], self._features(distinct[0]))

    def _features(self, c: Tensor) -> Tensor:
        starts = range(0, max(len(c), 1), self._rows)
        parts = [self._measured(c[start : start + self._rows], start) for start in starts]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _measured(self, c: Tensor, start: int) -> Tensor:
        inputs = c.double(), self.input_weights.double(), self.weights.double()
        values = self._node(start, *inputs)(*inputs)
        # One sample measured with shots comes back without its axis.
        return torch.stack([value.reshape(len(c)) for value in values], dim=1).to(c.dtype)

    def _node(self, start: int, *inputs: Tensor) -> Callable[..., Any]:
        circuit, execution = self.circuit, self.execution
        one_by_one = torch.is_grad_enabled() and inputs[1].requires_grad and not self._backprop
        if self._device is not None:
            return qnode(circuit, execution, self._device, one_by_one=one_by_one)
        if not self._seeded:
            return _shared_qnode(circuit, execution, one_by_one=one_by_one)
        seed = _digest(torch.initial_seed(), start, *inputs)
        device = make_device(execution.device_name, circuit.n_qubits, seed)
        return qnode(circuit, execution, device, one_by_one=one_by_one)


def _digest(seed: int, start: int, *tensors: Tensor) -> int:
    """Return a seed of 32 bits out of a seed of 64, a place and what is evaluated."""
    digest = hashlib.sha256(f"{seed} {start}".encode())
    for tensor in tensors:
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return int.from_bytes(digest.digest()[:4], "little")


def _refuse_too_large(circuit: Circuit, execution: Execution) -> None:
    """Refuse a density matrix for which there is no memory."""
    if execution.device_name not in DensityMatrices:
        return  # the largest circuit has states of 1 MiB
    needed, available = _COPIES * _NUMBER * 4**circuit.n_qubits, available_memory()
    if available is not None and needed > available:
        raise ConfigError(
            f"quantum: {_COPIES} density matrices of {circuit.n_qubits} qubits take "
            f"{gigabytes(needed)}, of which {gigabytes(available)} are available: use fewer qubits,"
            " or a device without noise"
        )
