"""The choices of the energy preprocessing, as typed configuration: unknown keys are refused."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["PreprocessingConfig"]


class PreprocessingConfig(BaseModel):
    """Choices that are not fitted to data."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    absolute_layers: tuple[int, ...] = Field(
        (0,), description="positions of the layers that stand alone, such as the presampler"
    )

    energy_threshold: float = Field(
        1e-3, ge=0, description="MeV; a layer with less counts as empty (1 keV is far below noise)"
    )
    zero_width: float = Field(2.0, gt=0, description="width of the intervals that hold the zeros")
    tail_quantile: float = Field(
        0.03, ge=0, lt=0.5, description="share of the values beyond the point the bounds start from"
    )
    zero_gap: float = Field(
        0.3,
        ge=0,
        description="distance of those intervals from the bounds; a smooth map blurs edges",
    )
    zero_margin: float = Field(0.5, ge=0, description="distance of the bounds from that point")
    ceiling_margin: float = Field(
        0.5, gt=0, description="room above the largest value seen, in standard deviations"
    )
    sharpness: float = Field(1.0, gt=0, description="of the squeeze; its reach is 1/sharpness")
