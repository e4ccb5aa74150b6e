"""Learning rate against step: a pure function, so that resuming needs the step number alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastcaloq_infer.training.config import ScheduleConfig, TrainingConfig
    from fastcaloq_infer.training.history import Record


def learning_rate_factor(schedule: ScheduleConfig, step: float, total_steps: int) -> float:
    """Return the factor in [0, 1] by which the peak learning rate is multiplied.

    ``one_cycle`` rises along half a cosine from ``start_factor`` to 1 over the ``warm_up`` fraction
    of the training and falls along half a cosine to ``end_factor`` (Smith and Topin 2017,
    arXiv:1708.07120, with one constant momentum). ``cosine`` rises linearly instead (Loshchilov and
    Hutter 2016, arXiv:1608.03983, one period). ``constant`` only warms up.

    Parameters
    ----------
    schedule
        Kind and fractions.
    step
        Number of the step about to be taken, counted from 0; may lie between two.
    total_steps
        Number of steps of the whole training; beyond it the last value is kept.
    """
    last = max(total_steps - 1, 1)
    position = min(max(step / last, 0.0), 1.0)
    if position < schedule.warm_up:
        rise = position / schedule.warm_up
        if schedule.kind == "one_cycle":
            rise = _half_cosine(rise)
        return schedule.start_factor + (1.0 - schedule.start_factor) * rise
    if schedule.kind == "constant":
        return 1.0
    fall = (position - schedule.warm_up) / (1.0 - schedule.warm_up)
    return 1.0 + (schedule.end_factor - 1.0) * _half_cosine(fall)


def learning_rates(
    config: TrainingConfig, total_steps: int, until: Record, points: int = 200
) -> tuple[list[float], list[float]]:
    """Return epochs from 0 to those of ``until`` and the learning rates there, for drawing."""
    parts = [point / points for point in range(points + 1)]
    factors = [
        learning_rate_factor(config.schedule, part * until.step, total_steps) for part in parts
    ]
    return [part * until.epoch for part in parts], [config.optimiser.lr * f for f in factors]


def _half_cosine(fraction: float) -> float:
    return 0.5 * (1.0 - math.cos(math.pi * fraction))
