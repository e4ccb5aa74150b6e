"""The configuration of a study: which trainings, on which showers, compared with what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationInfo,
    field_validator,
    model_validator,
)

from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.training.config_errors import validate
from fastcaloq_infer.training.yaml_files import read_mapping

__all__ = ["HELD_OUT", "Region", "Size", "StudyConfig", "Variant"]

HELD_OUT: Final = "packaged"
"""The word that stands for the held-out sample that comes with the package."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
"""Becomes part of a folder's name."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Variant(_Strict):
    """One model of the comparison: the study's configuration with changes, or another one."""

    name: Name
    label: str | None = Field(None, description="what tables and pictures call it")
    configuration: str | None = Field(
        None, description="another configuration, a file or a shipped name; null: the study's"
    )
    set: tuple[str, ...] = Field((), description="settings key.sub=value on top")
    set_at: dict[str, tuple[str, ...]] = Field(
        {}, description="further settings at one size, by the size's name"
    )

    @property
    def title(self) -> str:
        """Label, or else the name."""
        return self.label or self.name


class Size(_Strict):
    """How many showers the models may see, those that decide when to stop included."""

    name: Name
    showers: PositiveInt | None = Field(None, description="null: all there are")
    set: tuple[str, ...] = Field(
        (), description="settings at this size, of all variants of the study's configuration"
    )


class Region(_Strict):
    """Incident energies to learn from and to be judged at.

    Learns from ``range`` (null: everything) without ``leave_out``; is judged at ``leave_out``
    where something is left out, else in ``range``. MeV.
    """

    name: Name
    range: tuple[PositiveFloat, PositiveFloat] | None = None
    leave_out: tuple[PositiveFloat, ...] = ()

    @model_validator(mode="after")
    def _ordered(self) -> Region:
        if self.range is not None and self.range[0] > self.range[1]:
            msg = f"range {list(self.range)} of region {self.name!r} ends before it begins"
            raise ValueError(msg)
        return self


class StudyConfig(_Strict):
    """A matrix of trainings: every variant at every size, in every region, with every seed."""

    name: Name
    configuration: str = Field(description="of the variants: a file, or a shipped name")
    set: tuple[str, ...] = Field((), description="settings key.sub=value on top, for all of them")
    held_out: Literal["packaged"] | Path = Field(
        HELD_OUT, description="showers no training sees; all are judged on them"
    )
    seeds: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)]
    classifier_seeds: Annotated[int, Field(ge=0, le=100)] = Field(
        2, description="classifiers per training, for the AUC; 0: none"
    )
    layer_figures: bool = Field(
        False, description="also the separation of E_tot and the empty layers of every training"
    )
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    reference: str = Field(description="the variant that all others are compared with")
    sizes: Annotated[tuple[Size, ...], Field(min_length=1)] = (Size(name="full"),)
    regions: Annotated[tuple[Region, ...], Field(min_length=1)] = (Region(name="all"),)
    variants: Annotated[tuple[Variant, ...], Field(min_length=2)]

    @field_validator("held_out", mode="after")
    @classmethod
    def _resolve_file(cls, value: Path | str, info: ValidationInfo) -> Path | str:
        folder = (info.context or {}).get("folder")
        return value if value == HELD_OUT or folder is None else Path(folder, value)

    @model_validator(mode="after")
    def _consistent(self) -> StudyConfig:
        for what, names in (
            ("seed", [str(seed) for seed in self.seeds]),
            ("size", [size.name for size in self.sizes]),
            ("region", [region.name for region in self.regions]),
            ("variant", [variant.name for variant in self.variants]),
        ):
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                msg = f"{what} {min(twice)!r} is there twice; every one counts once"
                raise ValueError(msg)
        variants = [variant.name for variant in self.variants]
        if self.reference not in variants:
            msg = f"reference {self.reference!r} is none of the variants: {', '.join(variants)}"
            raise ValueError(msg)
        sizes = [size.name for size in self.sizes]
        for variant in self.variants:
            for name in variant.set_at:
                if name not in sizes:
                    msg = f"variant {variant.name!r}: no size {name!r}, only {', '.join(sizes)}"
                    raise ValueError(msg)
        return self

    @classmethod
    def load(cls, path: Path | str) -> StudyConfig:
        """Read a YAML file; paths in it are relative to it.

        Raises
        ------
        ConfigError
            The file is missing or no YAML mapping, or what it says is refused.
        """
        path = Path(path)
        raw = read_mapping(path)
        return cls.from_dict(raw, source=str(path), folder=path.parent)

    @classmethod
    def from_dict(
        cls, raw: dict[str, Any], *, source: str = "study", folder: Path | None = None
    ) -> StudyConfig:
        """Build a study from plain data; see :meth:`load`.

        Raises
        ------
        ConfigError
            Unknown, missing or impossible keys, in one line.
        """
        config = validate(cls, raw, source, {"folder": folder})
        return config if folder is None else config._resolved(folder)

    def _resolved(self, folder: Path) -> StudyConfig:
        """Return the study with its configurations' paths relative to nothing."""

        def resolve(name: str) -> str:
            path = Path(folder, name)
            return str(path) if path.suffix or path.exists() else name

        variants = tuple(
            variant
            if variant.configuration is None
            else variant.model_copy(update={"configuration": resolve(variant.configuration)})
            for variant in self.variants
        )
        return self.model_copy(
            update={"configuration": resolve(self.configuration), "variants": variants}
        )

    def variant(self, name: str) -> Variant:
        """Return the variant of that name.

        Raises
        ------
        ConfigError
            There is none.
        """
        for variant in self.variants:
            if variant.name == name:
                return variant
        raise ConfigError(f"study {self.name} has no variant {name!r}")
