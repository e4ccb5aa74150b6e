"""Configuration of the conditioning: where the quantum part sits, and its circuit."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from fastcaloq_infer.quantum.circuit import Circuit
from fastcaloq_infer.quantum.encoding import ENCODINGS
from fastcaloq_infer.quantum.execution import Execution

Kind = Literal["conditioner", "classical", "none", "multilinear", "fourier"]

#: 10 qubits make 59,049 coefficients per feature; the circuit that they contain has some dozens.
MAX_TABLE_QUBITS = 10


class QuantumConfig(Circuit, Execution):
    """The section ``quantum`` of a configuration: ``kind``, `Circuit` and its `Execution`.

    ``kind``: "conditioner" feeds the circuit's features to every coupling subnet; the others put
    something in its place that has the circuit's inputs and as many features:

    ``classical``
        a small network with about as many parameters;
    ``multilinear``
        a free table of all multilinear functions of the encoded angles, the family that holds
        every circuit with this encoding (3^n_qubits numbers per feature);
    ``fourier``
        random Fourier features with fixed frequencies;
    ``none``
        nothing.

    Raises
    ------
    ConfigError
        Unknown key, unknown name, a number out of its range, or a combination that has no meaning.
    """

    kind: Kind = "conditioner"
    trainable: bool = Field(
        default=True, description="false: the conditioner stays at its random starting values"
    )
    # Angles per unit of input: the largest single frequency of the circuit's starting values.
    fourier_scale: float = Field(
        default=0.75 * math.pi,
        gt=0,
        allow_inf_nan=False,
        description="standard deviation of the random frequencies",
    )
    fourier_readout: bool = Field(
        default=False, description="a trained linear map after the random Fourier features"
    )

    @field_validator("kind")
    @classmethod
    def _check_table(cls, kind: str, info: ValidationInfo) -> str:
        circuit = info.data  # the fields of Circuit come first; one that was refused is missing
        if kind == "multilinear" and circuit.keys() >= Circuit.model_fields.keys():
            if circuit["reuploading"] and circuit["n_layers"] > 1:
                raise ValueError(
                    "with re-uploading the features are no multilinear functions of the angles; "
                    "set reuploading to false"
                )
            if ENCODINGS[circuit["encoding"]].pairs:
                raise ValueError(
                    f"encoding {circuit['encoding']!r} multiplies angles, so the features are no "
                    "multilinear functions of them; use angle_y or angle_x"
                )
            if circuit["n_qubits"] > MAX_TABLE_QUBITS:
                raise ValueError(
                    f"the table of {circuit['n_qubits']} qubits would hold "
                    f"{3 ** circuit['n_qubits']:,} numbers per feature; use at most "
                    f"{MAX_TABLE_QUBITS} qubits"
                )
        return kind

    @field_validator("kind")
    @classmethod
    def _check_execution(cls, kind: str, info: ValidationInfo) -> str:
        given = {k: v for k, v in info.data.items() if k in Execution.model_fields}
        if kind != "conditioner" and not Execution(**given).exact:
            raise ValueError("there is no circuit that device, shots or noise could be for")
        return kind

    @property
    def circuit(self) -> Circuit:
        """The circuit alone."""
        return Circuit(**{name: getattr(self, name) for name in Circuit.model_fields})
