"""What a flow is made of, as typed configuration: unknown keys are refused."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["FlowConfig"]

_WIDEST = 4096  # far beyond use; a slip of the keyboard should not ask for all memory


class FlowConfig(BaseModel):
    """A chain of equal coupling blocks.

    ``models/configs`` holds the values of the shipped photon model and its variants.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    transform: Literal["spline", "affine"] = "spline"
    n_blocks: int = Field(8, ge=1, le=64)
    hidden: tuple[int, ...] = Field((64, 64), description="widths of the subnets' hidden layers")
    activation: Literal["relu", "silu"] = "relu"
    bins: int = Field(8, ge=2, le=64, description="spline bins per transformed coordinate")
    tail_bound: float = Field(6.0, gt=0, description="the spline is the identity beyond it")
    min_bin_width: float = Field(1e-3, gt=0)
    min_bin_height: float = Field(1e-3, gt=0)
    min_derivative: float = Field(1e-3, gt=0, lt=1)
    log_scale_bound: float = Field(3.0, gt=0, description="affine: |log scale| stays below it")
    permutation_seed: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _consistent(self) -> FlowConfig:
        if not all(1 <= width <= _WIDEST for width in self.hidden):
            msg = f"hidden widths must lie in 1 to {_WIDEST}, got {self.hidden}"
            raise ValueError(msg)
        if self.bins * max(self.min_bin_width, self.min_bin_height) >= 1:
            msg = "bins times the smallest bin must stay below 1: use fewer or smaller bins"
            raise ValueError(msg)
        return self
