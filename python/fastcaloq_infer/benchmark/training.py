"""What conditioning adds to a training step of the default model."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastcaloq_infer.benchmark.figures import Figure

__all__ = ["training_figures"]

_MOST_ADDED = 1.15
_KINDS = ("conditioner", "classical")


def training_figures(*, quick: bool = False) -> dict[str, Any]:
    """Time whole training steps of the shipped configuration, with and without conditioning.

    Parameters
    ----------
    quick
        A fifth of the rounds.

    Returns
    -------
    dict
        :class:`~fastcaloq_infer.training.step_time.StepTimes` as plain data for one thread
        (seconds, ratios to the same step without conditioning), and ``figures``: the ratios
        against their target.
    """
    from fastcaloq_infer.training import TrainConfig
    from fastcaloq_infer.training.step_time import measure_step_times

    config = TrainConfig.load("photon_energy", ["threads=1"])
    times = measure_step_times(config, _KINDS, rounds=10 if quick else 50)
    figures = [
        Figure(
            "training step, circuit / no conditioning",
            times.ratio["conditioner"],
            "times",
            _MOST_ADDED,
            "at most",
        ),
        Figure(
            "training step, classical conditioner / no conditioning",
            times.ratio["classical"],
            "times",
        ),
        Figure("showers per second in training", times.batch_size / times.seconds["conditioner"]),
    ]
    return asdict(times) | {"figures": [asdict(figure) for figure in figures]}
