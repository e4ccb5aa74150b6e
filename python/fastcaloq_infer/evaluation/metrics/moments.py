"""Response, resolution, zero fractions and correlations, with their statistical errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_OCCUPIED = 50
"""Fewest showers in which both layers hold energy for their correlation to be quoted."""


@dataclass(frozen=True)
class ResponseMoments:
    """Mean and relative width of E_tot/E_inc.

    Attributes
    ----------
    response, response_error
        Mean of E_tot/E_inc and its standard error.
    resolution, resolution_error
        Standard deviation over mean, and its standard error.
    """

    response: float
    response_error: float
    resolution: float
    resolution_error: float


def response_moments(ratio: NDArray[np.float64]) -> ResponseMoments:
    """Return response and resolution of E_tot/E_inc, shape (N,), N >= 2.

    The error of the standard deviation s takes the fourth central moment m4 into account,
    var(s^2) = (m4 - s^4 (N - 3)/(N - 1)) / N, since the tails of E_tot are not Gaussian.
    """
    n = len(ratio)
    mean = float(ratio.mean())
    std = float(ratio.std(ddof=1))
    if mean == 0.0:
        return ResponseMoments(0.0, 0.0, 0.0, 0.0)
    fourth = float(((ratio - mean) ** 4).mean())
    variance_of_variance = max(fourth - std**4 * (n - 3) / max(n - 1, 1), 0.0) / n
    std_error = np.sqrt(variance_of_variance) / (2 * std) if std > 0 else 0.0
    return ResponseMoments(
        response=mean,
        response_error=std / np.sqrt(n),
        resolution=std / mean,
        resolution_error=float(std_error / mean),
    )


def mean_error(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the mean of (N,) and its standard error, N >= 2."""
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def zero_fraction(layer: NDArray[np.float64]) -> tuple[float, float]:
    """Return the fraction of exact zeros in shape (N,) and its error.

    The error is the standard deviation of the posterior Beta(k + 1/2, N - k + 1/2) (Jeffreys), so
    that a layer that was never or always empty does not claim an error of 0.
    """
    n = len(layer)
    empty = int((layer == 0).sum())
    a, b = empty + 0.5, n - empty + 0.5
    return empty / n, float(np.sqrt(a * b / ((a + b) ** 2 * (a + b + 1))))


def layer_correlations(layers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Pearson correlations of layer energies, shape (L, L).

    Pairs with fewer than ``MIN_OCCUPIED`` showers occupied in either layer are NaN: their
    coefficient would be that of a handful of outliers.

    Parameters
    ----------
    layers
        Shape (N, L), MeV, all of one group of incident energy.
    """
    occupied = (layers > 0).sum(axis=0)
    usable = (occupied >= MIN_OCCUPIED) & (layers.std(axis=0) > 0)
    matrix = np.full((layers.shape[1], layers.shape[1]), np.nan)
    if usable.any():
        matrix[np.ix_(usable, usable)] = np.corrcoef(layers[:, usable], rowvar=False)
    return matrix


def largest_difference(first: NDArray[np.float64], second: NDArray[np.float64]) -> float | None:
    """Return the largest absolute difference of two equal shapes where both are finite."""
    difference = np.abs(first - second)
    known = np.isfinite(difference)
    return float(difference[known].max()) if known.any() else None
