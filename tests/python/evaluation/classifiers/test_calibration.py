"""AUC, divergence and calibration of scores whose true answers are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from fastcaloq_infer.evaluation.classifiers.calibration import (
    auc_with_error,
    calibrate,
    calibration_figure,
    jsd_with_error,
    over_seeds,
    probabilities,
)

N = 20_000


def gaussians(rng, shift):
    """Labels and the exact log-likelihood ratio of N(d, 1) to N(0, 1), x d - d^2/2."""
    labels = np.repeat([0, 1], N)
    x = rng.normal(size=2 * N) + shift * labels
    return labels, shift * x - shift**2 / 2


def divergence(shift):
    """Jensen-Shannon divergence of N(0, 1) and N(d, 1) in bits, by quadrature."""

    def integrand(x):
        p, q = norm.pdf(x), norm.pdf(x, shift)
        m = (p + q) / 2
        return 0.5 * (p * np.log2(p / m) + q * np.log2(q / m))

    return quad(integrand, -10, 10 + shift)[0]


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.8, 2.0])
def test_auc_of_two_gaussians(rng, shift):
    """AUC = Phi(d / sqrt 2)."""
    labels, ratio = gaussians(rng, shift)
    scores = ratio if shift else rng.normal(size=2 * N)
    value, error = auc_with_error(labels, scores)
    assert abs(value - norm.cdf(shift / np.sqrt(2))) < 4 * error
    assert value == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


def test_auc_error_where_it_is_known(rng):
    """For equal distributions Mann and Whitney's sqrt((n + m + 1) / (12 n m)), for any scores."""
    labels = np.repeat([0, 1], [N, N // 4])
    _, error = auc_with_error(labels, rng.normal(size=len(labels)))
    expected = np.sqrt((1 + 1.25 * N) / (12 * N * N / 4))
    assert error == pytest.approx(expected, rel=0.02)


def test_auc_error_is_the_spread_of_repetitions(rng):
    """500 repetitions know a standard deviation to 1/sqrt(1000) = 3 %."""
    labels = np.repeat([0, 1], 200)
    found = np.array(
        [auc_with_error(labels, rng.normal(size=400) + 1.2 * labels) for _ in range(500)]
    )
    assert found[:, 1].mean() == pytest.approx(found[:, 0].std(), rel=4 * 0.032)


def test_ties_count_half():
    labels = np.array([0, 0, 1, 1])
    assert auc_with_error(labels, np.zeros(4))[0] == 0.5
    assert auc_with_error(labels, np.array([0.0, 1, 1, 2]))[0] == 0.875


@pytest.mark.parametrize("shift", [0.5, 2.0])
def test_divergence_of_two_gaussians(rng, shift):
    labels, ratio = gaussians(rng, shift)
    value, error = jsd_with_error(labels, probabilities(ratio))
    assert abs(value - divergence(shift)) < 4 * error
    assert 0 < error < 0.01


def test_wrong_scores_give_less_and_calibration_repairs_them(rng):
    """Scores three times too sure: a bad divergence and curve, a good one once calibrated."""
    shift = 0.8
    (labels, ratio), (known, kept) = gaussians(rng, shift), gaussians(rng, shift)
    calibrated = calibrate(3 * kept, known, 3 * ratio, 1 / (2 * N + 2))
    wrong, _ = jsd_with_error(labels, probabilities(3 * ratio))
    repaired, error = jsd_with_error(labels, calibrated)
    best, _ = jsd_with_error(labels, probabilities(ratio))
    assert wrong < 0
    # Isotonic regression on n showers loses about n^(-2/3) in squared probability, here 0.001.
    assert best - 0.003 < repaired < best + 4 * error
    figure = calibration_figure(labels, probabilities(3 * ratio), calibrated)
    assert figure.error_before > 0.1
    # Chance on the tested and on the calibrating showers: sqrt(2) of either; and a margin of 2.
    assert figure.error_after < 2 * np.sqrt(2) * figure.expected
    assert sum(b.showers for b in figure.before) == 2 * N
    over_confident = figure.before[-1]
    assert over_confident.score > over_confident.fraction + 5 * over_confident.error
    for b in figure.after:
        assert abs(b.score - b.fraction) < 5 * np.sqrt(2) * b.error


def test_true_probabilities_are_calibrated(rng):
    """The expected calibration error of perfect scores is what the figure says it is."""
    figures = []
    for _ in range(20):
        labels, ratio = gaussians(rng, 1.0)
        scores = probabilities(ratio)
        figures.append(calibration_figure(labels, scores, scores))
    found = np.array([f.error_after for f in figures])
    # A mean over 10 bins of abs(Gaussian) spreads by 0.6/0.8/sqrt(10) = 24 %; 20 figures by 5 %.
    assert found.mean() == pytest.approx(figures[0].expected, rel=4 * 0.24 / np.sqrt(20))


def test_over_seeds():
    figure = over_seeds([(0.5, 0.01), (0.6, 0.01), (0.7, 0.01)], 5)
    assert figure.mean == pytest.approx(0.6)
    assert figure.spread == pytest.approx(0.1)
    assert figure.error == pytest.approx(0.01 / np.sqrt(3))
    # Ten seeds of five test parts have tested every shower twice.
    assert over_seeds([(0.5, 0.01)] * 10, 5).error == pytest.approx(0.01 / np.sqrt(5))
    assert over_seeds([(0.5, 0.01)], 5).spread == 0.0
