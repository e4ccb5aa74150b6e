"""What can be written under ``quantum`` with ``kind: subnet``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["SubnetConfig"]


class SubnetConfig(BaseModel):
    """Settings of the kind ``subnet``."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    kind: Literal["subnet"] = "subnet"
