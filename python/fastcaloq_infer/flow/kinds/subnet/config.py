"""What can be written under ``quantum`` with ``kind: subnet``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from fastcaloq_infer.quantum.circuit import Circuit, CircuitDesign

__all__ = ["SubnetConfig"]


class SubnetConfig(CircuitDesign):
    """Settings of the kind ``subnet``: a circuit and how many of them a coupling block has.

    The number of inputs follows from the block: its passive coordinates and the condition. Of the
    section ``flow`` all but ``hidden`` and ``activation`` says what the blocks are.

    ``networks``
        "separate": a circuit with a read-out for each group of parameters (affine: s and t; spline:
        widths, heights and slopes); "shared": one circuit, one read-out for all of them.
    ``coordinate_scale``
        Passive coordinates a enter as tanh(a / coordinate_scale). Rotations are periodic: without
        a bound a rare coordinate far out would mean what a common one means. 3: straight where the
        normalised coordinates are, the last 1 % flattened.
    ``trainable``
        false: the circuits stay at their random starting values; read-outs are trained.

    Raises
    ------
    ConfigError
        Unknown key, unknown name or a number out of its range.
    """

    kind: Literal["subnet"] = "subnet"
    networks: Literal["separate", "shared"] = "separate"
    coordinate_scale: float = Field(default=3.0, gt=0, allow_inf_nan=False)
    trainable: bool = True

    def circuit(self, n_inputs: int) -> Circuit:
        """Return the circuit for that many inputs."""
        fields = {name: getattr(self, name) for name in CircuitDesign.model_fields}
        return Circuit(n_inputs=n_inputs, **fields)
