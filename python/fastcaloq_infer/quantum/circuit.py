"""The description of a circuit; what is computed from it lives in the modules beside this one."""

from __future__ import annotations

from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    field_validator,
    model_validator,
)

from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.quantum.ansatz import ANSATZE
from fastcaloq_infer.quantum.encoding import ENCODINGS, Encoding
from fastcaloq_infer.quantum.gates import Gate, check_gates, ring_pairs

#: name -> adds the products Z Z on ring pairs to the single Z.
OBSERVABLES = {"z": False, "z_zz": True}

#: 2**16 amplitudes for each sample of a batch of 1024 fill 1 GiB in complex128.
MAX_QUBITS = 16


def one_line(error: ValidationError, what: str, known: list[str]) -> str:
    """Describe the first finding of pydantic in one line a user can act on."""
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"{what}: unknown key {key!r} would be ignored; known keys: {', '.join(known)}"
    message = first["msg"].removeprefix("Value error, ")
    return f"{what}: {key} = {first['input']!r} cannot be used: {message}"


def _known(name: str, table: dict[str, Any]) -> str:
    if name not in table:
        raise ValueError(f"choose one of {', '.join(table)}")
    return name


class CircuitDesign(BaseModel):
    """All that can be chosen about a circuit; how many inputs it has is up to its place.

    One upload of the inputs and then all layers; with ``reuploading`` an upload before every
    layer (Perez-Salinas et al. 2020, Quantum 4, 226).

    Raises
    ------
    ConfigError
        Unknown key, unknown name or a number out of its range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_qubits: int = Field(default=6, ge=1, le=MAX_QUBITS)
    n_layers: int = Field(default=2, ge=1, le=64)
    encoding: str = "angle_y"
    # Against the ring (nine photon energies): root mean square gradient of a feature's mean at the
    # start 0.106 to 0.048 (6 qubits, 2 layers), 0.051 to 0.013 (10 qubits, 4 layers); features vary
    # with energy by 0.18 to 0.09; mean squared error of a fit after 200 steps 0.020 to 0.031.
    ansatz: str = "rotation_brickwork"
    reuploading: bool = False
    observables: str = "z"

    @field_validator("encoding")
    @classmethod
    def _check_encoding(cls, name: str) -> str:
        return _known(name, ENCODINGS)

    @field_validator("ansatz")
    @classmethod
    def _check_ansatz(cls, name: str) -> str:
        return _known(name, ANSATZE)

    @field_validator("observables")
    @classmethod
    def _check_observables(cls, name: str) -> str:
        return _known(name, OBSERVABLES)

    @model_validator(mode="wrap")
    @classmethod
    def _one_line_errors(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(data)
        except ValidationError as error:
            raise ConfigError(one_line(error, "quantum", list(cls.model_fields))) from error


class Circuit(CircuitDesign):
    """Qubits, layers, encoding, ansatz, re-uploading, observables and inputs of a quantum circuit.

    Raises
    ------
    ConfigError
        Unknown key, unknown name or a number out of its range.
    """

    n_inputs: int = Field(default=2, ge=1, le=64)

    @property
    def dimension(self) -> int:
        """Number of amplitudes, 2**n_qubits."""
        return int(2**self.n_qubits)

    @property
    def n_uploads(self) -> int:
        """How often the inputs enter."""
        return self.n_layers if self.reuploading else 1

    @property
    def readout(self) -> list[tuple[int, ...]]:
        """Qubits of every measured product of Z, in the order of the features."""
        singles: list[tuple[int, ...]] = [(q,) for q in range(self.n_qubits)]
        pairs = list(ring_pairs(self.n_qubits)) if OBSERVABLES[self.observables] else []
        return singles + pairs

    @property
    def n_features(self) -> int:
        """Number of expectation values, each in [-1, 1]."""
        return len(self.readout)

    @property
    def input_encoding(self) -> Encoding:
        """The encoding that ``encoding`` names."""
        return ENCODINGS[self.encoding]

    @property
    def monomial_degree(self) -> int:
        """Degree in the inputs of the phases of the exported form."""
        return self.input_encoding.monomial_degree

    @property
    def weight_shape(self) -> tuple[int, int]:
        """(n_layers, angles per layer); an ansatz's layers may leave trailing angles unused."""
        used = [
            gate.parameter + 1
            for layer in range(self.n_layers)
            for gate in self.layer_gates(layer)
            if gate.parameter is not None
        ]
        return (self.n_layers, max(used, default=0))

    @property
    def input_weight_shape(self) -> tuple[int, int, int]:
        """(n_uploads, n_qubits, n_inputs)."""
        return (self.n_uploads, self.n_qubits, self.n_inputs)

    @property
    def n_parameters(self) -> int:
        """Trainable numbers: angles of the layers and weights of the inputs."""
        layers, angles = self.weight_shape
        return layers * angles + self.n_uploads * self.n_qubits * self.n_inputs

    def layer_gates(self, layer: int) -> list[Gate]:
        """Gates of variational layer ``layer`` in order of application.

        Raises
        ------
        ConfigError
            The registered ansatz lists a gate that cannot be realised.
        """
        gates = ANSATZE[self.ansatz](self.n_qubits, layer)
        check_gates(gates, self.n_qubits, self.ansatz)
        return gates

    def upload_layers(self, upload: int) -> list[int]:
        """Numbers of the layers that follow upload ``upload``."""
        return [upload] if self.reuploading else list(range(self.n_layers))

    def card(self) -> dict[str, Any]:
        """Return the description as it stands in a model card."""
        fields = {name: getattr(self, name) for name in Circuit.model_fields}
        return {**fields, "monomial_degree": self.monomial_degree}
