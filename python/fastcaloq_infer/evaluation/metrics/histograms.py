"""Histograms with a bin for zero, and the separation power of two of them.

Binning. Empty layers are a discrete probability beside a continuous density, so the first bin
holds exactly the zeros, and the last one the undefined values (the centre of an empty layer). The
others are the quantiles of the reference's remaining values: bins of equal population resolve
peak and tails with the same statistical precision, need no tuning per layer, and are the same for
every model compared with this reference. The outer bins are open, so nothing is lost as overflow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHOWERS_PER_BIN = 25
"""Fewest reference values per bin (a Poisson error of 20 %)."""

MAX_BINS = 40
"""Most bins of quantiles; the challenge's histograms have 30 to 100."""


def reference_edges(reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the inner edges of the bins of other values than 0, shape (B - 1,), input's units.

    ``reference`` holds the reference's values, shape (N,), zeros and undefined ones (NaN) included.
    """
    ordinary = reference[np.isfinite(reference) & (reference != 0)]
    n_bins = int(np.clip(len(ordinary) // SHOWERS_PER_BIN, 1, MAX_BINS))
    if n_bins == 1:
        return np.empty(0)
    return np.unique(np.quantile(ordinary, np.linspace(0, 1, n_bins + 1)[1:-1]))


def histogram(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count zeros, other values and undefined ones, shape (B + 2,), for B - 1 inner ``edges``."""
    bins = np.where(values == 0, 0, 1 + np.searchsorted(edges, values, side="right"))
    bins[np.isnan(values)] = len(edges) + 2
    return np.bincount(bins, minlength=len(edges) + 3).astype(np.int64)


def separation_power(
    counts_1: NDArray[np.number], counts_2: NDArray[np.number]
) -> NDArray[np.float64]:
    r"""Return the separation power of two histograms, 0 (identical) to 1 (disjoint).

    .. math:: S = \frac{1}{2} \sum_k \frac{(h_{1,k} - h_{2,k})^2}{h_{1,k} + h_{2,k}}

    with h normalised to unit sum and bins empty in both left out (triangular discrimination;
    CaloChallenge, arXiv:2410.21611, section 5, where it is computed per high-level feature).

    Parameters
    ----------
    counts_1, counts_2
        Counts, shape (..., B); leading axes are broadcast.

    Returns
    -------
    numpy.ndarray
        Shape (...), float64.
    """
    h1 = counts_1 / counts_1.sum(axis=-1, keepdims=True)
    h2 = counts_2 / counts_2.sum(axis=-1, keepdims=True)
    total = h1 + h2
    terms = np.where(total > 0, (h1 - h2) ** 2 / np.where(total > 0, total, 1.0), 0.0)
    return np.asarray(0.5 * terms.sum(axis=-1), dtype=np.float64)


@dataclass(frozen=True)
class NullSeparation:
    """Separation (or distance) expected between two samples of the same distribution.

    Attributes
    ----------
    mean, spread, upper
        Mean, standard deviation and 99 % quantile over permutations of the sample labels.
    """

    mean: float
    spread: float
    upper: float


def null_separation(
    counts_1: NDArray[np.integer],
    counts_2: NDArray[np.integer],
    rng: np.random.Generator,
    *,
    n_permutations: int = 1000,
) -> NullSeparation:
    """Return the separation of two Geant4 samples if only their labels are exchanged.

    The counts, (B,) each, are those of the samples in the same bins; counts (G, B) are those of G
    groups of incident energy, within which labels are exchanged, and which are summed.
    Permuting the labels of the pooled showers makes each histogram a multivariate hypergeometric
    draw from the pooled counts; that is what is drawn here, so no shower is touched. A single
    measured floor is one such draw: for a nearly empty layer it is often close to 0 by accident,
    and a ratio to it means nothing; the mean of the draws is the floor that ratios refer to.
    """
    pooled = np.atleast_2d(counts_1) + np.atleast_2d(counts_2)
    first = np.zeros((n_permutations, pooled.shape[1]), np.int64)
    for stratum, drawn in zip(pooled, np.atleast_2d(counts_1).sum(axis=1), strict=True):
        first += rng.multivariate_hypergeometric(
            stratum, int(drawn), size=n_permutations, method="marginals"
        )
    values = separation_power(first, pooled.sum(axis=0) - first)
    return NullSeparation(
        float(values.mean()), float(values.std(ddof=1)), float(np.quantile(values, 0.99))
    )


def separation_error(
    counts_1: NDArray[np.integer],
    counts_2: NDArray[np.integer],
    rng: np.random.Generator,
    *,
    n_resamples: int = 500,
) -> float:
    """Return the bootstrap standard error: both histograms, (B,) or (G, B) each, resampled.

    Of G groups of incident energy each keeps its number of showers, and they are summed.
    """
    resampled = [
        sum(
            rng.multinomial(int(stratum.sum()), stratum / stratum.sum(), size=n_resamples)
            for stratum in np.atleast_2d(counts)
        )
        for counts in (counts_1, counts_2)
    ]
    return float(separation_power(*(np.asarray(drawn) for drawn in resampled)).std(ddof=1))
