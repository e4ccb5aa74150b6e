"""What can be written under ``quantum`` with ``kind: swap_test``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["SwapTestConfig"]


class SwapTestConfig(BaseModel):
    """Settings of the kind ``swap_test``."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    kind: Literal["swap_test"] = "swap_test"
