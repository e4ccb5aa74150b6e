"""One seed for a run, an own stream for everything in it that is random."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Stream", "stream_seed"]

_MASK = (1 << 64) - 1


class Stream(IntEnum):
    """What random numbers are used for; the values are part of a run's reproducibility."""

    WEIGHTS = 0
    NOISE = 1
    VALIDATION_NOISE = 2
    SPLIT = 3
    INITIALISATION = 4
    LIMIT = 5
    INSPECTION = 7
    LOSS = 6
    ORDER = 1 << 32  # plus the epoch


def stream_seed(seed: int, stream: int) -> int:
    """Return a seed below 2^63 for one use; neighbouring seeds and uses are unrelated.

    The finaliser of SplitMix64 (Steele, Lea, Flood 2014, OOPSLA, figure 14).
    """
    value = (seed * 0x9E3779B97F4A7C15 + (stream + 1) * 0xD1B54A32D192ED03) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return (value ^ (value >> 31)) >> 1
