r"""Comparing two models on the same showers, over seeds, with honest errors.

**Model.** The difference of two models' log-likelihoods for shower i with seed s is
:math:`d_{si} = \mu + a_s + b_i + e_{si}`: seeds and showers are crossed random effects, incident
energies are fixed strata. The effect is the mean over all of them. With the mean squares
:math:`M_S` of seeds, :math:`M_I` of showers (inside their strata) and :math:`M_E` of the rest, for
S seeds and N showers,

.. math:: \mathrm{Var} = \frac{M_S + \max(M_I - M_E, 0)}{S N},

with Satterthwaite's number of degrees of freedom (Satterthwaite 1946, Biometrics Bulletin 2, 110).
It is the analysis of studies with several readers and many cases (Hillis 2007, Statistics in
Medicine 26, 596, section 4). The two-way bootstrap that draws seeds and showers again (Owen 2007,
Annals of Applied Statistics 1, 386) needs no normal errors, but with five seeds its percentile
intervals are too narrow: at 95 % they covered 83 % of 600 synthetic studies dominated by seeds,
those here 95 %.

**Many comparisons.** Holm's step-down rule (Holm 1979, Scandinavian Journal of Statistics 6, 65)
on all comparisons of a study bounds the probability of even one false claim.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats  # type: ignore[import-untyped]

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.metrics.multiple_tests import holm

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Effect", "holm", "paired_effect", "stratified_bootstrap"]


@dataclass(frozen=True)
class Effect:
    """A mean difference, nats per shower, with its error.

    Attributes
    ----------
    mean
        Over seeds and showers.
    error
        Standard error; of seeds and showers, or of the showers alone where there is one seed.
    dof
        Degrees of freedom of ``error``.
    low, high
        Confidence interval, of this comparison by itself.
    p
        Probability of a mean as far from zero without any difference, two-sided; None with one
        seed, when nobody knows how much of the difference is luck of the weights.
    """

    mean: float
    error: float
    dof: float
    low: float
    high: float
    p: float | None


def paired_effect(
    difference: NDArray[np.float64], strata: NDArray[np.int64], confidence: float = 0.95
) -> Effect:
    """Estimate the mean of paired differences; see the module.

    Parameters
    ----------
    difference
        (S, N) finite, nats.
    strata
        (N,) numbers of the fixed groups (incident energies) of the showers.
    confidence
        Of the interval.

    Raises
    ------
    InputError
        Values that are not finite, or less than two showers more than there are strata.
    """
    seeds, showers = difference.shape
    groups, index, counts = np.unique(strata, return_inverse=True, return_counts=True)
    if not np.isfinite(difference).all():
        raise InputError("log-likelihood differences must be finite: leave such showers out")
    if showers - len(groups) < 2:
        raise InputError(
            f"{showers} held-out showers at {len(groups)} incident energies are too few to "
            "estimate an error: hold out more"
        )

    def inside(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Deviations (R, N) from the means of the strata."""
        sums = np.stack([np.bincount(index, row, len(groups)) for row in rows])
        deviation: NDArray[np.float64] = rows - (sums / counts)[:, index]
        return deviation

    mean = float(difference.mean())
    of_showers = inside(difference.mean(axis=0, keepdims=True))
    m_showers = seeds * float((of_showers**2).sum()) / (showers - len(groups))
    if seeds == 1:
        error = math.sqrt(m_showers / showers)
        dof = float(showers - len(groups))
        return _effect(mean, error, dof, confidence, claim=False)
    m_seeds = showers * float(difference.mean(axis=1).var(ddof=1))
    dof_rest = (seeds - 1) * (showers - len(groups))
    m_rest = float(((inside(difference) - of_showers) ** 2).sum()) / dof_rest
    total = m_seeds + max(m_showers - m_rest, 0.0)
    # The showers' part, as estimated from thousands of them, adds little to the uncertainty.
    spread = m_seeds**2 / (seeds - 1)
    if m_showers > m_rest:
        spread += m_showers**2 / (showers - len(groups)) + m_rest**2 / dof_rest
    dof = total**2 / spread if spread > 0 else float(dof_rest)
    return _effect(mean, math.sqrt(total / (seeds * showers)), dof, confidence, claim=True)


def _effect(mean: float, error: float, dof: float, confidence: float, *, claim: bool) -> Effect:
    half = float(stats.t.ppf(0.5 + 0.5 * confidence, dof)) * error
    p = None
    if claim:
        p = float(2.0 * stats.t.sf(abs(mean) / error, dof)) if error > 0 else float(mean == 0)
    return Effect(mean, error, dof, mean - half, mean + half, p)


def stratified_bootstrap(
    values: NDArray[np.float64], strata: NDArray[np.int64], *, seed: int, replicates: int = 400
) -> NDArray[np.float64]:
    """Bootstrap errors (R,) of the means of ``values`` (R, N) over showers.

    Showers are drawn again inside their strata, the same ones for every row (Efron 1979, Annals of
    Statistics 7, 1): the spectrum of incident energies is chosen, not measured.
    """
    random = np.random.default_rng(seed)
    rows = [np.flatnonzero(strata == group) for group in np.unique(strata)]
    means = np.empty((replicates, len(values)))
    for k in range(replicates):
        weights = np.zeros(values.shape[1])
        for members in rows:
            drawn = random.integers(len(members), size=len(members))
            weights[members] = np.bincount(drawn, minlength=len(members))
        means[k] = values @ weights / values.shape[1]
    error: NDArray[np.float64] = means.std(axis=0, ddof=1)
    return error
