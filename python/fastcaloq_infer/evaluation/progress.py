"""How long work says where it stands."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, float], None]
"""Called with the name of a step and the fraction of it that is done, 0 to 1."""


def silent(step: str, fraction: float) -> None:
    """Say nothing."""
