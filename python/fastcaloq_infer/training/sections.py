"""Sections that the configurations of all trainings share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationInfo,
    field_serializer,
    field_validator,
)

__all__ = [
    "PACKAGED",
    "DataConfig",
    "Fraction",
    "InspectionConfig",
    "OptimiserConfig",
    "ScheduleConfig",
    "Strict",
    "TrainingDataConfig",
]

PACKAGED: Final = "packaged"
"""The word that stands for the sample that comes with the package instead of a path."""

Fraction = Annotated[float, Field(ge=0, lt=1)]
DataPath = Literal["packaged"] | Path


class Strict(BaseModel):
    """Refuses unknown keys and numbers that are not finite."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=()
    )


class DataConfig(Strict):
    """Which showers to learn from and which to be judged on.

    Paths are relative to the configuration file. ``packaged`` is the training part of the sample
    that comes with the package; its held-out part is for evaluation and cannot be named here.
    """

    train: DataPath = PACKAGED
    validation: Path | None = Field(
        None, description="file of held-out showers; without it a part of `train` is held out"
    )
    validation_fraction: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.1, description="part of `train` held out, chosen by the seed, equal in spectrum"
    )
    binning: str = Field("dataset-1-photons", description="name of a binning, or a binning.xml")
    eta: float | None = Field(None, description="|eta| of the showers where the file has none")
    eta_slice: tuple[float, float] | None = Field(
        None, description="range of |eta| that showers of a single eta stand for"
    )

    @field_validator("train", "validation", mode="after")
    @classmethod
    def _resolve(cls, value: Path | str | None, info: ValidationInfo) -> Path | str | None:
        if value is None or value == PACKAGED:
            return value
        folder = (info.context or {}).get("folder")
        return Path(folder, value) if folder is not None else Path(value)

    @field_validator("binning", mode="after")
    @classmethod
    def _resolve_xml(cls, value: str, info: ValidationInfo) -> str:
        folder = (info.context or {}).get("folder")
        return str(Path(folder, value)) if folder is not None and value.endswith(".xml") else value

    @field_serializer("train", "validation")
    def _plain(self, value: Path | str | None) -> str | None:
        return None if value is None else str(value)


class TrainingDataConfig(DataConfig):
    """`DataConfig` of a training that reads its files itself."""

    energies: tuple[PositiveFloat, ...] = Field(
        (), description="incident energies in MeV whose showers are used; empty: all"
    )
    leave_out: tuple[PositiveFloat, ...] = Field(
        (),
        description="incident energies in MeV whose showers are neither learnt from nor held out",
    )
    limit: PositiveInt | None = Field(
        None,
        description="use so many showers of each file, chosen by the seed, equal in spectrum",
    )

    @property
    def selecting(self) -> list[str]:
        """Names of the keys that choose among the showers of a file."""
        return [key for key in ("energies", "leave_out", "limit") if getattr(self, key)]


class OptimiserConfig(Strict):
    """AdamW (Loshchilov and Hutter 2017, arXiv:1711.05101)."""

    lr: PositiveFloat = Field(2e-3, description="peak learning rate")
    weight_decay: Annotated[float, Field(ge=0)] = 1e-5
    betas: tuple[Fraction, Fraction] = (0.9, 0.99)
    eps: PositiveFloat = 1e-8


class ScheduleConfig(Strict):
    """Learning rate over the training; see :func:`~.schedule.learning_rate_factor`."""

    kind: Literal["one_cycle", "cosine", "constant"] = "one_cycle"
    warm_up: Fraction = Field(0.1, description="part of the training in which the rate rises")
    start_factor: Annotated[float, Field(ge=0, le=1)] = 0.04
    end_factor: Annotated[float, Field(ge=0, le=1)] = 1e-3


class InspectionConfig(Strict):
    """What a training saves for ``fastcaloq inspect-run``; by default nothing."""

    every: PositiveInt | None = Field(None, description="steps between snapshots; null: none")
    steps: tuple[PositiveInt, ...] = Field((), description="further steps to look at")
    showers: PositiveInt = Field(1024, description="held-out showers whose latents are saved")
    conditions: PositiveInt = Field(
        33, description="incident energies at which the circuit's states are saved"
    )
    max_megabytes: PositiveFloat = Field(
        64.0, description="of all snapshots; more of them are thinned out beforehand"
    )

    @property
    def wanted(self) -> bool:
        """Whether anything is saved."""
        return self.every is not None or bool(self.steps)
