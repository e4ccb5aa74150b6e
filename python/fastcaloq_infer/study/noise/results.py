"""What shots and noise did, as it goes to ``results.json`` and into a table."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Any, Literal

from fastcaloq_infer.study.result_file import ResultFile, Strict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastcaloq_infer.study.noise.measure import Point

__all__ = ["Figure", "NoiseResults", "PointResults", "collect", "table"]

_TITLES = {
    "exact": "exact",
    "fresh": "shots, every shower measures",
    "table": "shots, once per incident energy",
    "depolarising": "depolarising, p per gate and qubit",
    "readout": "readout error p",
}


class Figure(Strict):
    """Mean over realisations and its standard error."""

    mean: float
    error: float


class PointResults(Strict):
    """One way to run the circuit.

    Attributes
    ----------
    series, value
        See :class:`~fastcaloq_infer.study.noise.measure.Point`; null: exact.
    feature_error
        Root mean square difference of a feature from its exact value.
    nats_lost
        Held-out log-likelihood of the exact circuit less this one's, nats per shower.
    total_separation, zero_difference, layer_distance
        See :class:`~fastcaloq_infer.study.layer_figures.LayerFigures`.
    auc
        Boosted trees, held-out against drawn layer energies; null: none were trained.
    """

    series: Literal["exact", "fresh", "table", "depolarising", "readout"]
    value: float | None
    feature_error: Figure
    nats_lost: Figure
    total_separation: Figure
    zero_difference: Figure
    layer_distance: Figure
    auc: Figure | None


class NoiseResults(ResultFile):
    """All points of a model; floor: Geant4 against Geant4."""

    HOLDS = "shots and noise"
    AGAIN = "run it again"

    model: str
    repeats: int
    log_likelihood: float
    floor_auc: Figure | None
    points: tuple[PointResults, ...]

    def series(self, name: str) -> list[PointResults]:
        """Return the points of a series, by value."""
        return sorted((p for p in self.points if p.series == name), key=lambda p: p.value or 0.0)


def summary(values: Sequence[float]) -> Figure:
    """Mean and its standard error."""
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return Figure(mean=statistics.fmean(values), error=error)


def collect(
    model: str, found: Sequence[tuple[Point, list[dict[str, Any]]]], floor: Sequence[float]
) -> NoiseResults:
    """Return the results of judged points, the exact one first."""
    exact = statistics.fmean(judged["log_likelihood"] for judged in found[0][1])
    rows = []
    for point, judged in found:
        columns = {key: [one[key] for one in judged] for key in judged[0]}
        lost = [exact - value for value in columns.pop("log_likelihood")]
        scores = columns.pop("auc")
        rows.append(
            PointResults(
                series=point.series,
                value=point.value if math.isfinite(point.value) else None,
                nats_lost=summary(lost),
                auc=None if None in scores else summary(scores),
                **{name: summary(values) for name, values in columns.items()},
            )
        )
    return NoiseResults(
        schema=1,
        model=model,
        repeats=len(found[0][1]),
        log_likelihood=exact,
        floor_auc=summary(floor) if floor else None,
        points=tuple(rows),
    )


def table(results: NoiseResults) -> str:
    """Return the points as a Markdown table."""
    lines = [
        f"# Shots and noise: {results.model}\n",
        f"Mean and standard error over {results.repeats} realisations; exact: "
        f"{results.log_likelihood:.3f} nats per held-out shower"
        + (
            f"; AUC of Geant4 against Geant4 {_text(results.floor_auc)}"
            if results.floor_auc
            else ""
        )
        + ".\n",
        "| circuit | shots or p | error of a feature | nats lost | AUC | E_tot, floors | "
        "W1 of layers, floors |",
        "|---|---|---|---|---|---|---|",
    ]
    for point in results.points:
        value = "" if point.value is None else f"{point.value:,g}"
        cells = (
            _TITLES[point.series],
            value,
            f"{point.feature_error.mean:.4f}",
            _text(point.nats_lost),
            "" if point.auc is None else _text(point.auc),
            _text(point.total_separation, 2),
            _text(point.layer_distance, 2),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _text(figure: Figure, digits: int = 4) -> str:
    return f"{figure.mean:.{digits}f} ± {figure.error:.{digits}f}"
