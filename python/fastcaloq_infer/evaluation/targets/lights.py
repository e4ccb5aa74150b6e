"""Traffic lights: reached, above the target by no more than chance allows, missed.

A family of figures (one per feature and energy, say) is judged by its worst place, and the worst
of a hundred perfect places is off by three standard errors. So a light counts the places: it is
red only where the figure would be as large in one of them with a probability below 1 %.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from fastcaloq_infer.evaluation.results import ChiSquare, InFloors

Light = Literal["green", "amber", "red"]

SEPARATION_RATIO_TARGET = 3.0
"""Of separations, distances and chi squares: how often the simulation's against itself."""

SHARE_TARGET = 0.02
"""Largest difference of a share: showers without energy in a layer, voxels with energy."""

PROFILE_TARGET = 0.05
"""Largest relative difference of the mean energy of a ring or sector."""

LAYER_SUM_TARGET = 4e-6
"""Largest relative difference of a layer's energy and its voxels: 28 roundings of float32."""

ERRORS_TARGET = 3.0
"""Largest distance from the floor, in standard errors, of figures without a scale of their own."""

SIGNIFICANT = 0.01
"""Probability, over all places of a family, below which a figure differs from its floor."""


def traffic_light(value: float, error: float, target: float) -> Light:
    """Return the colour for a figure that should be at most ``target``; amber within two errors."""
    if value <= target:
        return "green"
    return "amber" if value - 2 * error <= target else "red"


def share_light(value: float, error: float, target: float, places: int = 1) -> Light:
    """Return the colour of a Gaussian figure, one of ``places``, that should be at most a target.

    Amber where one of the places would be as far above it by chance, were all of them on it.
    """
    from scipy.stats import norm  # type: ignore[import-untyped]

    if value <= target:
        return "green"
    chance = places * float(norm.sf((value - target) / error)) if error > 0 else 0.0
    return "amber" if chance >= SIGNIFICANT else "red"


def chi_square_light(figure: ChiSquare, places: int = 1) -> Light:
    """Return the colour of a chi2/ndf, one of ``places``."""
    if figure.value <= SEPARATION_RATIO_TARGET:
        return "green"
    return "amber" if places * figure.p_value >= SIGNIFICANT else "red"


def in_floors_light(figure: InFloors, places: int = 1) -> Light:
    """Return the colour of a figure, one of ``places``, against three times the mean floor."""
    if figure.ratio <= SEPARATION_RATIO_TARGET:
        return "green"
    return "amber" if places * floor_probability(figure) >= SIGNIFICANT else "red"


def errors_light(value: float, error: float, floor: float) -> Light:
    """Return the colour of a figure by its distance from the floor, in standard errors."""
    if value <= floor + ERRORS_TARGET * error:
        return "green"
    return "amber" if value <= floor + 2 * ERRORS_TARGET * error else "red"


def floor_probability(figure: InFloors) -> float:
    """Return the probability of the floor to be at least as large as the figure's value.

    A sum of squares over bins follows a scaled chi squared law; mean and spread of the permuted
    floor fix its scale and degrees of freedom, which reaches further into the tail than 1,000
    permutations do.
    """
    from scipy.stats import chi2

    mean, variance = figure.floor_mean, figure.floor_spread**2
    if mean <= 0 or variance <= 0:
        return float(figure.value <= figure.floor_upper)
    return float(chi2.sf(2 * figure.value * mean / variance, 2 * mean**2 / variance))
