"""The figures in a few lines: value, floor, target and a traffic light for each.

Targets are told by the floor, which knows how many showers there are and how hard the view is: a
separation, a distance or a chi2 may be three times what the simulation shows against itself, a
classifier may find 0.03 more AUC, an unbounded figure (FPD, coverage) may be three standard errors
away. They are the same for layer energies and for voxels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fastcaloq_infer.evaluation.results import (
        Classifier,
        Distance,
        Evaluation,
        FeatureSeparation,
        Manifold,
        Separation,
        Wasserstein,
        ZeroFraction,
    )

    InFloors = Separation | FeatureSeparation | Wasserstein

Light = Literal["green", "amber", "red"]

AUC_EXCESS_TARGET = 0.03
"""Largest AUC above the floor's."""

AUC_TARGET = 0.5 + AUC_EXCESS_TARGET
"""The same where the floor is what it should be."""

ZERO_FRACTION_TARGET = 0.02
SEPARATION_RATIO_TARGET = 3.0

SIGNIFICANT = 0.01
"""Probability, over all places of a family, below which a figure differs from its floor."""

ERRORS_TARGET = 3.0
"""Largest distance from the floor, in standard errors, of figures without a scale of their own."""


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
        ``green``: at most the target; ``amber``: above it, but not significantly (by no more than
        two errors; in floors: the floor itself would be as large with a probability of 1 % or more
        in one of all places, as happens in a nearly empty layer with its two or three bins; in
        errors from the floor: by at most twice as many); ``red``: above it.
    """

    name: str
    where: str
    value: float
    error: float
    floor: float
    target: float
    light: Light


def traffic_light(value: float, error: float, target: float) -> Light:
    """Return the colour for a figure that should be at most ``target``."""
    if value <= target:
        return "green"
    return "amber" if value - 2 * error <= target else "red"


def in_floors_light(figure: InFloors, places: int = 1) -> Light:
    """Return the colour of a figure, one of ``places``, against three times the mean floor."""
    if figure.ratio <= SEPARATION_RATIO_TARGET:
        return "green"
    return "amber" if places * floor_probability(figure) >= SIGNIFICANT else "red"


def floor_probability(figure: InFloors) -> float:
    """Return the probability of the floor to be at least as large as the figure's value.

    A sum of squares over bins follows a scaled chi squared law; mean and spread of the permuted
    floor fix its scale and degrees of freedom, which reaches further into the tail than 1,000
    permutations do.
    """
    from scipy.stats import chi2  # type: ignore[import-untyped]

    mean, variance = figure.floor_mean, figure.floor_spread**2
    if mean <= 0 or variance <= 0:
        return float(figure.value <= figure.floor_upper)
    return float(chi2.sf(2 * figure.value * mean / variance, 2 * mean**2 / variance))


def target_lines(evaluation: Evaluation) -> list[TargetLine]:
    """Return the table: the worst of every family of figures that the evaluation has."""
    return list(_lines(evaluation))


def _lines(evaluation: Evaluation) -> Iterator[TargetLine]:
    yield from map(classifier_line, evaluation.classifiers)
    yield _zero_line(evaluation.zero_fractions)
    layers = {f"E_{layer}" for layer in evaluation.layer_ids}
    families: tuple[tuple[str, Callable[[str], bool]], ...] = (
        ("E_tot", lambda name: name == "E_tot"),
        ("a layer energy", lambda name: name in layers),
        ("a shower shape", lambda name: name != "E_tot" and name not in layers),
    )
    for what, belongs in families:
        separations = [s for s in evaluation.separations if belongs(s.feature)]
        if separations:
            yield _floors_line(f"largest separation of {what}, in floors", separations)
    if evaluation.features:
        yield _floors_line("largest separation over all energies, in floors", evaluation.features)
    together = [w for w in evaluation.wassersteins if w.incident_energy is None]
    if together:
        yield _floors_line("largest Wasserstein distance, in floors", together)
    if evaluation.chi_squares:
        chi = max(evaluation.chi_squares, key=lambda c: c.value)
        where = f"{chi.incident_energy:.6g} MeV, {chi.ndf} degrees of freedom"
        largest = max(c.floor for c in evaluation.chi_squares)
        yield _line(
            "largest chi2/ndf of E_tot",
            where,
            chi.value,
            chi.error,
            largest,
            SEPARATION_RATIO_TARGET,
        )
    yield from map(_distance_line, evaluation.distances)
    if evaluation.manifold is not None:
        yield _manifold_line(evaluation.manifold)
    if evaluation.extremes:
        yield _runaway_line(evaluation)


def classifier_line(classifier: Classifier) -> TargetLine:
    """Return the line of one view."""
    auc, floor = classifier.generated.auc, classifier.floor.auc
    return _line(
        f"classifier AUC, {classifier.view}, mean of {len(auc.values)}",
        classifier.architecture,
        auc.mean,
        math.hypot(auc.error, floor.error),
        floor.mean,
        max(floor.mean, 0.5) + AUC_EXCESS_TARGET,  # a floor below one half is chance
    )


def _zero_line(zeros: Sequence[ZeroFraction]) -> TargetLine:
    zero = max(zeros, key=lambda z: abs(z.difference))
    return _line(
        "largest zero-fraction difference",
        f"layer {zero.layer} at {zero.incident_energy:.6g} MeV",
        abs(zero.difference),
        zero.difference_error,
        max(abs(z.floor - z.reference) for z in zeros),
        ZERO_FRACTION_TARGET,
    )


def _floors_line(name: str, figures: Sequence[InFloors]) -> TargetLine:
    places = len(figures)
    worst = max(figures, key=lambda f: (in_floors_light(f, places) == "red", f.ratio))
    floor = max(f.floor / f.floor_mean if f.floor_mean > 0 else 1.0 for f in figures)
    error = worst.error / worst.floor_mean if worst.floor_mean > 0 else 0.0
    above = sum(f.ratio > SEPARATION_RATIO_TARGET for f in figures)
    energy = getattr(worst, "incident_energy", None)
    where = worst.feature if energy is None else f"{worst.feature} at {energy:.6g} MeV"
    if above:
        where += f"; {above} of {len(figures)} above the target"
    light = in_floors_light(worst, places)
    return TargetLine(name, where, worst.ratio, error, floor, SEPARATION_RATIO_TARGET, light)


def _distance_line(distance: Distance) -> TargetLine:
    error = math.hypot(distance.error, distance.floor_error)
    name = f"{distance.name.upper()}, view {distance.features}"
    return _errors_line(name, "", distance.value, error, distance.floor)


def _manifold_line(manifold: Manifold) -> TargetLine:
    shares = {
        name: getattr(manifold, name) for name in ("precision", "density", "recall", "coverage")
    }
    errors = {name: math.hypot(s.error, s.floor_error) for name, s in shares.items()}
    worst = max(shares, key=lambda name: (shares[name].floor - shares[name].value) / errors[name])
    share = shares[worst]
    return _errors_line(
        "largest loss of precision, density, recall, coverage",
        f"{worst} {share.value:.4g}, floor {share.floor:.4g}",
        share.floor - share.value,
        errors[worst],
        0.0,
    )


def _errors_line(name: str, where: str, value: float, error: float, floor: float) -> TargetLine:
    target = floor + ERRORS_TARGET * error
    light: Light = "green" if value <= target else "red"
    if light == "red" and value <= floor + 2 * ERRORS_TARGET * error:
        light = "amber"
    return TargetLine(name, where, value, error, floor, target, light)


def _runaway_line(evaluation: Evaluation) -> TargetLine:
    worst = max(evaluation.extremes, key=lambda e: e.generated / (max(e.reference, e.floor) or 1.0))
    return _line(
        f"runaway showers in {evaluation.generated_showers}",
        f"largest total {worst.generated:.3g} times E_inc at {worst.incident_energy:.6g} MeV",
        float(sum(e.runaways for e in evaluation.extremes)),
        0.0,
        float(sum(e.floor_runaways for e in evaluation.extremes)),
        0.0,
    )


def _line(
    name: str, where: str, value: float, error: float, floor: float, target: float
) -> TargetLine:
    return TargetLine(name, where, value, error, floor, target, traffic_light(value, error, target))
