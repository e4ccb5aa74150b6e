"""Frechet physics distance (FPD): how far the first two moments of two sets of features are apart.

Frechet's distance between the Gaussians with the samples' means and covariances (Dowson and
Landau 1982; Kansal et al., arXiv:2211.10295, section III A)::

    d^2 = |mu_1 - mu_2|^2 + Tr(C_1 + C_2 - 2 (C_1 C_2)^(1/2))

is biased upwards by c/n at sample size n. It is therefore computed for several n and continued
along a straight line in 1/n to infinite n (Chong and Forsyth, arXiv:1911.07023, eq. 4).

**How subsamples are drawn.** The published code (jetnet 0.2.5) draws them with replacement. Such
draws repeat showers, which leaves a bias of c/N for N showers in all: two samples of 6,000 from the
same distribution of three features give (1.6 +- 0.3) 10^-4. Here they are drawn without
replacement: every subsample is one of the true distribution, and the end of the line is unbiased
(it may be negative by chance). ``published=True`` gives jetnet's numbers, up to its fit, which
stops early: on the same subsamples its intercept differs by up to half of its error.

**Errors.** The scatter about the line does not know that all subsamples come from the same showers;
a jackknife over groups of showers does, and is added in quadrature. Measured on 100 pairs of
samples of 4,000 showers with 10 correlated features: equal distributions 0.0007 +- 0.0005, each
with an error 1.5 times its true standard deviation (the distance has no slope at zero); all means
shifted, true distance 0.0250: 0.0263 +- 0.0009, standard deviation of the pulls 1.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_POINTS = 10  # sample sizes on the line
_BATCHES = 20  # subsamples per size
_SPAN = 5  # the smallest subsample is this much smaller than the sample
_GROUPS = 20  # of the jackknife


def frechet_distance(
    mean_1: Array, covariance_1: Array, mean_2: Array, covariance_2: Array
) -> float:
    """Return the squared Frechet distance of two Gaussians: means (F,), covariances (F, F).

    The trace of (C_1 C_2)^(1/2) is the sum of the roots of the eigenvalues of
    C_1^(1/2) C_2 C_1^(1/2), which is symmetric: no complex roots, and singular covariances (a
    constant feature) do no harm.
    """
    values, vectors = np.linalg.eigh(covariance_1)
    root = (vectors * np.sqrt(np.clip(values, 0.0, None))) @ vectors.T
    product = np.clip(np.linalg.eigvalsh(root @ covariance_2 @ root), 0.0, None)
    difference = mean_1 - mean_2
    return float(
        difference @ difference
        + np.trace(covariance_1)
        + np.trace(covariance_2)
        - 2.0 * np.sqrt(product).sum()
    )


def frechet_physics_distance(
    reference: Array,
    generated: Array,
    rng: np.random.Generator,
    *,
    smallest: int | None = None,
    largest: int | None = None,
    published: bool = False,
) -> tuple[float, float]:
    """Return the FPD of scaled features, continued to infinite sample size, and its error.

    Parameters
    ----------
    reference, generated
        Shape (N, F) and (M, F), float64, finite, scaled (``distances.scaled``).
    rng
        Draws the subsamples.
    smallest, largest
        Sizes of the smallest and the largest subsamples. By default a fifth of the smaller sample
        and all of it; ``published``: 10,000 (the CaloChallenge's choice) and 50,000.
    published
        Draw with replacement, hold intercept and slope at zero or above and take the error from
        the scatter about the line alone, as jetnet does.

    Returns
    -------
    float, float
        FPD and its standard error.
    """
    fewest = min(len(reference), len(generated))
    smallest = smallest or (10_000 if published else max(fewest // _SPAN, 2))
    largest = largest or (50_000 if published else fewest)
    inverse = np.linspace(1.0 / smallest, 1.0 / largest, _POINTS)
    sizes = (1.0 / inverse + (0.0 if published else 0.5)).astype(np.int64)
    values = [
        np.mean([_subsampled(reference, generated, size, rng, published) for _ in range(_BATCHES)])
        for size in sizes
    ]
    value, fit_error = _intercept(1.0 / sizes, np.array(values), positive=published)
    if published:
        return value, fit_error
    return value, float(np.hypot(fit_error, _jackknife_error(reference, generated, rng)))


def _subsampled(
    first: Array, second: Array, size: int, rng: np.random.Generator, replace: bool
) -> float:
    moments = []
    for sample in (first, second):
        drawn = sample[rng.choice(len(sample), size=size, replace=replace)]
        moments += [drawn.mean(axis=0), np.atleast_2d(np.cov(drawn, rowvar=False))]
    return frechet_distance(*moments)


def _intercept(x: Array, y: Array, *, positive: bool) -> tuple[float, float]:
    """Return where the straight line through (x, y) meets x = 0, and its standard error."""
    design = np.column_stack([np.ones_like(x), x / x.max()])
    if positive:
        from scipy.optimize import nnls  # type: ignore[import-untyped]

        solution = nnls(design, y)[0]
    else:
        solution = np.linalg.lstsq(design, y)[0]
    residual = float(((y - design @ solution) ** 2).sum()) / (len(x) - 2)
    variance = residual * np.linalg.inv(design.T @ design)[0, 0]
    return float(solution[0]), float(np.sqrt(variance))


def _jackknife_error(first: Array, second: Array, rng: np.random.Generator) -> float:
    """Return the standard error of the distance by leaving out one of 20 groups at a time."""
    everything = [_group_sums(sample, rng) for sample in (first, second)]
    whole = [_moments(*(part.sum(axis=0) for part in sums)) for sums in everything]
    variance = 0.0
    for left_out in range(2):
        count, total, square = everything[left_out]
        distances = []
        for group in range(_GROUPS):
            pair = list(whole)
            pair[left_out] = _moments(
                *(part.sum(axis=0) - part[group] for part in (count, total, square))
            )
            distances.append(frechet_distance(*pair[0], *pair[1]))
        variance += (_GROUPS - 1) * float(np.var(distances))
    return float(np.sqrt(variance))


def _group_sums(sample: Array, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Return counts (G,), sums (G, F) and sums of products (G, F, F) of random groups."""
    parts = np.array_split(sample[rng.permutation(len(sample))], _GROUPS)
    return (
        np.array([float(len(part)) for part in parts]),
        np.stack([part.sum(axis=0) for part in parts]),
        np.stack([part.T @ part for part in parts]),
    )


def _moments(count: float, total: Array, square: Array) -> tuple[Array, Array]:
    mean = total / count
    return mean, (square - count * np.outer(mean, mean)) / (count - 1)
