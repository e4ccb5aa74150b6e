"""What a study found, as it goes to ``results.json`` and back; times are in a file of their own."""

from __future__ import annotations

from typing import Any

from fastcaloq_infer.study.result_file import ResultFile, Strict

__all__ = ["CellResults", "Comparison", "Likelihood", "Scatter", "StudyResults", "VariantResults"]


class Likelihood(Strict):
    """Mean log-likelihood of the held-out showers, nats per shower, density in MeV.

    Attributes
    ----------
    mean
        Over seeds and showers.
    shower_error
        Bootstrap error over the showers, inside incident energies.
    seed_error
        Standard error of the mean over seeds; None with one seed.
    by_seed
        Mean over showers per seed, in the order of the study's seeds.
    """

    mean: float
    shower_error: float
    seed_error: float | None
    by_seed: tuple[float, ...]


class Scatter(Strict):
    """Mean and standard deviation over trainings and classifiers; None with one value."""

    mean: float
    spread: float | None
    values: tuple[float, ...]


class VariantResults(Strict):
    """One model at one size in one region.

    Attributes
    ----------
    total_separation, zero_difference, layer_distance
        See :class:`~fastcaloq_infer.study.layer_figures.LayerFigures`; None where the study did not
        ask for them.
    """

    name: str
    title: str
    n_parameters: int
    n_conditioner: int
    n_trained: int
    n_features: int
    likelihood: Likelihood | None
    auc: Scatter | None
    total_separation: Scatter | None = None
    zero_difference: Scatter | None = None
    layer_distance: Scatter | None = None


class Comparison(Strict):
    """A variant against the reference on the same showers, nats per shower; positive is better.

    Attributes
    ----------
    p, p_adjusted
        Two-sided, of this comparison alone and after Holm's rule on all of the study.
    resolved
        Whether the adjusted value allows a claim at the study's confidence.
    """

    variant: str
    reference: str
    effect: float
    error: float
    low: float
    high: float
    dof: float
    p: float | None
    p_adjusted: float | None
    resolved: bool


class CellResults(Strict):
    """All variants at one size in one region.

    Attributes
    ----------
    n_judged
        Held-out showers that all compared models can have made, with every seed.
    n_left_out
        Held-out showers outside what some training sample allows (an empty layer it never had, or
        more energy than its ceiling): without a density, so left out for all.
    floor_auc
        Geant4 against independent Geant4, judged alike; None without classifiers.
    """

    size: str
    region: str
    n_train: int
    n_validation: int
    n_judged: int
    n_left_out: int
    floor_auc: Scatter | None
    variants: tuple[VariantResults, ...]
    comparisons: tuple[Comparison, ...]

    @property
    def title(self) -> str:
        """Name of the cell in tables and pictures."""
        total = self.n_train + self.n_validation
        where = "" if self.region == "all" else f", {self.region}"
        return f"{total:,} showers{where}"


class StudyResults(ResultFile):
    """A whole study; the same configuration and showers give the same content."""

    HOLDS = "a study"
    AGAIN = "run the study again"

    name: str
    seeds: tuple[int, ...]
    reference: str
    confidence: float
    held_out: str
    sha256: dict[str, str]
    configuration: dict[str, Any]
    method: str
    cells: tuple[CellResults, ...]
