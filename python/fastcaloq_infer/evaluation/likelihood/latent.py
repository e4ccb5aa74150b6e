"""Whether the latents of held-out showers are Gaussian, and where they are not.

A flow that describes the simulation maps its showers to independent N(0, 1). Per incident energy:
every dimension alone (moments, Kolmogorov and Smirnov), the correlations (Bartlett), the radius
|z|^2 against chi-squared with L degrees of freedom, and a classifier against N(0, 1), which sees
anything. All p values are adjusted together (Holm).

KL(latents | N(0, 1)) = sum_k KL(z_k | N(0, 1)) + total correlation; the first are measured in bins,
the second from below by its Gaussian part (``nats``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats  # type: ignore[import-untyped]

from fastcaloq_infer.evaluation.likelihood.flow_classifier import FEWEST, judge
from fastcaloq_infer.evaluation.likelihood.nats import (
    correlation_divergence,
    normal_divergence,
    normal_scores,
)
from fastcaloq_infer.evaluation.metrics.multiple_tests import holm
from fastcaloq_infer.evaluation.results.likelihood import (
    Latent,
    LatentAt,
    LatentMarginal,
    LatentTest,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.likelihood.flow_classifier import Judged
    from fastcaloq_infer.evaluation.samples.groups import EnergyGroups
    from fastcaloq_infer.evaluation.samples.sample import Sample

    Array = NDArray[np.float64]

EDGES = np.linspace(-5.0, 5.0, 51)
"""Bins of the histograms; the outermost are open."""

_NORMALS = 4  # N(0, 1) latents per held-out one for the classifier


def latent_figures(
    z: Array,
    sample: Sample,
    groups: EnergyGroups,
    *,
    seed: int = 1,
    progress: Callable[[float], None] = lambda _: None,
) -> Latent:
    """Return everything about the latents of held-out showers.

    Parameters
    ----------
    z
        Latents (N, L), one draw of the zeros' places each.
    sample
        The showers they are of, all inside of ``groups``.
    groups
        Groups of incident energy, each with at least a few hundred showers.
    seed
        Of the classifier, which is left out with fewer than 500 showers.
    progress
        Called with the fraction done.
    """
    rows = groups.rows(sample)
    judged = None
    if len(z) >= FEWEST:
        normal = np.random.default_rng([seed, 11]).standard_normal((_NORMALS * len(z), z.shape[1]))
        judged = judge(z, normal, sample, groups, seed, progress)
    marginals = [
        _marginal(z[here, k], k, float(energy))
        for here, energy in zip(rows, groups.centers, strict=True)
        for k in range(z.shape[1])
    ]
    energies = [
        _together(z[here], float(energy), judged, g)
        for g, (here, energy) in enumerate(zip(rows, groups.centers, strict=True))
    ]
    bins = np.clip(np.searchsorted(EDGES, z, side="right") - 1, 0, len(EDGES) - 2)
    return Latent(
        marginals=tuple(marginals),
        energies=tuple(energies),
        tests=_tests(marginals, energies),
        layer_correlations=_matrix(_layer_correlations(z, sample, rows)),
        edges=tuple(EDGES.tolist()),
        counts=tuple(
            tuple(np.bincount(column, minlength=len(EDGES) - 1).tolist()) for column in bins.T
        ),
    )


def _marginal(z: Array, dimension: int, energy: float) -> LatentMarginal:
    n = len(z)
    std = float(z.std(ddof=1))
    kurtosis = float(stats.kurtosis(z))
    nats = normal_divergence(z)
    return LatentMarginal(
        dimension=dimension,
        incident_energy=energy,
        mean=float(z.mean()),
        mean_error=std / np.sqrt(n),
        std=std,
        # Error of a standard deviation with excess kurtosis g: s sqrt((2 + g) / 4n).
        std_error=std * float(np.sqrt(max(kurtosis + 2.0, 0.0) / (4 * n))),
        skewness=float(stats.skew(z)),
        excess_kurtosis=kurtosis,
        nats=nats.value,
        error=nats.error,
        p_value=float(stats.kstest(z, "norm").pvalue),
    )


def _together(z: Array, energy: float, judged: Judged | None, g: int) -> LatentAt:
    nats, correlation = correlation_divergence(normal_scores(z))
    apart = np.abs(correlation - np.eye(len(correlation)))
    i, j = sorted(int(k) for k in np.unravel_index(apart.argmax(), apart.shape))
    largest = float(correlation[i, j]) if i != j else 0.0
    seen: dict[str, Any] = dict.fromkeys(
        ("auc", "auc_error", "auc_p_value", "bound", "bound_error")
    )
    if judged is not None:
        seen = {name: float(values[g]) for name, values in zip(seen, judged, strict=True)}
    return LatentAt(
        incident_energy=energy,
        showers=len(z),
        correlations=_matrix(correlation),
        largest_pair=(i, j),
        largest_correlation=largest,
        largest_error=(1 - largest**2) / float(np.sqrt(len(z))),
        correlation_nats=nats.value,
        correlation_error=nats.error,
        correlation_p_value=nats.p_value,
        radius_p_value=float(stats.kstest((z**2).sum(axis=1), stats.chi2(z.shape[1]).cdf).pvalue),
        **seen,
    )


def _tests(marginals: list[LatentMarginal], energies: list[LatentAt]) -> tuple[LatentTest, ...]:
    """Return all tests with Holm's adjustment, the most significant first."""
    found: list[tuple[str, float, int | None, float]] = [
        ("dimension", m.incident_energy, m.dimension, m.p_value) for m in marginals
    ]
    for at in energies:
        found.append(("correlations", at.incident_energy, None, at.correlation_p_value))
        found.append(("radius", at.incident_energy, None, at.radius_p_value))
        if at.auc_p_value is not None:
            found.append(("classifier", at.incident_energy, None, at.auc_p_value))
    adjusted = holm([p for *_, p in found])
    tests = [
        LatentTest(name=name, incident_energy=energy, dimension=k, p_value=p, adjusted=a)
        for (name, energy, k, p), a in zip(found, adjusted, strict=True)
    ]
    return tuple(sorted(tests, key=lambda test: test.p_value))


def _layer_correlations(z: Array, sample: Sample, rows: list[NDArray[np.intp]]) -> Array:
    """Return Spearman's coefficients of latents and layer energies and total, (L, L + 1).

    Within an incident energy: over all of them everything grows with everything.
    """
    energies = np.column_stack([sample.layer_energy, sample.total_energy])
    total = np.zeros((z.shape[1], energies.shape[1]))
    for here in rows:
        ranks = [stats.rankdata(values[here], axis=0) for values in (z, energies)]
        centred = [r - r.mean(axis=0) for r in ranks]
        norms = [np.sqrt((c * c).sum(axis=0)) for c in centred]
        product = centred[0].T @ centred[1]
        scale = np.outer(*norms)
        # A layer that is empty in every shower of an energy correlates with nothing.
        total += len(here) * np.where(scale > 0, product / np.where(scale > 0, scale, 1.0), 0.0)
    result: Array = total / sum(len(here) for here in rows)
    return result


def _matrix(values: Array) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in values.tolist())
