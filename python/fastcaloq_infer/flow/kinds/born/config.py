"""What can be written under ``quantum`` with ``kind: born``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["BornConfig"]


class BornConfig(BaseModel):
    """Settings of the kind ``born``."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    kind: Literal["born"] = "born"
