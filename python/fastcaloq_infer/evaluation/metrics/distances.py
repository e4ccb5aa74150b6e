"""Distances between samples in a space of features: FPD and KPD, beside Geant4's own floor.

Features enter scaled by constants of the reference, never of the generated sample. jetnet, the
library of the authors, is no dependency: it needs numpy 1 and a hundred further packages. The tests
hold the functions here to the numbers that it gives on the same arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.metrics.frechet import frechet_physics_distance
from fastcaloq_infer.evaluation.metrics.kernel import kernel_physics_distance
from fastcaloq_infer.evaluation.results.distances import Distance

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_DISTANCES: tuple[tuple[str, Callable[..., tuple[float, float]]], ...] = (
    ("fpd", frechet_physics_distance),
    ("kpd", kernel_physics_distance),
)

Scaling = Literal["largest", "deviation"]

MIN_SHOWERS_PER_FEATURE = 20
"""Fewest showers per feature: with fewer a covariance has no line in 1/n to continue."""


def scaled(reference: Array, *others: Array, scaling: Scaling) -> tuple[Array, ...]:
    """Scale features by constants of the reference.

    Parameters
    ----------
    reference, others
        Shape (N, F), (M, F), ...; NaN where a feature is undefined for a shower (the centre of an
        empty layer).
    scaling
        ``largest``: divided by the largest absolute value of the reference, as FPD and KPD are
        defined; ``deviation``: standardised by the reference's mean and standard deviation, for
        nearest neighbours.

    Returns
    -------
    tuple of arrays
        float64. Undefined values become 0, which is the value that the CaloChallenge gives them
        (``largest``) or the mean of the reference (``deviation``); that a layer is empty is seen by
        the feature of its energy. A constant feature is not scaled.

    Raises
    ------
    InputError
        Different numbers of features, or infinite values.
    """
    arrays = [np.asarray(values, dtype=np.float64) for values in (reference, *others)]
    if any(values.ndim != 2 or values.shape[1] != arrays[0].shape[1] for values in arrays):
        raise InputError(
            f"features of shapes {[values.shape for values in arrays]} cannot be compared: give "
            "(showers, features) with the same features in every sample"
        )
    if any(np.isinf(values).any() for values in arrays):
        raise InputError("a feature is infinite: its distance means nothing; drop these showers")
    known = np.isfinite(arrays[0])
    filled = np.where(known, arrays[0], 0.0)
    center = np.zeros(filled.shape[1])
    if scaling == "largest":
        scale = np.abs(filled).max(axis=0, initial=0.0)
    else:
        count = np.maximum(known.sum(axis=0), 1)
        center = filled.sum(axis=0) / count
        scale = np.sqrt((np.where(known, arrays[0] - center, 0.0) ** 2).sum(axis=0) / count)
    # Rounding leaves a constant feature a width of about 1e-16 of its value.
    constant = scale <= 1e-12 * np.maximum(np.abs(center), 1e-300)
    scale = np.where(constant, 1.0, scale)
    return tuple(np.nan_to_num((values - center) / scale, nan=0.0) for values in arrays)


def distances(
    reference: Array,
    generated: Array,
    floor: Array,
    *,
    features: str,
    seed: int = 1,
    published: bool = False,
) -> tuple[Distance, ...]:
    """Return FPD and KPD of generated showers, beside those of the floor sample.

    Parameters
    ----------
    reference, generated, floor
        Features, shape (N, F), (M, F), (K, F), as :func:`scaled` takes them; the same counts for
        generated and floor make the two comparable.
    features
        Name of the view ("high", "layers").
    seed
        Seed of the subsamples; the same seed gives the same figures.
    published
        With jetnet's way of drawing subsamples (see ``frechet`` and ``kernel``).

    Returns
    -------
    tuple of Distance
        FPD and KPD; none where the samples are too small for them (fewer than 20 showers per
        feature).

    Raises
    ------
    InputError
        As :func:`scaled`.
    """
    ref, gen, other = scaled(reference, generated, floor, scaling="largest")
    if min(len(ref), len(gen), len(other)) < MIN_SHOWERS_PER_FEATURE * max(ref.shape[1], 1):
        return ()
    figures = []
    for number, (name, distance) in enumerate(_DISTANCES):
        (value, error), (floor_value, floor_error) = (
            distance(ref, sample, np.random.default_rng([seed, number]), published=published)
            for sample in (gen, other)
        )
        figures.append(
            Distance(
                name=name,
                features=features,
                n_features=ref.shape[1],
                showers=min(len(ref), len(gen)),
                value=value,
                error=error,
                floor=floor_value,
                floor_error=floor_error,
            )
        )
    return tuple(figures)
