"""Response, resolution, zero fractions, correlations against known answers."""

from __future__ import annotations

import numpy as np
import pytest

from fastcaloq_infer.evaluation.metrics.moments import (
    largest_difference,
    layer_correlations,
    response_moments,
    zero_fraction,
)


def test_gaussian_response(rng):
    n, mean, width = 100_000, 1.02, 0.05
    moments = response_moments(rng.normal(mean, width, n))
    assert abs(moments.response - mean) < 4 * moments.response_error
    assert moments.response_error == pytest.approx(width / np.sqrt(n), rel=0.02)
    assert abs(moments.resolution - width / mean) < 4 * moments.resolution_error
    # A Gaussian's standard deviation is known to sigma / sqrt(2 n).
    assert moments.resolution_error == pytest.approx(width / mean / np.sqrt(2 * n), rel=0.05)


def test_resolution_error_knows_tails(rng):
    """For heavy tails the Gaussian formula would be far too small."""
    draws = rng.standard_t(6, size=(400, 2000)) * 0.05 + 1
    estimates = [response_moments(row) for row in draws]
    spread = np.std([e.resolution for e in estimates])
    stated = np.mean([e.resolution_error for e in estimates])
    assert stated == pytest.approx(spread, rel=0.2)
    assert stated > 1.2 * 0.05 * np.sqrt(1.5) / np.sqrt(2 * 2000)


def test_zero_fraction_counts():
    fraction, error = zero_fraction(np.array([0.0, 0.0, 3.0, 1e-6]))
    assert fraction == 0.5
    assert error == pytest.approx(np.sqrt(0.25 / 6))  # Beta(2.5, 2.5)
    fraction, error = zero_fraction(np.ones(1000))
    assert fraction == 0
    assert 0 < error < 1e-3


def test_correlations(rng):
    n, rho = 40_000, 0.6
    x = rng.normal(size=(n, 2))
    layers = 10 + np.column_stack([x[:, 0], rho * x[:, 0] + np.sqrt(1 - rho**2) * x[:, 1]])
    rare = np.where(np.arange(n) < 10, 5.0, 0.0)
    matrix = layer_correlations(np.column_stack([layers, rare]))
    assert matrix[0, 1] == pytest.approx(rho, abs=4 * (1 - rho**2) / np.sqrt(n))
    assert np.isnan(matrix[2]).all()
    assert np.isnan(matrix[:, 2]).all()
    assert largest_difference(matrix, matrix + 0.1) == pytest.approx(0.1)
    assert largest_difference(matrix, np.full((3, 3), np.nan)) is None
