"""The figures in a few lines: value, floor, target and a traffic light for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from fastcaloq_infer.evaluation.results import Evaluation, Separation, ZeroFraction

Light = Literal["green", "amber", "red"]

AUC_TARGET = 0.53
ZERO_FRACTION_TARGET = 0.02
SEPARATION_RATIO_TARGET = 3.0


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
        Generated against Geant4, and its statistical error or spread.
    floor
        Geant4 against Geant4, by the same procedure.
    target
        Largest value that counts as reached.
    light
        ``green``: at most the target; ``amber``: above it, but not significantly (AUC and zero
        fraction: by no more than two errors; separation: within the 99 % quantile of Geant4
        against Geant4, which a nearly empty layer with its two or three bins often needs);
        ``red``: above it.
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


def target_lines(evaluation: Evaluation) -> list[TargetLine]:
    """Return the table: classifier, worst zero fraction and separations, runaway showers."""
    lines = []
    if evaluation.classifier is not None:
        auc, floor = evaluation.classifier.generated, evaluation.classifier.floor
        lines.append(
            _line(
                f"classifier AUC, mean over seeds ({len(auc.auc.values)})",
                "all energies",
                auc.auc.mean,
                auc.auc.spread,
                floor.auc.mean,
                AUC_TARGET,
            )
        )
    zero = max(evaluation.zero_fractions, key=lambda z: abs(z.difference))
    lines.append(
        _line(
            "largest zero-fraction difference",
            _zero_place(zero),
            abs(zero.difference),
            zero.difference_error,
            max(abs(z.floor - z.reference) for z in evaluation.zero_fractions),
            ZERO_FRACTION_TARGET,
        )
    )
    total = [s for s in evaluation.separations if s.feature == "E_tot"]
    layers = [s for s in evaluation.separations if s.feature != "E_tot"]
    lines += [
        _separation_line("largest separation of E_tot, in floors", total),
        _separation_line("largest separation of a layer energy, in floors", layers),
        _runaway_line(evaluation),
    ]
    return lines


def _separation_line(name: str, separations: list[Separation]) -> TargetLine:
    worst = max(separations, key=lambda s: (separation_light(s) == "red", s.ratio))
    floor = max(s.floor / s.floor_mean if s.floor_mean > 0 else 1.0 for s in separations)
    error = worst.error / worst.floor_mean if worst.floor_mean > 0 else 0.0
    above = sum(s.ratio > SEPARATION_RATIO_TARGET for s in separations)
    where = f"{worst.feature} at {worst.incident_energy:.6g} MeV"
    if above:
        where += f"; {above} of {len(separations)} above the target"
    light = separation_light(worst)
    return TargetLine(name, where, worst.ratio, error, floor, SEPARATION_RATIO_TARGET, light)


def separation_light(separation: Separation) -> Light:
    """Return the colour of one separation power against three times the mean floor."""
    if separation.ratio <= SEPARATION_RATIO_TARGET:
        return "green"
    return "amber" if separation.value <= separation.floor_upper else "red"


def _runaway_line(evaluation: Evaluation) -> TargetLine:
    worst = max(evaluation.extremes, key=lambda e: e.generated / max(e.reference, e.floor))
    return _line(
        f"runaway showers in {evaluation.generated_showers}",
        f"largest total {worst.generated:.3g} times E_inc at {worst.incident_energy:.6g} MeV",
        float(sum(e.runaways for e in evaluation.extremes)),
        0.0,
        float(sum(e.floor_runaways for e in evaluation.extremes)),
        0.0,
    )


def _zero_place(zero: ZeroFraction) -> str:
    return f"layer {zero.layer} at {zero.incident_energy:.6g} MeV"


def _line(
    name: str, where: str, value: float, error: float, floor: float, target: float
) -> TargetLine:
    return TargetLine(name, where, value, error, floor, target, traffic_light(value, error, target))


def summary(evaluation: Evaluation) -> str:
    """Return the table as plain text, one line per figure."""
    rows = [("figure", "value", "error", "floor", "target", "", "where")]
    rows += [
        (
            line.name,
            f"{line.value:.4g}",
            f"{line.error:.2g}",
            f"{line.floor:.4g}",
            f"<= {line.target:g}",
            line.light,
            line.where,
        )
        for line in target_lines(evaluation)
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(7)]
    return "\n".join(
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
