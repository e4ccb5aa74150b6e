"""Figures of distances in feature space and of the samples' manifolds."""

from __future__ import annotations

from fastcaloq_infer.evaluation.results.base import Figure


class Distance(Figure):
    """FPD or KPD of one view of the showers, and the floor sample's by the same procedure.

    Unbiased, so values below zero occur; the literature quotes them in units of 10^-3.
    """

    name: str
    features: str
    n_features: int
    showers: int
    value: float
    error: float
    floor: float
    floor_error: float


class Share(Figure):
    """A share of showers with its error, and the floor sample's by the same procedure."""

    value: float
    error: float
    floor: float
    floor_error: float


class Manifold(Figure):
    """Precision, density, recall and coverage by nearest neighbours in one view.

    ``showers`` are compared with as many; ``nearest`` is the number of neighbours that a shower's
    ball holds. Density is no share: it may exceed 1.
    """

    features: str
    n_features: int
    showers: int
    nearest: int
    precision: Share
    density: Share
    recall: Share
    coverage: Share
