"""The learning rate: ends, peak, direction and absence of jumps, for every kind."""

import math
from itertools import pairwise

import pytest

from fastcaloq_infer.training.config import ScheduleConfig
from fastcaloq_infer.training.schedule import learning_rate_factor

STEPS = 1001
KINDS = ["one_cycle", "cosine", "constant"]


def factors(**changes):
    schedule = ScheduleConfig(**changes)
    return [learning_rate_factor(schedule, step, STEPS) for step in range(STEPS)]


@pytest.mark.parametrize("kind", KINDS)
def test_rises_to_one_and_falls_without_jumps(kind):
    values = factors(kind=kind, warm_up=0.2, start_factor=0.1, end_factor=0.01)
    peak = 200
    assert values[0] == pytest.approx(0.1)
    assert values[peak] == 1.0
    assert values[-1] == pytest.approx(1.0 if kind == "constant" else 0.01)
    assert all(a < b for a, b in pairwise(values[: peak + 1]))
    assert all(a >= b for a, b in pairwise(values[peak:]))
    # the steepest of all: half a cosine over 200 steps has slope at most pi / 2 / 200
    assert max(abs(b - a) for a, b in pairwise(values)) <= math.pi / 2 / 200


@pytest.mark.parametrize("kind", KINDS)
def test_without_warm_up_it_starts_at_the_peak(kind):
    assert factors(kind=kind, warm_up=0.0)[0] == 1.0


def test_halfway_down_the_cosine():
    values = factors(kind="cosine", warm_up=0.0, end_factor=0.0)
    assert values[500] == pytest.approx(0.5)
    assert values[250] == pytest.approx(0.5 + 0.5 * math.cos(math.pi / 4))


@pytest.mark.parametrize("kind", KINDS)
def test_one_step_and_steps_beyond_the_end(kind):
    schedule = ScheduleConfig(kind=kind, warm_up=0.1)
    assert 0.0 < learning_rate_factor(schedule, 0, 1) <= 1.0
    end = learning_rate_factor(schedule, STEPS - 1, STEPS)
    assert learning_rate_factor(schedule, STEPS + 50, STEPS) == end
