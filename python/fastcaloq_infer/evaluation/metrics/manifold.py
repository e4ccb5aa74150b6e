"""Precision, density, recall and coverage: fidelity and diversity by nearest neighbours.

Around every shower lies a ball that reaches to its k-th nearest neighbour of the same sample. With
reference showers r and generated showers g, in standardised features:

- precision: share of g in the ball of some r (Kynkaanniemi et al., arXiv:1904.06991, eq. 2);
- recall: share of r in the ball of some g (there, eq. 2 with the samples exchanged);
- density: balls of r around a g, in units of k (Naeem et al., arXiv:2002.09797, eq. 3);
- coverage: share of r whose ball holds some g (there, eq. 4).

Precision and recall are fooled by outliers, whose balls are huge; density and coverage are not.
Two samples of the same distribution have density 1 and coverage 1 - 2^-k (there, section 3.3) in
the limit; precision and recall depend on distribution and counts, so the floor sample matters.

21,000 against 21,000 showers with 40 features take 7 s of one core (2 s and 2 s the neighbours,
3 s the balls).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.evaluation.metrics.distances import scaled
from fastcaloq_infer.evaluation.results.distances import Manifold, Share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

NEAREST = 5
"""Neighbours of a ball, the choice of Naeem et al.: coverage of the same distribution is 0.97."""

MIN_SHOWERS = 200
"""Fewest showers per sample: ten parts of twenty give the error."""

_PARTS = 10
_ROWS = 256  # rows of distances held at a time: 43 MB for 21,000 showers
_NAMES = ("precision", "density", "recall", "coverage")


def manifold(
    reference: Array,
    generated: Array,
    floor: Array,
    *,
    features: str,
    nearest: int = NEAREST,
    seed: int = 1,
) -> Manifold | None:
    """Return precision, density, recall and coverage, beside those of the floor sample.

    Parameters
    ----------
    reference, generated, floor
        Features, shape (N, F), (M, F), (K, F); NaN where undefined. Cut to equal counts (random
        rows), on which the figures depend. They are standardised by the reference.
    features
        Name of the view ("high", "layers").
    nearest
        Neighbours k of a ball.
    seed
        Seed of all random choices.

    Returns
    -------
    Manifold or None
        None where a sample has fewer than 200 showers.

    Raises
    ------
    InputError
        Different numbers of features, or infinite values.
    """
    samples = scaled(reference, generated, floor, scaling="deviation")
    count = min(len(sample) for sample in samples)
    if count < MIN_SHOWERS:
        return None
    rng = np.random.default_rng([seed, 2])
    # Shuffled, so that the parts below are random.
    ref, *others = (sample[rng.permutation(len(sample))[:count]] for sample in samples)
    radius = _radii(ref, nearest)
    (value, error), (floor_value, floor_error) = (
        (prdc(ref, sample, nearest, radius=radius), _errors(ref, sample, nearest))
        for sample in others
    )
    shares = {
        name: Share(
            value=value[i], error=error[i], floor=floor_value[i], floor_error=floor_error[i]
        )
        for i, name in enumerate(_NAMES)
    }
    return Manifold(
        features=features, n_features=ref.shape[1], showers=count, nearest=nearest, **shares
    )


def prdc(
    reference: Array, generated: Array, nearest: int, *, radius: Array | None = None
) -> tuple[float, float, float, float]:
    """Return precision, density, recall and coverage of (N, F) and (M, F) standardised features.

    ``radius`` (N,) are the squared radii of the reference's balls, if known already.
    """
    radius = _radii(reference, nearest) if radius is None else radius
    generated_radius = _radii(generated, nearest)
    square, generated_square = ((sample * sample).sum(axis=1) for sample in (reference, generated))
    balls = np.zeros(len(generated), dtype=np.int64)
    recalled = covered = 0
    for start in range(0, len(reference), _ROWS):
        rows = slice(start, start + _ROWS)
        # From the products: ten times faster than from differences.
        distance = reference[rows] @ generated.T
        distance *= -2.0
        distance += square[rows, None]
        distance += generated_square
        inside = distance <= radius[rows, None]
        balls += np.count_nonzero(inside, axis=0)
        covered += int(inside.any(axis=1).sum())
        recalled += int((distance <= generated_radius).any(axis=1).sum())
    return (
        float((balls > 0).mean()),
        float(balls.mean() / nearest),
        recalled / len(reference),
        covered / len(reference),
    )


def _radii(sample: Array, nearest: int) -> Array:
    """Return the squared distance of every shower to its k-th neighbour, shape (N,).

    A little is added for the rounding of squares computed from products: showers of equal features
    (all layers empty) have a ball of radius 0 that must hold its equals.
    """
    from sklearn.neighbors import NearestNeighbors
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    # One thread, as for the classifier: waiting threads cost more than they bring.
    with threadpool_limits(1):
        # The nearest of all is the shower itself, or one that is equal to it.
        distance, _ = NearestNeighbors(n_neighbors=nearest + 1).fit(sample).kneighbors(sample)
    radius: Array = distance[:, nearest] ** 2 + 1e-12 * (1.0 + (sample * sample).sum(axis=1))
    return radius


def _errors(reference: Array, generated: Array, nearest: int) -> list[float]:
    """Return standard errors from the spread over ten disjoint parts.

    The values of smaller samples differ, their variance times the count does not (to the order at
    which it is used here): the error of the whole is the spread over the root of the number of
    parts. Where all parts agree, the error is that of the next possible count, 1/N.
    """
    parts = [
        prdc(part, other, nearest)
        for part, other in zip(
            np.array_split(reference, _PARTS), np.array_split(generated, _PARTS), strict=True
        )
    ]
    spread = np.std(parts, axis=0, ddof=1) / np.sqrt(_PARTS)
    least: list[float] = np.maximum(spread, 1.0 / len(reference)).tolist()
    return least
