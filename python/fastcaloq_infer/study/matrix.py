"""The runs of a study: what each of them is, in plain data that decides its result."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastcaloq_infer.data import packaged_sample
from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.files import sha256_file
from fastcaloq_infer.study.config import HELD_OUT
from fastcaloq_infer.study.learner import make_learner
from fastcaloq_infer.training.config import PACKAGED
from fastcaloq_infer.training.settings import read_settings

if TYPE_CHECKING:
    from fastcaloq_infer.study.config import Size, StudyConfig, Variant
    from fastcaloq_infer.training.config import DataConfig

__all__ = ["Cell", "Run", "runs"]


@dataclass(frozen=True)
class Cell:
    """Where trainings are compared: the same showers to learn from and to be judged on."""

    size: str
    showers: int | None
    region: str
    range: tuple[float, float] | None
    leave_out: tuple[float, ...]


@dataclass(frozen=True)
class Run:
    """One training and its judgement; plain data, so that it travels to another process.

    Attributes
    ----------
    settings, source, settings_folder
        Configuration of the learner, what to call it, what its paths are relative to.
    train, held_out, binning, eta, validation_fraction
        Files, and how to read and split them.
    digests
        SHA-256 of the two files.
    """

    variant: str
    cell: Cell
    seed: int
    settings: dict[str, Any]
    source: str
    settings_folder: str
    train: str
    held_out: str
    binning: str
    particle: str
    eta: float | None
    validation_fraction: float
    classifier_seeds: int
    digests: tuple[str, str]
    layer_figures: bool = False

    @property
    def name(self) -> str:
        """Name of the run and of its folder."""
        return f"{self.cell.size}.{self.cell.region}.{self.variant}.{self.seed}"

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything that decides the result; where files lie does not."""
        content = asdict(self)
        for key in ("source", "settings_folder", "train", "held_out"):
            del content[key]
        if not content["layer_figures"]:  # as before there were any
            del content["layer_figures"]
        data = dict(content["settings"].get("data") or {})
        data.pop("train", None)
        content["settings"]["data"] = data
        text = json.dumps(content, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def runs(config: StudyConfig) -> list[Run]:
    """List all runs, seed by seed, so that an unfinished study has whole comparisons.

    Raises
    ------
    ConfigError
        A configuration is missing or refused, or one names other showers than the study's.
    InputError
        A file of showers cannot be read.
    """
    held_out = packaged_sample("heldout") if config.held_out == HELD_OUT else Path(config.held_out)
    digests: dict[Path, str] = {}
    found = []
    for size in config.sizes:
        base_path, base_raw = read_settings(config.configuration, [*config.set, *size.set])
        base = make_learner(base_raw, source=str(base_path), folder=base_path.parent).data
        if base.validation is not None:
            raise ConfigError(
                f"{base_path}: 'data.validation' names a file, but a study splits the showers of "
                "'data.train' itself, for every seed; leave it out"
            )
        train = packaged_sample("train") if base.train == PACKAGED else Path(base.train)
        for path in (train, held_out):
            if path not in digests:
                digests[path] = sha256_file(path)
        if digests[train] == digests[held_out]:
            raise ConfigError(
                f"{train} is both learnt from and held out, so nothing would be judged; name "
                "another file as 'held_out'"
            )
        for region in config.regions:
            cell = Cell(size.name, size.showers, region.name, region.range, region.leave_out)
            for seed in config.seeds:
                for variant in config.variants:
                    path, raw = _settings(config, variant, size)
                    learner = make_learner(raw, source=str(path), folder=path.parent)
                    _refuse_other_showers(learner.data, base, variant.name, str(path))
                    found.append(
                        Run(
                            variant=variant.name,
                            cell=cell,
                            seed=seed,
                            settings=raw,
                            source=str(path),
                            settings_folder=str(path.parent),
                            train=str(train),
                            held_out=str(held_out),
                            binning=base.binning,
                            particle=str(base_raw.get("particle", "photon")),
                            eta=base.eta,
                            validation_fraction=base.validation_fraction,
                            classifier_seeds=config.classifier_seeds,
                            digests=(digests[train], digests[held_out]),
                            layer_figures=config.layer_figures,
                        )
                    )
    return found


def _settings(config: StudyConfig, variant: Variant, size: Size) -> tuple[Path, dict[str, Any]]:
    """Return a variant's configuration; the study's settings are for the study's configuration."""
    own = [*variant.set, *variant.set_at.get(size.name, ())]
    if variant.configuration is not None:
        return read_settings(variant.configuration, own)
    return read_settings(config.configuration, [*config.set, *size.set, *own])


def _refuse_other_showers(data: DataConfig, base: DataConfig, variant: str, source: str) -> None:
    for key in ("train", "binning", "eta"):
        mine, theirs = getattr(data, key), getattr(base, key)
        if mine != theirs:
            raise ConfigError(
                f"{source}: 'data.{key}' of variant {variant!r} is {mine}, but the study's is "
                f"{theirs}; only models of the same showers can be compared, so set it alike"
            )
