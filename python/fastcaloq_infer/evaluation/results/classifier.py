"""Figures of two-sample tests by classifiers."""

from __future__ import annotations

from fastcaloq_infer.evaluation.results.base import Figure


class Auc(Figure):
    """Classifier AUC over seeds: mean, and standard deviation between seeds."""

    values: tuple[float, ...]
    mean: float
    spread: float


class Classifier(Figure):
    """Reference against generated, and against the floor sample by the same procedure."""

    kind: str
    showers_per_sample: int
    generated: Auc
    floor: Auc
