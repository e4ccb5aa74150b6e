"""Figures of two-sample tests by classifiers."""

from __future__ import annotations

from fastcaloq_infer.evaluation.results.base import Figure


class OverSeeds(Figure):
    """One figure from several classifiers, each with its own split and its own random numbers.

    ``spread`` is the standard deviation between seeds (0 for one seed), ``error`` the standard
    error of ``mean`` from the number of showers tested.
    """

    values: tuple[float, ...]
    mean: float
    spread: float
    error: float


class ReliabilityBin(Figure):
    """Tested showers of similar score: what the classifier says and what is true.

    ``score`` is the mean score (probability of belonging to the second sample), ``fraction`` the
    share that does, ``error`` its binomial standard error.
    """

    score: float
    fraction: float
    error: float
    showers: int


class Calibration(Figure):
    """Whether scores are probabilities, on the test parts of all seeds together.

    Expected calibration errors (mean of abs(fraction - score) over bins of equal population)
    before and after the isotonic calibration; ``expected`` is what a perfectly calibrated
    classifier would show by chance. ``before`` and ``after`` are the reliability curves.
    """

    error_before: float
    error_after: float
    expected: float
    before: tuple[ReliabilityBin, ...]
    after: tuple[ReliabilityBin, ...]


class Scores(Figure):
    """Classifiers on one pair of samples: AUC, and Jensen-Shannon divergence in bits (0 to 1)."""

    auc: OverSeeds
    jsd: OverSeeds
    calibration: Calibration


class Classifier(Figure):
    """Reference against generated, and against the floor sample by the same procedure.

    ``view`` is what the classifier sees ("layers", "high", "low", "normalised"), ``architecture``
    what it is ("trees", "network", "challenge"), ``description`` both in words.
    """

    view: str
    architecture: str
    description: str
    showers_per_sample: int
    generated: Scores
    floor: Scores

    @property
    def significance(self) -> float:
        """AUC above the floor's, in standard errors of the difference."""
        errors = self.generated.auc.error**2 + self.floor.auc.error**2
        return (self.generated.auc.mean - self.floor.auc.mean) / float(errors**0.5)
