"""A trained circuit on a PennyLane device: simulators of any kind, hardware, shots."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.quantum.execution import Execution
from fastcaloq_infer.quantum.reference import ReferenceCircuit, make_device, takes_seed
from fastcaloq_infer.serving.conditions import scaled
from fastcaloq_infer.serving.source import BLOCK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.artefact.sections import Condition
    from fastcaloq_infer.conditioning import QuantumConditioner
    from fastcaloq_infer.serving.source import Device


class DeviceRun:
    """Evaluates the circuit of a conditioner on a device.

    With shots every condition is measured on its own, and the device's random numbers are seeded
    with a hash of (seed, condition): a feature depends on nothing else, so that a repeated request
    or a restarted service gives the same showers again. Devices that take no seed (hardware)
    measure anew after every start.

    Raises
    ------
    ConfigError
        The device is not installed, or cannot run the circuit.
    """

    def __init__(
        self, conditioner: QuantumConditioner, condition: Condition, device: Device
    ) -> None:
        self._circuit = conditioner.circuit.circuit
        self._state = conditioner.circuit.state_dict()
        self._condition = condition
        self._device = device
        if device.shots is not None and device.shots < 1:
            raise ConfigError(f"--shots {device.shots}: at least one shot is needed to measure")
        seeded = device.shots is not None and takes_seed(device.name, self._circuit.n_qubits)
        self.reproducible = device.shots is None or seeded
        # default.qubit evaluates a block in one go; others run their rows one by one anyway.
        whole_block = device.shots is None and device.name == "default.qubit"
        self.block = BLOCK if whole_block else 1
        self._fixed: ReferenceCircuit | None = None
        try:
            if not seeded:
                self._fixed = self._layer(make_device(device.name, self._circuit.n_qubits))
            self._measure_once()
        except ConfigError:
            raise
        except Exception as error:  # every device has errors of its own
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ConfigError(
                f"the device {device.name!r} cannot run the circuit ({reason}): choose another "
                "device, or other --shots"
            ) from error

    def __str__(self) -> str:
        """Say what measures, for people."""
        name, shots, seed = self._device
        if shots is None:
            return f"{name}, exact expectation values"
        return f"{name}, {shots} shots, " + (f"seed {seed}" if self.reproducible else "no seed")

    def rows(
        self, incident_energy: NDArray[np.float32], eta: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        """Features (block, Q) of conditions (block,) each, E_inc in MeV."""
        layer = self._fixed
        if layer is None:
            seed = _seed(self._device.seed, incident_energy[0], eta[0])
            layer = self._layer(make_device(self._device.name, self._circuit.n_qubits, seed))
        c = torch.from_numpy(scaled(self._condition, incident_energy, eta))
        with torch.no_grad():
            features: NDArray[np.float64] = layer(c).numpy()
        return features

    def _layer(self, device: Any) -> ReferenceCircuit:
        execution = Execution(device=self._device.name, shots=self._device.shots)
        layer = ReferenceCircuit(self._circuit, execution, device).double()
        layer.load_state_dict(self._state, strict=True)
        return layer

    def _measure_once(self) -> None:
        middle = np.exp(np.full(self.block, self._condition.log_energy_center))
        eta = np.full(self.block, self._condition.eta_center)
        self.rows(middle.astype(np.float32), eta.astype(np.float32))


def _seed(seed: int, incident_energy: np.float32, eta: np.float32) -> int:
    text = seed.to_bytes(8, "little") + np.array([incident_energy, eta], dtype="<f4").tobytes()
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "little")
