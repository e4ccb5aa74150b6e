"""From scores to figures: AUC with its error, calibration, Jensen-Shannon divergence.

With as many showers of both samples, a classifier whose scores s are the probabilities of
belonging to the second sample has the cross-entropy

    H = -(1/n) sum_i [y_i ln s_i + (1 - y_i) ln(1 - s_i)]

and JSD = 1 - H / ln 2 bits is the Jensen-Shannon divergence of the two densities (Lin, IEEE
Trans. Inf. Theory 37 (1991) 145; as in Krause et al., arXiv:2410.21611, section 3). Any other
scores give less, so the estimate is a lower bound on average, and for identical samples a little
below 0. The scores are calibrated by isotonic regression on the validation part first; a few
over-confident scores would otherwise dominate the logarithm.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.evaluation.results.classifier import Calibration, OverSeeds, ReliabilityBin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CURVE_BINS = 10
"""Bins of a reliability curve and of the expected calibration error, equally populated."""


def auc_with_error(labels: NDArray[np.int64], scores: NDArray[np.float64]) -> tuple[float, float]:
    """Return the area under the ROC curve and its standard error.

    AUC = P(score of label 1 > score of label 0), ties count half. The variance is DeLong's
    (DeLong et al., Biometrics 44 (1988) 837): var(V10)/m + var(V01)/n with the placement values
    V of every shower, by ranks (Sun and Xu, IEEE Signal Process. Lett. 21 (2014) 1389).
    """
    from scipy.stats import rankdata  # type: ignore[import-untyped]

    first, second = scores[labels == 0], scores[labels == 1]
    n, m = len(first), len(second)
    together = rankdata(np.concatenate([first, second]))
    above = (together[n:] - rankdata(second)) / n  # share of the first below each of the second
    below = 1 - (together[:n] - rankdata(first)) / m
    variance = np.var(above, ddof=1) / m + np.var(below, ddof=1) / n
    return float(above.mean()), float(math.sqrt(variance))


def probabilities(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1/(1 + exp(-x))."""
    from scipy.special import expit  # type: ignore[import-untyped]

    result: NDArray[np.float64] = expit(logits)
    return result


def calibrate(
    logits: NDArray[np.float64],
    labels: NDArray[np.int64],
    others: NDArray[np.float64],
    least: float,
) -> NDArray[np.float64]:
    """Return the calibrated probabilities of ``others``, by isotonic regression on the rest.

    They are kept off 0 and 1 by ``least``.
    """
    from sklearn.isotonic import IsotonicRegression

    model = IsotonicRegression(y_min=least, y_max=1 - least, out_of_bounds="clip")
    result: NDArray[np.float64] = model.fit(logits, labels).predict(others)
    return result


def jsd_with_error(labels: NDArray[np.int64], scores: NDArray[np.float64]) -> tuple[float, float]:
    """Return the Jensen-Shannon divergence in bits and its standard error (see the module)."""
    bits = -np.log2(np.where(labels == 1, scores, 1 - scores))
    return 1 - float(bits.mean()), float(bits.std(ddof=1) / math.sqrt(len(bits)))


def over_seeds(found: Sequence[tuple[float, float]], independent: int) -> OverSeeds:
    """Combine (value, error) of every seed.

    ``independent`` test parts share no shower; more seeds than that test the same showers again
    and make the mean no more precise.
    """
    values = [value for value, _ in found]
    errors = [error for _, error in found]
    return OverSeeds(
        values=tuple(values),
        mean=float(np.mean(values)),
        spread=float(np.std(values, ddof=1)) if len(values) > 1 else 0.0,
        error=math.sqrt(float(np.mean(np.square(errors))) / min(len(values), independent)),
    )


def calibration_figure(
    labels: NDArray[np.int64], before: NDArray[np.float64], after: NDArray[np.float64]
) -> Calibration:
    """Compare scores with what is true, before and after calibration.

    Expected calibration error: sum over bins of (n_b/n) abs(fraction_b - score_b) (Guo et al.,
    arXiv:1706.04599, eq. 3, here with bins of equal population).
    """
    curves = [_curve(labels, scores) for scores in (before, after)]
    errors = [
        sum(b.showers * abs(b.fraction - b.score) for b in curve) / len(labels) for curve in curves
    ]
    # The mean of abs(x) of a Gaussian of standard deviation sigma is sigma sqrt(2/pi).
    expected = sum(
        b.showers * math.sqrt(2 / math.pi * b.score * (1 - b.score) / b.showers) for b in curves[1]
    ) / len(labels)
    return Calibration(
        error_before=errors[0],
        error_after=errors[1],
        expected=expected,
        before=curves[0],
        after=curves[1],
    )


def _curve(labels: NDArray[np.int64], scores: NDArray[np.float64]) -> tuple[ReliabilityBin, ...]:
    # Equal scores (isotonic regression makes many) stay in one bin.
    edges = np.unique(np.quantile(scores, np.linspace(0, 1, CURVE_BINS + 1)[1:-1]))
    index = np.searchsorted(edges, scores, side="left")
    bins = []
    for k in np.unique(index):
        inside = index == k
        n, fraction = int(inside.sum()), float(labels[inside].mean())
        bins.append(
            ReliabilityBin(
                score=float(scores[inside].mean()),
                fraction=fraction,
                error=math.sqrt(fraction * (1 - fraction) / n),
                showers=n,
            )
        )
    return tuple(bins)
