"""The configuration of a training: typed, unknown keys refused, the same in YAML and in Python."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationInfo,
    field_serializer,
    field_validator,
    model_validator,
)

from fastcaloq_infer.conditioning import QuantumConfig
from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.files import atomic_path
from fastcaloq_infer.flow.config import FlowConfig
from fastcaloq_infer.preprocessing.config import PreprocessingConfig
from fastcaloq_infer.training.config_errors import validate
from fastcaloq_infer.training.settings import read_settings

__all__ = [
    "PACKAGED",
    "DataConfig",
    "OptimiserConfig",
    "ScheduleConfig",
    "TrainConfig",
]

PACKAGED: Final = "packaged"
"""The word that stands for the sample that comes with the package instead of a path."""

Fraction = Annotated[float, Field(ge=0, lt=1)]
DataPath = Literal["packaged"] | Path


class _Strict(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, protected_namespaces=()
    )


class DataConfig(_Strict):
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


class OptimiserConfig(_Strict):
    """AdamW (Loshchilov and Hutter 2017, arXiv:1711.05101)."""

    lr: PositiveFloat = Field(2e-3, description="peak learning rate")
    weight_decay: Annotated[float, Field(ge=0)] = 1e-5
    betas: tuple[Fraction, Fraction] = (0.9, 0.99)
    eps: PositiveFloat = 1e-8


class ScheduleConfig(_Strict):
    """Learning rate over the training; see :func:`~.schedule.learning_rate_factor`."""

    kind: Literal["one_cycle", "cosine", "constant"] = "one_cycle"
    warm_up: Fraction = Field(0.1, description="part of the training in which the rate rises")
    start_factor: Annotated[float, Field(ge=0, le=1)] = 0.04
    end_factor: Annotated[float, Field(ge=0, le=1)] = 1e-3


class TrainConfig(_Strict):
    """Everything that decides what a training does; two equal ones give the same model."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    particle: Literal["photon", "electron", "pion"]
    seed: NonNegativeInt = 0
    data: DataConfig = DataConfig()
    preprocessing: PreprocessingConfig = PreprocessingConfig()
    flow: FlowConfig = FlowConfig()
    quantum: QuantumConfig = QuantumConfig()
    optimiser: OptimiserConfig = OptimiserConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    batch_size: PositiveInt = 1024
    epochs: PositiveInt | None = None
    steps: PositiveInt | None = None
    gradient_clip: PositiveFloat | None = Field(5.0, description="largest norm of a gradient")
    ema_decay: Fraction = 0.998
    evaluate_every: PositiveInt = Field(1, description="epochs between looks at held-out showers")
    patience: PositiveInt | None = Field(
        None, description="stop after so many looks without improvement; null: never"
    )
    checkpoint_every: PositiveInt = Field(500, description="steps between checkpoints")
    threads: Annotated[int, Field(ge=1, le=1024)] | None = Field(
        None, description="torch threads; null: torch's choice"
    )
    device: Literal["cpu", "cuda", "auto"] = "cpu"
    dtype: Literal["float32", "float64"] = "float32"

    @model_validator(mode="after")
    def _length(self) -> TrainConfig:
        if (self.epochs is None) == (self.steps is None):
            msg = "give either 'epochs' or 'steps', the length of the training"
            raise ValueError(msg)
        return self

    @classmethod
    def from_dict(
        cls, raw: dict[str, Any], *, source: str = "configuration", folder: Path | None = None
    ) -> TrainConfig:
        """Build a configuration from plain data.

        Parameters
        ----------
        raw
            Nested keys and values, as in YAML.
        source
            What to call the data in messages.
        folder
            Folder that relative data paths are relative to; None: the working folder.

        Raises
        ------
        ConfigError
            Unknown, missing or impossible keys, in one line.
        """
        return validate(cls, raw, source, {"folder": folder})

    @classmethod
    def load(cls, path: Path | str, overrides: list[str] | None = None) -> TrainConfig:
        """Read a YAML file, with ``key.subkey=value`` overrides applied on top.

        A name without a suffix, such as ``demo_energy``, is that of a shipped configuration.

        Raises
        ------
        ConfigError
            The file is missing or no YAML mapping, or what it says is refused.
        """
        path, raw = read_settings(path, overrides or [])
        if (model := raw.pop("model", "flow")) != "flow":
            raise ConfigError(
                f"{path} is for 'model: {model}', which is only there to be compared with by "
                "'fastcaloq study'; name a configuration of a flow"
            )
        return cls.from_dict(raw, source=str(path), folder=path.parent)

    def save(self, path: Path) -> None:
        """Write the configuration as YAML; data paths become relative to the file's folder.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        raw = self.model_dump(mode="json")
        for key, value in raw["data"].items():
            if isinstance(getattr(self.data, key), Path) or str(value).endswith(".xml"):
                raw["data"][key] = os.path.relpath(Path(value).resolve(), path.parent.resolve())
        with atomic_path(path) as temporary:
            temporary.write_text(yaml.safe_dump(raw, sort_keys=False))

    def total_steps(self, steps_per_epoch: int) -> int:
        """Return the number of optimiser steps of the whole training."""
        if self.steps is not None:
            return self.steps
        if self.epochs is None:  # excluded by the validator
            msg = "give either 'epochs' or 'steps', the length of the training"
            raise ConfigError(msg)
        return self.epochs * steps_per_epoch
