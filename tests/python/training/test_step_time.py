"""The measurement of the training step: every kind is timed, and ratios are ratios."""

import pytest

from fastcaloq_infer.training.step_time import measure_step_times


def test_every_kind_is_timed_against_none(config):
    times = measure_step_times(config, ("conditioner", "classical"), rounds=4, steps_per_round=1)
    assert times.seconds.keys() == {"none", "conditioner", "classical"}
    assert all(0 < seconds < 1 for seconds in times.seconds.values())
    assert times.ratio.keys() == {"conditioner", "classical"}
    assert (times.batch_size, times.threads, times.rounds) == (256, 1, 4)


def test_the_same_kind_twice_has_ratio_one(config):
    # Interleaved, so a busy machine slows both: the median of 20 ratios is near 1.
    times = measure_step_times(config, ("none",), rounds=3, steps_per_round=1)
    assert times.ratio["none"] == pytest.approx(1.0)
