"""The figures in a few lines: value, floor, target and a traffic light for each.

Most targets are told by the floor, which knows how many showers there are and how hard the view
is: a separation, a distance or a chi2 may be three times what the simulation shows against itself,
an unbounded figure (FPD, coverage) may be three standard errors away. Of every family of figures
the worst place is quoted.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fastcaloq_infer.evaluation.targets.auc import auc_target
from fastcaloq_infer.evaluation.targets.lights import (
    ERRORS_TARGET,
    SEPARATION_RATIO_TARGET,
    SHARE_TARGET,
    Light,
    chi_square_light,
    errors_light,
    in_floors_light,
    share_light,
    traffic_light,
)
from fastcaloq_infer.evaluation.targets.line import TargetLine
from fastcaloq_infer.evaluation.targets.shape_lines import profile_lines, sum_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fastcaloq_infer.evaluation.results import (
        ChiSquare,
        Classifier,
        Distance,
        Evaluation,
        InFloors,
        LayerShare,
        Manifold,
    )


def target_lines(evaluation: Evaluation) -> list[TargetLine]:
    """Return the table: the worst of every family of figures that the evaluation has."""
    return list(_lines(evaluation))


def _lines(evaluation: Evaluation) -> Iterator[TargetLine]:
    for classifier in evaluation.classifiers:
        yield classifier_line(classifier, evaluation.binning)
    if evaluation.zero_fractions:
        yield _share_line("largest zero-fraction difference", evaluation.zero_fractions)
    if evaluation.occupancies:
        yield _share_line("largest occupancy difference", evaluation.occupancies)
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
        yield _chi_square_line(evaluation.chi_squares)
    yield from profile_lines(evaluation.profiles)
    if evaluation.layer_sums:
        yield sum_line(evaluation.layer_sums)
    yield from map(_distance_line, evaluation.distances)
    if evaluation.manifold is not None:
        yield _manifold_line(evaluation.manifold)
    if evaluation.extremes:
        yield _runaway_line(evaluation)


def classifier_line(classifier: Classifier, binning: str | None = None) -> TargetLine:
    """Return the line of one view and architecture."""
    auc, floor = classifier.generated.auc, classifier.floor.auc
    error = math.hypot(auc.error, floor.error)
    target = auc_target(classifier.view, binning, floor)
    return TargetLine(
        f"classifier AUC, {classifier.view}, {classifier.architecture}, mean of {len(auc.values)}",
        "",
        auc.mean,
        error,
        floor.mean,
        target,
        traffic_light(auc.mean, error, target),
    )


def _share_line(name: str, shares: Sequence[LayerShare]) -> TargetLine:
    def light(share: LayerShare) -> Light:
        value = abs(share.difference)
        return share_light(value, share.difference_error, SHARE_TARGET, len(shares))

    worst = max(shares, key=lambda s: (light(s) == "red", abs(s.difference)))
    return TargetLine(
        name,
        f"layer {worst.layer} at {worst.incident_energy:.6g} MeV",
        abs(worst.difference),
        worst.difference_error,
        max(abs(s.floor - s.reference) for s in shares),
        SHARE_TARGET,
        light(worst),
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


def _chi_square_line(figures: Sequence[ChiSquare]) -> TargetLine:
    places = len(figures)
    worst = max(figures, key=lambda c: (chi_square_light(c, places) == "red", c.value))
    return TargetLine(
        "largest chi2/ndf of E_tot",
        f"{worst.incident_energy:.6g} MeV, {worst.ndf} degrees of freedom",
        worst.value,
        worst.error,
        max(c.floor for c in figures),
        SEPARATION_RATIO_TARGET,
        chi_square_light(worst, places),
    )


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
    light = errors_light(value, error, floor)
    return TargetLine(name, where, value, error, floor, floor + ERRORS_TARGET * error, light)


def _runaway_line(evaluation: Evaluation) -> TargetLine:
    worst = max(evaluation.extremes, key=lambda e: e.generated / (max(e.reference, e.floor) or 1.0))
    return TargetLine(
        f"runaway showers in {evaluation.generated_showers}",
        f"largest total {worst.generated:.3g} times E_inc at {worst.incident_energy:.6g} MeV",
        value := float(sum(e.runaways for e in evaluation.extremes)),
        0.0,
        float(sum(e.floor_runaways for e in evaluation.extremes)),
        0.0,
        traffic_light(value, 0.0, 0.0),
    )
