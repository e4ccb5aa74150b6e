"""Timing several things against each other: in turn, so that a slow moment hits them all."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Timing:
    """Seconds per call over the repetitions.

    ``spread`` is the distance between the quartiles divided by the median; ``best`` the smallest.
    """

    median: float
    best: float
    spread: float
    repetitions: int
    calls: int


def interleaved(
    tasks: Mapping[str, Callable[[], object]], *, repetitions: int, seconds: float
) -> dict[str, Timing]:
    """Time every task ``repetitions`` times, one after the other in every round.

    Parameters
    ----------
    tasks
        Functions by name; each is called once beforehand to warm up and to choose how many calls
        make one repetition.
    repetitions
        Rounds, at least 1.
    seconds
        Length of one repetition of one task, at least.
    """
    calls = {name: _calls_for(task, seconds) for name, task in tasks.items()}
    samples: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(repetitions):
        for name, task in tasks.items():
            samples[name].append(_time(task, calls[name]))
    return {name: _summary(times, calls[name]) for name, times in samples.items()}


def _time(task: Callable[[], object], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        task()
    return (time.perf_counter() - start) / calls


def _calls_for(task: Callable[[], object], seconds: float) -> int:
    task()
    calls = 1
    while (each := _time(task, calls)) * calls < seconds / 4:
        calls = max(calls * 2, min(calls * 16, int(seconds / 2 / max(each, 1e-9))))
    return max(1, round(seconds / each))


def _summary(times: list[float], calls: int) -> Timing:
    low, median, high = np.percentile(times, [25, 50, 75])
    return Timing(
        median=float(median),
        best=min(times),
        spread=float((high - low) / median),
        repetitions=len(times),
        calls=calls,
    )
