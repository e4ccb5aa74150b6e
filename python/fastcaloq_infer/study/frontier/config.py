"""The configuration of a frontier: which voxel flows, how long they train, how they are judged."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationInfo,
    field_validator,
    model_validator,
)

from fastcaloq_infer.study.config import Name  # noqa: TC001  pydantic reads it
from fastcaloq_infer.training.config_errors import validate
from fastcaloq_infer.training.sections import Strict
from fastcaloq_infer.training.yaml_files import read_mapping

__all__ = ["Contender", "FrontierConfig"]


class Contender(Strict):
    """One model: the frontier's configuration with changes, or another one."""

    name: Name
    label: str | None = Field(None, description="what table and picture call it")
    series: str | None = Field(
        None, description="models of one series differ in time alone; a line joins them"
    )
    configuration: str | None = Field(
        None, description="another configuration, a file or a shipped name; null: the frontier's"
    )
    trained: str | None = Field(
        None, description="a run or shipped model that is there already, judged and not trained"
    )
    set: tuple[str, ...] = Field((), description="settings key.sub=value on top")
    cpu_seconds: PositiveFloat | None = Field(None, description="null: the frontier's")
    steps: PositiveInt | None = Field(
        None, description="length of the training; null: as many as the time allows, measured first"
    )
    energies: tuple[str, ...] = Field(
        (), description="settings of the layer energies' training, where there is one"
    )

    @property
    def title(self) -> str:
        """Label, or else the name."""
        return self.label or self.name


class FrontierConfig(Strict):
    """Voxel flows trained on the same showers for the same time, judged on others."""

    kind: Literal["frontier"]
    name: Name
    configuration: str = Field(description="of the models: a file, or a shipped name")
    set: tuple[str, ...] = Field((), description="settings key.sub=value on top, for all of them")
    train: Path = Field(description="file of whole showers to learn from")
    train_showers: PositiveInt | None = Field(
        None, description="showers to learn from, the first of the file; null: all"
    )
    held_out: Path = Field(description="file of whole showers that no training sees")
    energies: str | None = Field(
        None,
        description="configuration of a flow of layer energies, which then are drawn and not given",
    )
    seeds: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)] = (1,)
    cpu_seconds: PositiveFloat = Field(description="time of a training on one thread")
    showers: PositiveInt = Field(10_000, description="held-out showers to judge on, at most")
    judge_at: tuple[PositiveFloat, ...] = Field(
        (), description="incident energies to judge at, MeV; none: all"
    )
    classifier_seeds: Annotated[int, Field(ge=1, le=100)] = 2
    features: bool = Field(False, description="also compare means and widths of features")
    variants: Annotated[tuple[Contender, ...], Field(min_length=1)]

    @field_validator("train", "held_out", mode="after")
    @classmethod
    def _resolve(cls, value: Path, info: ValidationInfo) -> Path:
        folder = (info.context or {}).get("folder")
        return value if folder is None else Path(folder, value)

    @model_validator(mode="after")
    def _names_once(self) -> FrontierConfig:
        names = [variant.name for variant in self.variants]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            msg = f"variant {min(twice)!r} is there twice; every one counts once"
            raise ValueError(msg)
        return self

    @classmethod
    def load(cls, path: Path | str, overrides: list[str] | None = None) -> FrontierConfig:
        """Read a YAML file; paths in it are relative to it.

        Raises
        ------
        ConfigError
            The file is missing or no YAML mapping, or what it says is refused.
        """
        from fastcaloq_infer.training.yaml_files import set_keys

        raw = read_mapping(Path(path))
        set_keys(raw, overrides or [])
        return cls.from_dict(raw, source=str(path), folder=Path(path).parent)

    @classmethod
    def from_dict(
        cls, raw: dict[str, Any], *, source: str = "frontier", folder: Path | None = None
    ) -> FrontierConfig:
        """Build a configuration from plain data; see :meth:`load`.

        Raises
        ------
        ConfigError
            Unknown, missing or impossible keys, in one line.
        """
        return validate(cls, raw, source, {"folder": folder})

    def seconds(self, variant: Contender) -> float:
        """CPU seconds of a variant's training."""
        return variant.cpu_seconds or self.cpu_seconds
