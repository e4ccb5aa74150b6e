"""The configuration of a training: typed, unknown keys refused, the same in YAML and in Python."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from fastcaloq_infer.conditioning import QuantumConfig
from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.files import atomic_path
from fastcaloq_infer.flow.config import FlowConfig
from fastcaloq_infer.flow.kinds.config import EnergyQuantumConfig  # noqa: TC001  pydantic reads it
from fastcaloq_infer.flow.shape.config import ShapeConfig, VoxelFlowConfig
from fastcaloq_infer.preprocessing.config import PreprocessingConfig
from fastcaloq_infer.training.config_errors import validate
from fastcaloq_infer.training.losses.config import LossConfig
from fastcaloq_infer.training.sections import (
    PACKAGED,
    DataConfig,
    DataPath,
    Fraction,
    InspectionConfig,
    OptimiserConfig,
    ScheduleConfig,
    Strict,
    TrainingDataConfig,
)
from fastcaloq_infer.training.settings import read_settings

__all__ = [
    "PACKAGED",
    "DataConfig",
    "DataPath",
    "OptimiserConfig",
    "ScheduleConfig",
    "ShapeTrainConfig",
    "TrainConfig",
    "TrainingConfig",
    "load_config",
]


class TrainingConfig(Strict):
    """What trainings of layer energies and of voxels have in common."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    particle: Literal["photon", "electron", "pion"]
    seed: NonNegativeInt = 0
    data: TrainingDataConfig = TrainingDataConfig()
    quantum: EnergyQuantumConfig = QuantumConfig()
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
    precision: Literal["full", "bf16-mixed"] = Field(
        "full", description="bf16-mixed: matrix products in bfloat16; likelihood and weights stay"
    )
    compile: bool = Field(False, description="compile the step with torch.compile")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.epochs is None) == (self.steps is None):
            msg = "give either 'epochs' or 'steps', the length of the training"
            raise ValueError(msg)
        if self.precision != "full":
            if not isinstance(getattr(self, "shape", None), ShapeConfig):
                msg = (
                    f"precision {self.precision} is for 'model: shape' with 'shape.kind: "
                    "autoregressive': elsewhere bfloat16 would reach the bins of the splines"
                )
                raise ValueError(msg)
            if self.dtype != "float32":
                msg = f"precision {self.precision} is for weights in float32; leave out 'dtype'"
                raise ValueError(msg)
        return self

    @classmethod
    def from_dict(
        cls, raw: dict[str, Any], *, source: str = "configuration", folder: Path | None = None
    ) -> Self:
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
    def load(cls, path: Path | str, overrides: list[str] | None = None) -> Self:
        """Read a YAML file, with ``key.subkey=value`` overrides applied on top.

        A name without a suffix, such as ``demo_energy``, is that of a shipped configuration.

        Raises
        ------
        ConfigError
            The file is missing or no YAML mapping, what it says is refused, or it is for another
            kind of model.
        """
        config = load_config(path, overrides)
        if isinstance(config, cls):
            return config
        found, wanted = (
            "whole showers ('model: shape')" if shape else "layer energies"
            for shape in (isinstance(config, ShapeTrainConfig), issubclass(cls, ShapeTrainConfig))
        )
        raise ConfigError(f"{path} is for {found}; name a configuration for {wanted}")

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


class TrainConfig(TrainingConfig):
    """Everything that decides what a training of layer energies does.

    Two equal ones give the same model.
    """

    preprocessing: PreprocessingConfig = PreprocessingConfig()
    flow: FlowConfig = FlowConfig()
    inspection: InspectionConfig = InspectionConfig()
    loss: LossConfig = LossConfig.likelihood_alone()

    @model_validator(mode="after")
    def _compilable(self) -> Self:
        if self.compile and self.loss.compares_samples:
            msg = (
                f"compile is for the likelihood; loss.{[*self.loss.terms][-1]} draws showers "
                "inside a step, which torch.compile cannot seed; set compile=false"
            )
            raise ValueError(msg)
        return self


class ShapeTrainConfig(TrainingConfig):
    """Everything that decides what a training of voxels, given the layer energies, does.

    ``data.train`` is a file of whole showers; ``packaged`` is the sample that has voxels.
    """

    model: Literal["shape"] = "shape"
    shape: VoxelFlowConfig = ShapeConfig()
    quantum: QuantumConfig = QuantumConfig()


def load_config(
    path: Path | str, overrides: list[str] | None = None
) -> TrainConfig | ShapeTrainConfig:
    """Read the configuration of a training; its key ``model`` says of which kind.

    Raises
    ------
    ConfigError
        As :meth:`TrainingConfig.load`.
    """
    path, raw = read_settings(path, overrides or [])
    model = raw.pop("model", "flow")
    if model == "shape":
        return ShapeTrainConfig.from_dict(raw, source=str(path), folder=path.parent)
    if model == "flow":
        return TrainConfig.from_dict(raw, source=str(path), folder=path.parent)
    raise ConfigError(
        f"{path} is for 'model: {model}', which is only there to be compared with by "
        "'fastcaloq study'; name a configuration with 'model: flow' (the default) or 'model: shape'"
    )
