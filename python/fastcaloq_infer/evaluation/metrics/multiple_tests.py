"""Many tests at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def holm(p: Sequence[float]) -> list[float]:
    """Adjust p values for all of them having been looked at.

    Holm's step-down rule (Scandinavian Journal of Statistics 6 (1979) 65): an adjusted value below
    alpha may be claimed; the probability of one false claim or more is at most alpha, whatever the
    dependence between the tests.
    """
    order = sorted(range(len(p)), key=lambda k: p[k])
    adjusted = [0.0] * len(p)
    largest = 0.0
    for rank, k in enumerate(order):
        largest = max(largest, min(1.0, (len(p) - rank) * p[k]))
        adjusted[k] = largest
    return adjusted
