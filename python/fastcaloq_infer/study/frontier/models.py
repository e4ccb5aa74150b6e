"""The models of a frontier: made one by one, from showers that are read once."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch

from fastcaloq_infer.data import binning
from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.files import sha256_file
from fastcaloq_infer.study.frontier.drawing import draw_layers, draw_voxels
from fastcaloq_infer.study.frontier.fitting import fit, fitted
from fastcaloq_infer.study.frontier.judging import Judge
from fastcaloq_infer.study.frontier.records import keep, kept
from fastcaloq_infer.study.frontier.results import Judgement, ModelRecord
from fastcaloq_infer.training.config import ShapeTrainConfig, TrainConfig
from fastcaloq_infer.training.data import read_training_set
from fastcaloq_infer.training.seeds import stream_seed

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from rich.console import Console

    from fastcaloq_infer.study.frontier.config import Contender, FrontierConfig
    from fastcaloq_infer.training.data import TrainingSet

__all__ = ["Models"]

_SAMPLE, _ENERGIES = 201, 202


class Models:
    """The showers of a frontier, read when first needed, and the records of its models.

    Parameters
    ----------
    config
        What to make.
    folder
        Where records are kept.
    console
        Where to say what happens; None for silence.

    Raises
    ------
    ConfigError
        A configuration is refused, or nothing is held out.
    """

    def __init__(self, config: FrontierConfig, folder: Path, console: Console | None) -> None:
        self.config, self.folder, self.console = config, folder, console
        self.digests = {
            "train": sha256_file(config.train),
            "held_out": sha256_file(config.held_out),
        }
        if self.digests["train"] == self.digests["held_out"]:
            raise ConfigError(
                f"{config.train.name} is both learnt from and held out, so nothing would be "
                "judged; name another file as 'held_out'"
            )
        # Every configuration is read before anything is trained.
        self._shapes = {v.name: self._shape(v) for v in config.variants}
        self._energies = {v.name: self._energy(v) for v in config.variants}
        self._judge: Judge | None = None
        self._reading = lru_cache(maxsize=1)(self._read)

    def _shape(self, variant: Contender) -> ShapeTrainConfig:
        config = self.config
        settings = (*(config.set if variant.configuration is None else ()), *variant.set)
        return ShapeTrainConfig.load(
            variant.configuration or config.configuration,
            [*settings, f"data.train={config.train.resolve()}"],
        )

    def _energy(self, variant: Contender) -> TrainConfig | None:
        if self.config.energies is None:
            return None
        settings = [*variant.energies, f"data.train={self.config.train.resolve()}"]
        return TrainConfig.load(self.config.energies, settings)

    def settings(
        self, variant: Contender, seed: int
    ) -> tuple[ShapeTrainConfig, TrainConfig | None]:
        """Return the trainings of a variant: of voxels, and of layer energies if they are drawn."""
        change = {"seed": seed}
        energy = self._energies[variant.name]
        return (
            self._shapes[variant.name].model_copy(update=change),
            None if energy is None else energy.model_copy(update=change),
        )

    def _read(self, key: str) -> TrainingSet:
        showers = read_training_set(ShapeTrainConfig.model_validate_json(key))
        wanted = self.config.train_showers
        if wanted is None or wanted >= len(showers.train):
            return showers
        return replace(showers, train=showers.train[torch.arange(wanted)])

    def showers(self, config: ShapeTrainConfig) -> TrainingSet:
        """Read showers, once for models that differ in anything but them."""
        plain = ShapeTrainConfig(
            name="showers", particle=config.particle, seed=config.seed, data=config.data, steps=1
        )
        return self._reading(plain.model_dump_json())

    @property
    def judge(self) -> Judge:
        """The held-out showers, read when first asked for."""
        if self._judge is None:
            config, first = self.config, next(iter(self._shapes.values()))
            self._judge = Judge(
                config.held_out,
                config.train,
                binning(first.data.binning, particle=first.particle),
                first.data.eta,
                energies=config.judge_at,
                showers=config.showers,
                classifiers=config.classifier_seeds,
                features=config.features,
            )
        return self._judge

    def say(self, text: str) -> None:
        """Print a line."""
        if self.console is not None:
            self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def floor(self) -> Judgement:
        """Judge an independent sample of the simulation, where that is not done yet."""
        content = {"floor": self._judging()}
        record = kept(self._path("floor"), content, Judgement)
        if record is None:
            record = self.judge.floor()
            keep(self._path("floor"), content, record)
        return record

    def model(self, variant: Contender, seed: int) -> ModelRecord:
        """Return the record of a model, trained and judged where it is not there yet."""
        name = f"{variant.name}.{seed}"
        shape, energy = self.settings(variant, seed)
        content: dict[str, Any] = {
            "shape": _plain(shape),
            "energy": None if energy is None else _plain(energy),
            "seconds": self.config.seconds(variant),
            "steps": variant.steps,
            "train_showers": self.config.train_showers,
            "judging": self._judging(),
        }
        if variant.trained is not None:
            content = {"trained": fitted(variant.trained).digest, "judging": self._judging()}
        record = kept(self._path(name), content, ModelRecord)
        if record is None:
            doing = "training" if variant.trained is None else "judging"
            self.say(f"{name}: {doing}")
            record = self._made(variant, seed, shape, energy)
            keep(self._path(name), content, record)
        judgement = record.judgement
        self.say(
            f"{name}: {record.steps} steps in {record.cpu_seconds:.0f} s, AUC "
            f"{judgement.network.mean:.4f} (network), {judgement.trees.mean:.4f} (trees)"
        )
        return record.model_copy(update={"title": variant.title, "series": variant.series})

    def _made(
        self, variant: Contender, seed: int, shape: ShapeTrainConfig, energy: TrainConfig | None
    ) -> ModelRecord:
        seconds = self.config.seconds(variant)
        if variant.trained is None:
            trained = fit(shape, self.showers(shape), seconds, variant.steps)
        else:
            trained = fitted(variant.trained)
            seconds = trained.cpu_seconds
        reference = self.judge.reference
        layers = reference.layer_energy
        if energy is not None:
            self.say(f"{variant.name}.{seed}: layer energies")
            layers = self.drawn(energy, self.showers(shape), seed)
        start = time.process_time()
        voxels = draw_voxels(trained.flow, layers, reference, stream_seed(seed, _SAMPLE))
        drawing = time.process_time() - start
        flow = trained.flow
        return ModelRecord(
            name=variant.name,
            title=variant.title,
            series=variant.series,
            kind=flow.config.kind,
            seed=seed,
            n_parameters=sum(p.numel() for p in flow.parameters()),
            flop=2.0 * flow.multiply_adds,
            steps=trained.steps,
            showers_seen=trained.showers_seen,
            budget=seconds,
            cpu_seconds=trained.cpu_seconds,
            sample_microseconds=1e6 * drawing / len(voxels),
            validation_nll=trained.validation_nll,
            judgement=self.judge.judge(voxels, layers),
        )

    def drawn(self, energy: TrainConfig, showers: TrainingSet, seed: int) -> NDArray[np.float64]:
        """Train a flow of layer energies as its configuration says and draw from it."""
        steps = energy.total_steps(max(1, len(showers.train) // energy.batch_size))
        trained = fit(energy, showers, 0.0, steps)
        return draw_layers(trained.flow, self.judge.reference, stream_seed(seed, _ENERGIES))

    def _judging(self) -> dict[str, Any]:
        config = self.config
        return {
            "sha256": sorted(self.digests.values()),
            "showers": config.showers,
            "judge_at": config.judge_at,
            "classifiers": config.classifier_seeds,
            "features": config.features,
        }

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json"


def _plain(config: ShapeTrainConfig | TrainConfig) -> dict[str, Any]:
    """Return what decides a training; where its showers lie does not."""
    plain = config.model_dump(mode="json")
    plain["data"].pop("train")
    return plain
