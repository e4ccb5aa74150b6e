"""Training a flow for a given time of one thread."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from fastcaloq_infer.errors import ConfigError, ModelError
from fastcaloq_infer.training.build import describe, initial_flow
from fastcaloq_infer.training.checkpoint import load_shape
from fastcaloq_infer.training.data import TrainingSet
from fastcaloq_infer.training.divergence import TrainingError
from fastcaloq_infer.training.threads import torch_threads
from fastcaloq_infer.training.trainer import Trainer

if TYPE_CHECKING:
    from fastcaloq_infer.training.config import ShapeTrainConfig, TrainConfig

__all__ = ["Fit", "fit", "fitted"]

_ROWS, _STEPS = 2048, 4  # enough to measure a step; the first one warms up


@dataclass(frozen=True)
class Fit:
    """A trained flow, float32, and what it took.

    Attributes
    ----------
    cpu_seconds
        From the showers in memory to the last step, looks at held-out showers included.
    """

    flow: Any
    steps: int
    showers_seen: int | None
    cpu_seconds: float
    validation_nll: float

    @property
    def digest(self) -> str:
        """SHA-256 of the weights."""
        found = hashlib.sha256()
        for name, tensor in sorted(self.flow.state_dict().items()):
            found.update(name.encode() + tensor.numpy().tobytes())
        return found.hexdigest()


def fit(
    config: TrainConfig | ShapeTrainConfig,
    showers: TrainingSet,
    seconds: float,
    steps: int | None = None,
) -> Fit:
    """Train for ``seconds`` of CPU time, by a number of steps that is measured first, or given.

    Raises
    ------
    ConfigError
        The time is too short for a single step.
    TrainingError
        The loss stays non-finite.
    """
    with torch_threads(1):
        steps = steps or _affordable(config, showers, seconds)
        start = time.process_time()
        trainer = _trainer(config, showers, steps)
        trainer.run()
        taken = time.process_time() - start
    flow = initial_flow(config, describe(config, showers), showers)
    flow.load_state_dict(trainer.best or flow.state_dict(), strict=True)
    best = trainer.history.best
    if best is None:
        raise TrainingError(
            f"{config.name}: the held-out likelihood was never finite, so there is no model to "
            "judge; lower optimiser.lr"
        )
    return Fit(
        flow=flow.eval(),
        steps=trainer.step,
        showers_seen=trainer.step * trainer.batch_size,
        cpu_seconds=taken,
        validation_nll=best.validation_nll,
    )


def fitted(source: str) -> Fit:
    """Return a flow of voxels that was trained before.

    Raises
    ------
    ModelError
        There is none of that name, or it says nothing of its training.
    """
    flow, metadata = load_shape(source)
    training = metadata.training
    if training is None:
        raise ModelError(f"{source} is of a training that has not ended; let it end first")
    return Fit(flow.float(), training.steps, None, training.seconds, training.validation_nll)


def _trainer(config: TrainConfig | ShapeTrainConfig, showers: TrainingSet, steps: int) -> Trainer:
    config = config.model_copy(update={"steps": steps, "epochs": None})
    flow = initial_flow(config, describe(config, showers), showers)
    return Trainer(config, flow, showers.train, showers.validation)


def _affordable(
    config: TrainConfig | ShapeTrainConfig, showers: TrainingSet, seconds: float
) -> int:
    """Measure preparation and steps on a few showers; return the steps that fit in the time."""
    n = len(showers.train)
    few = TrainingSet(
        showers.train[torch.arange(min(n, _ROWS))],
        showers.validation[torch.arange(min(len(showers.validation), 16))],
        showers.binning,
        showers.files,
    )
    trainer = _trainer(config, few, 10**6)
    start = time.process_time()
    trainer.start_epoch()
    preparing = (time.process_time() - start) * n / len(few.train)
    trainer.take_step()
    start = time.process_time()
    for _ in range(_STEPS):
        trainer.take_step()
    step = (time.process_time() - start) / _STEPS
    # What the present batch takes of the shorter sample, it takes of the whole one.
    step *= min(config.batch_size, n) / trainer.batch_size
    steps = int((seconds - preparing) / step)
    if steps < 1:
        raise ConfigError(
            f"{config.name}: {seconds:g} s are too short to prepare {n} showers "
            f"({preparing:.1f} s) and take a step ({step:.2f} s); give more with cpu_seconds"
        )
    return steps
