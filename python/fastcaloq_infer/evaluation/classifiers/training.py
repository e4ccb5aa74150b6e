"""One classifier of a two-sample test: split, standardise, train, score, calibrate."""

from __future__ import annotations

from concurrent.futures import CancelledError
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fastcaloq_infer.evaluation.classifiers.calibration import calibrate
from fastcaloq_infer.evaluation.classifiers.columns import Columns, GroupScaler, undefined_somewhere
from fastcaloq_infer.evaluation.classifiers.splits import split

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.classifiers.trees import Labelled
    from fastcaloq_infer.evaluation.samples.groups import EnergyGroups
    from fastcaloq_infer.evaluation.samples.sample import Sample

Architecture = Literal["trees", "network", "challenge"]


@dataclass(frozen=True)
class Tested:
    """Labels, logits and calibrated probabilities of one test part."""

    labels: NDArray[np.int64]
    logits: NDArray[np.float64]
    calibrated: NDArray[np.float64]


@dataclass(frozen=True)
class Training:
    """One classifier: its samples, what it sees of them, and its number."""

    architecture: Architecture
    samples: tuple[Sample, Sample]
    columns: tuple[Columns, Columns]
    groups: EnergyGroups
    seed: int
    number: int

    def run(self, progress: Callable[[float], None]) -> Tested:
        """Train, and judge the test part."""
        # The second sample is split independently: its rows correspond to nothing in the first.
        parts = [
            split(sample, self.groups, self.seed + k, self.number)
            for k, sample in enumerate(self.samples)
        ]
        scale = self._scale(parts[0].train)
        train, validation, test = (
            _labelled(
                *(scale(c.take(getattr(p, part))) for c, p in zip(self.columns, parts, strict=True))
            )
            for part in ("train", "validation", "test")
        )
        seed = self.seed * 1000 + self.number
        known, unseen = _judge(self.architecture, train, validation, test[0], seed, progress)
        least = 1e-6 if self.architecture == "challenge" else 1 / (len(known) + 2)
        return Tested(test[1], unseen, calibrate(known, validation[1], unseen, least))

    def _scale(self, train: NDArray[np.intp]) -> Callable[[Columns], NDArray[np.floating[Any]]]:
        if self.architecture == "challenge":
            return lambda columns: columns.values
        flagged = undefined_somewhere(*self.columns)
        return GroupScaler.fit(self.columns[0].take(train), self.groups, flagged)


def _labelled(
    first: NDArray[np.floating[Any]],
    second: NDArray[np.floating[Any]],
) -> Labelled:
    return np.concatenate([first, second]), np.repeat(np.array([0, 1]), [len(first), len(second)])


def _judge(
    architecture: Architecture,
    train: Labelled,
    validation: Labelled,
    test: NDArray[np.floating[Any]],
    seed: int,
    progress: Callable[[float], None],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the logits of the validation and of the test part."""
    if architecture == "trees":
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

        from fastcaloq_infer.evaluation.classifiers.trees import trees

        with threadpool_limits(1, user_api="openmp"):  # OpenMP's limit is one of this thread
            return trees(train, validation, test, seed, progress)
    from fastcaloq_infer.evaluation.classifiers.network import CHALLENGE, OURS, network

    recipe = OURS if architecture == "network" else CHALLENGE
    return network(recipe, train, validation, test, seed, progress)


class Progress:
    """Collects the progress of several trainings in one fraction; ends them once ``stopped``."""

    def __init__(self, trainings: int, tell: Callable[[float], None] | None) -> None:
        self.done = [0.0] * trainings
        self.tell = tell
        self.lock = Lock()
        self.stopped = False

    def of(self, training: int) -> Callable[[float], None]:
        """Return the function that takes one training's fraction."""

        def update(fraction: float) -> None:
            if self.stopped:
                raise CancelledError
            with self.lock:
                self.done[training] = fraction
                if self.tell is not None:
                    self.tell(sum(self.done) / len(self.done))

        return update
