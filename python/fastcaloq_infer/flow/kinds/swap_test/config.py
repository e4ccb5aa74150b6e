"""What can be written under ``quantum`` with ``kind: swap_test``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["SwapTestConfig"]


class SwapTestConfig(BaseModel):
    """Settings of the kind ``swap_test``; a register has one qubit per coordinate.

    ``n_blocks``
        Registers that are prepared and measured one after the other.
    ``n_layers``
        Layers of the circuit between preparation and measurement; the condition enters before each.
    ``scale``
        s of the encoding: a qubit is prepared so that <Z> = -tanh(x / s), x in standard deviations.
    ``preparation_layers``, ``preparation_hidden``
        Circuit of the inverse state preparation, and hidden layers of the network that sets its
        angles from the measured values.
    ``fidelity_weight``
        Weight of 1 - fidelity, per register, beside the losses of the section ``loss``.
    ``coupling``
        Whether the coupling blocks of the section ``flow`` follow: the hybrid network.
    ``newton_steps``
        Most steps that polish the inverse when showers are drawn; 0: the learnt inverse as it is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    kind: Literal["swap_test"] = "swap_test"
    n_blocks: int = Field(1, ge=1, le=16)
    n_layers: int = Field(3, ge=1, le=64)
    scale: float = Field(3.0, gt=0)
    preparation_layers: int = Field(3, ge=1, le=64)
    preparation_hidden: tuple[Annotated[int, Field(ge=1, le=4096)], ...] = (16,)
    fidelity_weight: float = Field(1.0, ge=0)
    coupling: bool = True
    newton_steps: int = Field(40, ge=0, le=1000)
