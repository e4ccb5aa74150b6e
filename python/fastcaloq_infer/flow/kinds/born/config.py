"""What can be written under ``quantum`` with ``kind: born``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.quantum.circuit import MAX_QUBITS, Circuit

__all__ = ["BornConfig"]

Bits = Annotated[int, Field(ge=1, le=MAX_QUBITS)]


class BornConfig(BaseModel):
    """Settings of the kind ``born``; ``n_layers`` to ``reuploading`` are those of `Circuit`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    kind: Literal["born"] = "born"
    bits: Bits | tuple[Bits, ...] = Field(
        2,
        description="qubits of a coordinate, which has 2^bits bins; a list has one entry per "
        "coordinate in the order of the preprocessing's chain",
    )
    edges: Literal["quantiles", "uniform"] = Field(
        "quantiles", description="bins with equally many training showers, or of equal width"
    )
    n_layers: int = Field(8, ge=1, le=64)
    ansatz: str = "rotation_brickwork"
    encoding: str = "angle_y"
    reuploading: bool = True
    start: str = Field(
        "0", description="basis state, one character per qubit or one for all; '+': uniform"
    )
    output: Literal["computational", "qft", "qft_registers"] = Field(
        "computational",
        description="quantum Fourier transform before the measurement: none, of all qubits, or of "
        "every coordinate's qubits",
    )
    spread: float = Field(
        1.0, gt=0, description="starting angles are uniform in +-0.3 pi times this"
    )
    floor: float = Field(
        1e-4,
        gt=0,
        lt=1,
        description="share of a uniform distribution over all bins that is mixed in",
    )

    @model_validator(mode="after")
    def _known_names(self) -> BornConfig:
        self.circuit(1)
        return self

    def registers(self, n_coordinates: int) -> tuple[int, ...]:
        """Qubits of every coordinate.

        Raises
        ------
        ConfigError
            ``bits`` is a list of another length.
        """
        if isinstance(self.bits, int):
            return (self.bits,) * n_coordinates
        if len(self.bits) != n_coordinates:
            raise ConfigError(
                f"quantum.bits has {len(self.bits)} entries, but {n_coordinates} layers make "
                f"{n_coordinates} coordinates: give one entry for each, or one number for all"
            )
        return self.bits

    def circuit(self, n_qubits: int) -> Circuit:
        """Return the circuit of so many qubits, which encodes (E_inc, eta).

        Raises
        ------
        ConfigError
            Unknown names, or more qubits than a circuit may have.
        """
        if n_qubits > MAX_QUBITS:
            raise ConfigError(
                f"quantum.bits asks for {n_qubits} qubits: a single state of them takes "
                f"{2.0**n_qubits * 16 / 2**30:.3g} GiB and a training step keeps dozens per "
                f"incident energy; use at most {MAX_QUBITS} qubits in all"
            )
        return Circuit(
            n_qubits=n_qubits,
            n_layers=self.n_layers,
            ansatz=self.ansatz,
            encoding=self.encoding,
            reuploading=self.reuploading,
        )
