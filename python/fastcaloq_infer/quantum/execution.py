"""How a circuit is run where that is not our exact contraction: device, shots, gradient, noise."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PositiveInt,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.quantum.circuit import one_line

__all__ = ["DensityMatrices", "Execution"]

DensityMatrices: Final = ("default.mixed", "cirq.mixedsimulator")
"""Devices that hold a density matrix, 4^n numbers, as channels of noise need."""

Probability = Annotated[float, Field(ge=0, le=1)]
DiffMethod = Literal[
    "best", "backprop", "adjoint", "parameter-shift", "finite-diff", "hadamard", "spsa"
]


class Execution(BaseModel):
    """Device, shots, noise and gradient; with nothing set it is exact and needs no device.

    Noise is a depolarising channel on every qubit a gate acts on, after the gate, encoding
    included: with probability p one of X, Y, Z, each as likely (Nielsen and Chuang 2010, section
    8.3.4, with p for their 3p/4); before the measurement every qubit flips with the probability
    ``readout_error``.

    Raises
    ------
    ConfigError
        Unknown key, a number out of its range, or settings that exclude each other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    device: str | None = Field(
        None, description="name of a PennyLane device; null: the exact contraction of this package"
    )
    shots: PositiveInt | None = Field(
        None, description="measurements of the circuit per condition; null: exact expectation"
    )
    fresh_shots: bool = Field(
        False, description="measure for every shower; false: once per distinct condition of a batch"
    )
    depolarising: Probability = Field(0.0, description="p on every qubit of a gate, after it")
    readout_error: Probability = Field(0.0, description="probability that a measured bit flips")
    diff_method: DiffMethod = Field("best", description="how PennyLane takes gradients")

    @field_validator("depolarising", "readout_error")
    @classmethod
    def _check_noise(cls, p: float, info: ValidationInfo) -> float:
        device = info.data.get("device")
        if p > 0 and device is not None and device not in DensityMatrices:
            raise ValueError(
                f"device {device!r} holds no density matrix, so it cannot run channels of noise; "
                "use default.mixed, or leave out the device"
            )
        return p

    @field_validator("diff_method")
    @classmethod
    def _check_gradient(cls, method: str, info: ValidationInfo) -> str:
        found = info.data  # what was refused is missing
        shots, device = found.get("shots"), found.get("device")
        if shots is not None and method in ("backprop", "adjoint"):
            raise ValueError(
                f"{method} differentiates a state that is simulated, and shots are measured; use "
                "parameter-shift, or shots: null"
            )
        noisy = max(found.get("depolarising", 0.0), found.get("readout_error", 0.0)) > 0
        if method == "adjoint" and (noisy or device in DensityMatrices):
            raise ValueError(
                "the adjoint method undoes gates on a pure state, and a density matrix with noise "
                "cannot be undone; use backprop or parameter-shift"
            )
        return method

    @model_validator(mode="wrap")
    @classmethod
    def _one_line_errors(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(data)
        except ValidationError as error:
            raise ConfigError(one_line(error, "quantum", list(cls.model_fields))) from error

    @property
    def noisy(self) -> bool:
        """Whether channels of noise act."""
        return max(self.depolarising, self.readout_error) > 0

    @property
    def undisturbed(self) -> bool:
        """Whether features are exact expectation values, wherever they are computed."""
        return self.shots is None and not self.noisy

    @property
    def exact(self) -> bool:
        """Whether nothing asks for a device."""
        return self.device is None and self.undisturbed

    @property
    def device_name(self) -> str:
        """The device, or the simulator that can do what is asked for."""
        return self.device or ("default.mixed" if self.noisy else "default.qubit")

    @property
    def simulated(self) -> bool:
        """Whether PennyLane differentiates the simulation itself where it may choose."""
        return self.shots is None and self.device_name in ("default.qubit", "default.mixed")

    @property
    def execution(self) -> Execution:
        """These settings alone."""
        return Execution(**{name: getattr(self, name) for name in Execution.model_fields})
