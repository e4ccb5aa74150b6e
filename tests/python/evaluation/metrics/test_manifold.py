"""Precision, density, recall and coverage of samples whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from fastcaloq_infer.evaluation.metrics.manifold import manifold, prdc

K = 5


def test_the_sample_itself(rng):
    """Everything is in a ball of its own; a ball holds the shower and its k neighbours."""
    x = rng.normal(size=(500, 3))
    precision, density, recall, coverage = prdc(x, x, K)
    assert (precision, recall, coverage) == (1.0, 1.0, 1.0)
    assert density == pytest.approx((K + 1) / K)


def test_disjoint_samples(rng):
    x = rng.normal(size=(500, 3))
    assert prdc(x, x + 100.0, K) == (0.0, 0.0, 0.0, 0.0)


def test_against_the_definitions(rng):
    """Every count by its definition, without products of matrices."""
    x, y = rng.normal(size=(60, 2)), 0.7 * rng.normal(size=(80, 2))

    def distance(a, b):
        return np.linalg.norm(a[:, None] - b, axis=2)

    radius_x, radius_y = (np.sort(distance(s, s), axis=1)[:, K] for s in (x, y))
    between = distance(x, y)
    expected = (
        (between <= radius_x[:, None]).any(axis=0).mean(),
        (between <= radius_x[:, None]).sum() / (K * len(y)),
        (between <= radius_y).any(axis=1).mean(),
        (between <= radius_x[:, None]).any(axis=1).mean(),
    )
    assert prdc(x, y, K) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("columns", [3, 30])  # trees and brute force look for neighbours
def test_equal_distributions(rng, columns):
    """Density 1 and coverage 1 - 2^-k (Naeem et al., section 3.3)."""
    first, second = rng.normal(size=(2, 2000, columns))
    figure = manifold(first, second, second, features="high")
    assert abs(figure.density.value - 1.0) < 4 * figure.density.error
    assert abs(figure.coverage.value - (1 - 2.0**-K)) < 4 * figure.coverage.error
    # Precision and recall are each other's mirror image.
    both = np.hypot(figure.precision.error, figure.recall.error)
    assert abs(figure.precision.value - figure.recall.value) < 4 * both


def test_a_lost_mode_costs_recall_and_coverage_not_precision(rng):
    x, y, z = rng.normal(size=(3, 2000, 2))
    modes = [np.where(np.arange(2000) % 2, 20.0, 0.0)[:, None] * [1, 0] for _ in range(2)]
    figure = manifold(x + modes[0], y, z + modes[1], features="high")
    assert figure.recall.value == pytest.approx(0.5, abs=0.02)
    assert figure.coverage.value == pytest.approx(0.5, abs=0.02)
    assert figure.precision.value > 0.95
    assert figure.recall.floor > 0.95
    assert figure.coverage.floor == pytest.approx(1 - 2.0**-K, abs=0.02)


def test_errors_are_the_spread_of_repetitions():
    values, errors = [], []
    for seed in range(12):
        x, y = np.random.default_rng(seed).normal(size=(2, 600, 3))
        figure = manifold(x, 1.3 * y, y, features="high")
        shares = (figure.precision, figure.density, figure.recall, figure.coverage)
        values.append([share.value for share in shares])
        errors.append([share.error for share in shares])
    ratio = np.sqrt(np.mean(np.square(errors), axis=0)) / np.std(values, axis=0)
    # The spread of 12 is known to 21 %; parts of a tenth overstate the error somewhat.
    assert (ratio > 0.5).all()
    assert (ratio < 2.5).all()


def test_equal_showers_do_no_harm():
    """Many empty showers have the same features: balls of radius 0 that hold each other."""
    x = np.zeros((300, 4))
    x[:100, 0] = np.arange(100)
    figure = manifold(x, x, x, features="high")
    assert figure.precision.value == figure.coverage.value == 1.0
    assert figure.precision.error > 0


def test_too_few_showers_have_no_manifold(rng):
    x = rng.normal(size=(100, 2))
    assert manifold(x, x, x, features="high") is None


def test_the_same_seed_gives_the_same_figures(rng):
    x, y, z = rng.normal(size=(3, 400, 2))
    assert manifold(x, y, z, features="a", seed=2) == manifold(x, y, z, features="a", seed=2)
