"""What can be written under ``quantum`` with ``kind: statevector``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from fastcaloq_infer.quantum.circuit import Circuit

__all__ = ["StateVectorConfig"]


class StateVectorConfig(BaseModel):
    """Settings of the kind ``statevector``.

    Of the section ``flow`` it uses ``n_blocks`` and ``permutation_seed``, and with
    ``angles: network`` also ``hidden`` and ``activation``.

    ``n_qubits``
        Qubits of the state; 2**n_qubits - 1 coordinates pass through it in every block.
    ``n_layers``
        Layers of RY and CNOT of a block's circuit.
    ``reuploading``
        Whether the angles set by passive coordinates and condition enter before every layer.
    ``angles``
        How these set them: by an affine map, or by the network of the section ``flow``.
    ``dilation``
        Whether they also set a factor between the scales of encoding and reading back, which no
        unitary can do: the conditional spread is then classical.
    ``radius``
        Length of coordinates, in standard deviations, that is encoded on the equator, halfway from
        the origin's state to the pole that stands for infinity; where a trained number starts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    kind: Literal["statevector"] = "statevector"
    n_qubits: int = Field(2, ge=1)
    n_layers: int = Field(3, ge=1, le=64)
    reuploading: bool = True
    angles: Literal["affine", "network"] = "affine"
    dilation: bool = False
    radius: float = Field(3.0, gt=0)

    @property
    def circuit(self) -> Circuit:
        """The circuit of a block: an orthogonal matrix on real amplitudes."""
        return Circuit(
            n_qubits=self.n_qubits,
            n_layers=self.n_layers,
            ansatz="real_brickwork",
            encoding="angle_y",
            reuploading=self.reuploading,
        )
