"""The measurement of the training step: every kind is timed, and ratios are ratios."""

from fastcaloq_infer.training import step_time
from fastcaloq_infer.training.step_time import measure_step_times


def test_every_kind_is_timed_against_none(config):
    times = measure_step_times(config, ("conditioner", "classical"), rounds=4, steps_per_round=1)
    assert times.seconds.keys() == {"none", "conditioner", "classical"}
    assert all(seconds > 0 for seconds in times.seconds.values())
    assert times.ratio.keys() == {"conditioner", "classical"}
    assert (times.batch_size, times.threads, times.rounds) == (256, 1, 4)


def test_ratios_are_of_neighbouring_turns(config, monkeypatch):
    """A machine that slows down during the measurement slows both kinds of a round."""
    turns = []

    def turn(trainer, steps):
        turns.append(trainer.config.quantum.kind)
        slowdown = 2.0 ** ((len(turns) - 1) // 2)
        return slowdown * {"none": 1.0, "conditioner": 1.125}[turns[-1]]

    monkeypatch.setattr(step_time, "_turn", turn)
    times = step_time.measure_step_times(config, ("conditioner",), rounds=4)
    # The first pair warms up; then who goes first alternates.
    assert turns == ["none", "conditioner", *2 * ["conditioner", "none", "none", "conditioner"]]
    assert times.ratio == {"conditioner": 1.125}
    assert times.seconds["conditioner"] == 1.125 * times.seconds["none"]
