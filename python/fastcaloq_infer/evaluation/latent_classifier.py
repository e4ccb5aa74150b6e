"""A classifier between the latents of held-out showers and N(0, 1), and what its scores prove.

For any function T of latents z and incident energy, Donsker and Varadhan (1975) bound

    KL(q | p) >= E_q[T] - log E_p[exp T]

with equality at T = log q/p, which is what the logit of a well-trained classifier estimates. T is
trained on three fifths, its scale is chosen on another and the bound taken on the last, in turn; so
a classifier that learnt noise proves nothing, and no estimate exceeds what it bounds but by chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.groups import EnergyGroups
    from fastcaloq_infer.evaluation.sample import Sample

    Array = NDArray[np.float64]

FEWEST = 500
"""Fewest showers in all for which a classifier is trained."""

_NORMALS = 4  # N(0, 1) latents per held-out one in the tested part
_SCALES = np.linspace(0.0, 1.5, 13)


class Judged(NamedTuple):
    """Per group: AUC, its error, p value of 1/2, bound in nats and its error, each (G,)."""

    auc: Array
    auc_error: Array
    p_value: Array
    bound: Array
    bound_error: Array


def judge(
    z: Array,
    sample: Sample,
    groups: EnergyGroups,
    seed: int,
    progress: Callable[[float], None],
) -> Judged:
    """Train five classifiers and return what they find on unseen showers, per group.

    Parameters
    ----------
    z
        Latents (N, L) of ``sample``, whose incident energies lie in ``groups``.
    seed
        Of the splits, the normal latents and the trees.
    progress
        Called with the fraction done.
    """
    from scipy import stats  # type: ignore[import-untyped]
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    from fastcaloq_infer.evaluation.calibration import auc_with_error
    from fastcaloq_infer.evaluation.classifier_splits import FOLDS, split
    from fastcaloq_infer.evaluation.classifier_trees import trees

    rng = np.random.default_rng([seed, 11])
    group = groups.index(sample.incident_energy)
    found = np.zeros((FOLDS, len(groups), 4))  # AUC and bound with their variances
    counts = np.zeros((FOLDS, len(groups)))
    for fold in range(FOLDS):
        parts = split(sample, groups, seed, fold)
        train, validation = (
            _against_normal(z[rows], group[rows], 1, rng)
            for rows in (parts.train, parts.validation)
        )
        test, labels = _against_normal(z[parts.test], group[parts.test], _NORMALS, rng)
        with threadpool_limits(1):
            kept, logits = trees(train, validation, test, seed * 1000 + fold, lambda _: None)
        logits = logits * _best_scale(kept, validation[1])
        progress((fold + 1) / FOLDS)
        for g in range(len(groups)):
            here = test[:, 0] == g
            auc, error = auc_with_error(labels[here], logits[here])
            bound, variance = donsker_varadhan(
                logits[here & (labels == 1)], logits[here & (labels == 0)]
            )
            found[fold, g] = auc, error**2, bound, variance
            counts[fold, g] = (labels[here] == 1).sum()
    share = counts / counts.sum(axis=0)
    auc, bound = (share * found[..., 0]).sum(axis=0), (share * found[..., 2]).sum(axis=0)
    auc_error, bound_error = (np.sqrt((share**2 * found[..., k]).sum(axis=0)) for k in (1, 3))
    # Mann and Whitney's variance of equal distributions, for which the test is.
    n = counts.sum(axis=0)
    null = np.sqrt((1 + 1 / _NORMALS) / (12 * n))
    return Judged(auc, auc_error, stats.norm.sf((auc - 0.5) / null), bound, bound_error)


def donsker_varadhan(first: Array, second: Array) -> tuple[float, float]:
    """Return E_q[T] - log E_p[exp T] of scores (n,) and (m,), and the variance of the estimate.

    The logarithm of a mean over m is too small by var/2m mean^2 on average, which is added.
    """
    highest = float(second.max(initial=0.0))
    weights = np.exp(second - highest)
    spread = float(weights.var()) / float(weights.mean()) ** 2 / len(second)
    value = float(first.mean()) - (float(np.log(weights.mean())) + highest + 0.5 * spread)
    return value, float(first.var()) / len(first) + spread


def _against_normal(
    z: Array, group: NDArray[np.intp], copies: int, rng: np.random.Generator
) -> tuple[Array, NDArray[np.int64]]:
    """Return columns (group, z) of latents (label 1) and of N(0, 1) at the same energies (0)."""
    normal = rng.standard_normal((copies * len(z), z.shape[1]))
    groups = np.tile(group, copies + 1).astype(np.float64)
    labels = np.repeat(np.array([1, 0]), [len(z), len(normal)])
    return np.column_stack([groups, np.concatenate([z, normal])]), labels


def _best_scale(logits: Array, labels: NDArray[np.int64]) -> float:
    """Return the factor for which the bound is largest on the validation part; 0 proves nothing."""
    bounds = [
        donsker_varadhan(scale * logits[labels == 1], scale * logits[labels == 0])[0]
        for scale in _SCALES
    ]
    return float(_SCALES[int(np.argmax(bounds))])
