"""How long a training step takes with and without conditioning, in one run, interleaved."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from fastcaloq_infer.conditioning import QuantumConfig
from fastcaloq_infer.training.build import describe, initial_flow
from fastcaloq_infer.training.data import TrainingSet, read_training_set
from fastcaloq_infer.training.threads import torch_threads
from fastcaloq_infer.training.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastcaloq_infer.training.config import TrainConfig

__all__ = ["StepTimes", "measure_step_times"]


@dataclass(frozen=True)
class StepTimes:
    """Times of one training step.

    Attributes
    ----------
    seconds
        Median time of a step for every kind of conditioning.
    ratio
        Median over the rounds of (time with this kind / time with kind ``none``), for every kind
        but ``none``. Both times of a round are taken one right after the other, so that a change of
        the machine's clock or load cancels.
    batch_size, threads, rounds
        Showers per step, torch threads, and number of rounds.
    """

    seconds: dict[str, float]
    ratio: dict[str, float]
    batch_size: int
    threads: int
    rounds: int


def measure_step_times(
    config: TrainConfig,
    kinds: Sequence[str] = ("conditioner", "classical"),
    *,
    rounds: int = 30,
    steps_per_round: int = 3,
    showers: TrainingSet | None = None,
) -> StepTimes:
    """Measure whole training steps (forward, backward, clipping, AdamW, averaging).

    Parameters
    ----------
    config
        Model and batch size; its ``quantum.kind`` is replaced, its ``threads`` used.
    kinds
        Kinds of conditioning to compare with ``none``.
    rounds
        How often every kind gets its turn; the order alternates.
    steps_per_round
        Steps per turn.
    showers
        Showers to use instead of reading those of the configuration.
    """
    showers = read_training_set(config) if showers is None else showers
    with torch_threads(config.threads):
        trainers = {kind: _trainer(config, kind, showers) for kind in ("none", *kinds)}
        times: dict[str, list[float]] = {kind: [] for kind in trainers}
        for trainer in trainers.values():
            _turn(trainer, steps_per_round)  # warm up: allocations, lazy initialisation
        for number in range(rounds):
            order = list(trainers)
            for kind in order if number % 2 else reversed(order):
                times[kind].append(_turn(trainers[kind], steps_per_round))
        return StepTimes(
            seconds={kind: statistics.median(values) for kind, values in times.items()},
            ratio={
                kind: statistics.median(
                    with_it / without
                    for with_it, without in zip(times[kind], times["none"], strict=True)
                )
                for kind in kinds
            },
            batch_size=trainers["none"].batch_size,
            threads=torch.get_num_threads(),
            rounds=rounds,
        )


def _trainer(config: TrainConfig, kind: str, showers: TrainingSet) -> Trainer:
    quantum = QuantumConfig(**{**config.quantum.model_dump(), "kind": kind})
    config = config.model_copy(update={"quantum": quantum})
    flow = initial_flow(config, describe(config, showers), showers)
    trainer = Trainer(config, flow, showers.train, showers.validation)
    trainer.start_epoch()  # the once-per-epoch work is not part of a step
    return trainer


def _turn(trainer: Trainer, steps: int) -> float:
    """Return seconds per step of a few steps."""
    synchronise = torch.cuda.synchronize if trainer.fabric.device.type == "cuda" else _nothing
    synchronise()
    start = time.perf_counter()
    for _ in range(steps):
        trainer.take_step()
    synchronise()
    return (time.perf_counter() - start) / steps


def _nothing() -> None:
    pass
