"""What can be written under ``quantum`` with ``kind: statevector``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["StateVectorConfig"]


class StateVectorConfig(BaseModel):
    """Settings of the kind ``statevector``."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    kind: Literal["statevector"] = "statevector"
