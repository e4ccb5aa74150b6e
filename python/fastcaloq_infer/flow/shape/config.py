"""What a shape flow is made of, as typed configuration: unknown keys are refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from fastcaloq_infer.flow.config import FlowConfig

__all__ = ["CouplingShapeConfig", "ShapeConfig", "VoxelFlowConfig"]


class ShapeConfig(BaseModel):
    """An autoregressive flow over the voxels; see :class:`~.shape_flow.ShapeFlow`.

    ``models/configs`` holds the values of the shipped models.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    kind: Literal["autoregressive"] = "autoregressive"
    stride: int = Field(2, ge=2, le=64, description="steps by which a ring lags the one inside it")
    offset: int = Field(6, ge=0, le=1024, description="steps by which a layer lags the one before")
    units: int = Field(5, ge=1, le=256, description="hidden units per step, in either layer")
    context: int = Field(16, ge=1, le=256, description="numbers a coordinate gets from them")
    head: int = Field(32, ge=1, le=1024, description="hidden units of a coordinate's own network")
    bins: int = Field(6, ge=2, le=64, description="spline bins per coordinate")
    tail_bound: float = Field(8.0, gt=0, description="the spline is the identity beyond it")
    min_bin_width: float = Field(1e-3, gt=0)
    min_bin_height: float = Field(1e-3, gt=0)
    min_derivative: float = Field(1e-3, gt=0, lt=1)
    log_scale_bound: float = Field(5.0, gt=0, description="|log scale| of a logit stays below it")
    energy_scale: float = Field(0.1, gt=0, description="MeV at which log(1 + E/scale) bends")
    symmetry: Literal["none", "rotations"] = Field(
        "none",
        description="rotations: showers are turned and mirrored in training; the detector must "
        "look the same from every side",
    )

    @model_validator(mode="after")
    def _consistent(self) -> ShapeConfig:
        if self.bins * max(self.min_bin_width, self.min_bin_height) >= 1:
            msg = "bins times the smallest bin must stay below 1: use fewer or smaller bins"
            raise ValueError(msg)
        return self

    @property
    def n_parameters(self) -> int:
        """Numbers that decide a coordinate: two logits, shift, log scale, and the spline's."""
        return 4 + 3 * self.bins - 1


class CouplingShapeConfig(FlowConfig):
    """Coupling blocks over all voxels; see :class:`~.coupling.CouplingShapeFlow`.

    The defaults are those of the published CaloINN (arXiv:2312.09290).
    """

    kind: Literal["coupling"]
    n_blocks: int = Field(12, ge=1, le=64)
    hidden: tuple[int, ...] = Field((256, 256, 256), description="as of `FlowConfig`")
    bins: int = Field(10, ge=2, le=64, description="spline bins per transformed voxel")
    tail_bound: float = Field(10.0, gt=0, description="the spline is the identity beyond it")
    noise: float = Field(
        5e-6, gt=0, lt=1, description="of a layer's energy: less is an empty voxel, hence noise"
    )
    alpha: float = Field(1e-6, gt=0, lt=0.5, description="keeps the logit finite")


def _kind(value: object) -> str:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return "autoregressive" if kind is None else str(kind)


VoxelFlowConfig = Annotated[
    Annotated[ShapeConfig, Tag("autoregressive")] | Annotated[CouplingShapeConfig, Tag("coupling")],
    Discriminator(_kind),
]
"""Either of them, told apart by ``kind``; without one it is autoregressive."""
