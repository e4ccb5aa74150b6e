"""One line of the table of figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastcaloq_infer.evaluation.targets.lights import Light


@dataclass(frozen=True)
class TargetLine:
    """One line of the table of figures.

    Attributes
    ----------
    name
        What is measured.
    where
        The worst place (feature, energy), or empty.
    value, error
        Generated against reference, and its statistical error or spread.
    floor
        Reference against floor sample, by the same procedure.
    target
        Largest value that counts as reached.
    light
        ``green``: at most the target; ``amber``: above it, but not significantly (``lights``);
        ``red``: above it.
    """

    name: str
    where: str
    value: float
    error: float
    floor: float
    target: float
    light: Light
