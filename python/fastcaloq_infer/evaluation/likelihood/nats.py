"""Kullback-Leibler divergences in nats, with errors and their bias removed.

**Bins.** KL of the shares of bins is at most KL of the densities (data-processing inequality), so
it bounds a loss from below. With n showers in B bins the estimate is too large by (B - 1)/2n on
average (and by (B - 1)/2m more where the model's shares come from m draws), which is taken off;
2n KL follows chi-squared with B - 1 degrees of freedom if nothing is lost (Wilks), the p value.

**Correlation.** With every marginal made normal by ranks, and R the correlations, the total
correlation is at least -1/2 log det R: of all densities with these two properties the Gaussian has
the largest entropy. (For two coordinates: -1/2 log(1 - rho^2).)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import stats  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SHARES = np.array([0.005, 0.02, 0.05, *np.arange(0.1, 0.91, 0.1), 0.95, 0.98, 0.995])
"""Where the 16 bins are cut: equal in the middle, finer in the tails."""


class Nats(NamedTuple):
    """A divergence with its error and the p value of "none"."""

    value: float
    error: float
    p_value: float


def binned_divergence(counts: Array, model: Array, drawn: float = np.inf) -> Nats:
    """Return KL of the shares of bins.

    Parameters
    ----------
    counts
        Showers per bin, shape (B,).
    model
        Shares of the model, shape (B,), positive; known from ``drawn`` draws (infinite: exactly).
    """
    n = counts.sum()
    share = counts / n
    ratio = np.log(np.where(counts > 0, share / model, 1.0))
    value = float((share * ratio).sum())
    freedom = len(counts) - 1
    noise = 1.0 / n + 1.0 / drawn
    # How fluctuations of the shares move KL where it is not 0, without what noise alone gives (the
    # same for both); where it is 0, chi-squared's own width remains.
    slope = float((share * ratio**2).sum()) - value**2 - freedom * noise
    model_slope = float((share**2 / model).sum()) - 1.0 - freedom * noise
    variance = max(slope, 0.0) / n + max(model_slope, 0.0) / drawn + 0.5 * freedom * noise**2
    return Nats(
        value - 0.5 * freedom * noise,
        float(np.sqrt(variance)),
        float(stats.chi2.sf(2.0 * value / noise, freedom)),
    )


def normal_divergence(z: Array) -> Nats:
    """Return KL of one latent dimension, shape (n,), against N(0, 1), in 16 bins."""
    bins = np.searchsorted(stats.norm.ppf(SHARES), z)
    counts = np.bincount(bins, minlength=len(SHARES) + 1).astype(np.float64)
    return binned_divergence(counts, np.diff(SHARES, prepend=0.0, append=1.0))


def sample_divergence(x: Array, model: Array) -> Nats:
    """Return KL of x (n,) against draws of the model (m,), zeros in a bin of their own.

    The other bins are cut at quantiles of the model's positive draws: 16, or 6 where few showers
    would be left for them, or 1.
    """
    positive = model[model > 0]
    expected = len(x) * len(positive) / len(model)
    shares = SHARES if expected >= 200 else SHARES[3:12:2] if expected >= 40 else SHARES[:0]
    inner = np.unique(np.quantile(positive, shares)) if len(shares) else shares
    edges = np.concatenate([[np.nextafter(0.0, 1.0)], inner])
    counts, drawn = (
        np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
        for values in (x, model)
    )
    used = (counts > 0) | (drawn > 0)
    if used.sum() < 2:
        return Nats(0.0, 1.0 / len(x), 1.0)
    # Half a count: a bin that the model never fills must not make one shower infinitely unlikely.
    smooth = drawn[used] + 0.5 * (drawn[used].min() == 0)
    return binned_divergence(
        counts[used].astype(np.float64), smooth / smooth.sum(), float(len(model))
    )


def normal_scores(z: Array) -> Array:
    """Return the normal quantiles of the ranks of every column, shape (n, L)."""
    ranks = stats.rankdata(z, axis=0)
    scores: Array = stats.norm.ppf((ranks - 0.5) / len(z))
    return scores


def correlation_divergence(scores: Array) -> tuple[Nats, Array]:
    """Return -1/2 log det R of normal scores (n, L), p value by Bartlett (1951), and R (L, L)."""
    n, dimensions = scores.shape
    correlation = np.atleast_2d(np.corrcoef(scores, rowvar=False))
    freedom = dimensions * (dimensions - 1) / 2
    if dimensions == 1:
        return Nats(0.0, 0.0, 1.0), correlation
    value = -0.5 * float(np.linalg.slogdet(correlation)[1])
    weight = n - 1 - (2 * dimensions + 5) / 6
    precision = np.linalg.inv(correlation) - np.eye(dimensions)
    # The log ratio of the two Gaussians, shower by shower: its mean is the divergence.
    information = -0.5 * np.einsum("ni,ij,nj->n", scores, precision, scores)
    slope = float(information.var()) - freedom / weight
    variance = max(slope, 0.0) / n + freedom / 2 / weight**2
    return (
        Nats(
            value - freedom / 2 / weight,
            float(np.sqrt(variance)),
            float(stats.chi2.sf(2.0 * weight * value, freedom)),
        ),
        correlation,
    )


def combined(values: Array, errors: Array, counts: Array) -> tuple[float, float]:
    """Return the mean of independent values (G,) weighted by showers (G,), and its error."""
    weight = counts / counts.sum()
    return float(weight @ values), float(np.sqrt(((weight * errors) ** 2).sum()))
