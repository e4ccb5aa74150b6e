"""Separation power and its floor against numbers that can be derived."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from fastcaloq_infer.evaluation.metrics.histograms import (
    MAX_BINS,
    SHOWERS_PER_BIN,
    histogram,
    null_separation,
    reference_edges,
    separation_error,
    separation_power,
)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([1, 3], [1, 3], 0.0),
        ([10, 0, 30], [1, 0, 3], 0.0),  # normalised, and a bin empty in both
        ([5, 0], [0, 7], 1.0),
        ([1, 3], [3, 1], 0.25),  # 1/2 (0.5^2/1 + 0.5^2/1)
    ],
)
def test_by_hand(first, second, expected):
    assert separation_power(np.array(first), np.array(second)) == pytest.approx(expected)
    assert separation_power(np.array(second), np.array(first)) == pytest.approx(expected)


def test_two_gaussians(rng):
    """Converges to the binned separation exactly and to the integral up to the bin width."""
    shift, n = 0.5, 400_000
    x, y = rng.normal(10.0, 1, n), rng.normal(10.0 + shift, 1, n)
    edges = reference_edges(x)
    ends = np.concatenate([[-np.inf], edges, [np.inf]])
    p, q = np.diff(norm.cdf(ends, 10.0)), np.diff(norm.cdf(ends, 10.0 + shift))
    binned = 0.5 * ((p - q) ** 2 / (p + q)).sum()
    a, b = histogram(x, edges), histogram(y, edges)
    assert a[0] == a[-1] == 0  # neither zeros nor undefined values
    error = separation_error(a, b, rng)
    assert abs(separation_power(a, b) - binned) < 4 * error + len(p) / (2 * n)

    def density(t):
        f, g = norm.pdf(t), norm.pdf(t, shift)
        return 0.5 * (f - g) ** 2 / (f + g)

    assert binned == pytest.approx(quad(density, -9, 9)[0], rel=0.02)
    assert binned < quad(density, -9, 9)[0]  # coarser bins can only lose information


def test_floor_is_the_expectation_of_the_hypergeometric_law(rng):
    """The mean over label permutations is exactly (K - 1)/(2 N - 1) for K bins and N + N."""
    n, bins = 2500, 20
    a, b = (rng.multinomial(n, np.full(bins, 1 / bins)) for _ in range(2))
    null = null_separation(a, b, rng, n_permutations=4000)
    assert abs(null.mean - (bins - 1) / (2 * n - 1)) < 4 * null.spread / np.sqrt(4000)
    assert null.mean < null.upper
    assert separation_power(a, b) < null.mean + 5 * null.spread


def test_error_is_the_spread_of_repetitions(rng):
    p, q = np.array([0.2, 0.3, 0.5]), np.array([0.5, 0.3, 0.2])
    n = 2000
    repeated = separation_power(rng.multinomial(n, p, 3000), rng.multinomial(n, q, 3000)).std()
    estimated = separation_error(n * p, n * q, rng, n_resamples=3000)
    assert estimated == pytest.approx(repeated, rel=0.1)  # both known to 1/sqrt(2*3000) = 1.3 %


def test_zeros_have_their_own_bin(rng):
    values = np.where(rng.random(3000) < 0.3, 0.0, rng.lognormal(size=3000))
    edges = reference_edges(values)
    counts = histogram(values, edges)
    assert counts[0] == (values == 0).sum()
    assert counts.sum() == 3000
    assert len(edges) + 1 == min(MAX_BINS, (values > 0).sum() // SHOWERS_PER_BIN)
    assert np.ptp(counts[1:-1]) <= 2  # equal populations
    # Nothing is lost beyond the reference's range.
    assert histogram(values * 1e6, edges)[-2] == (values > 0).sum()


def test_nearly_empty_layer():
    values = np.zeros(1000)
    assert histogram(values, reference_edges(values)).tolist() == [1000, 0, 0]
    values[:7] = np.arange(1, 8)
    assert histogram(values, reference_edges(values)).tolist() == [993, 7, 0]
