"""Figures of held-out likelihood: how much is lost, and where.

All in nats. What a flow loses against the truth is KL(simulation | flow). It maps showers one to
one to latents, so this equals KL(latents of held-out showers | N(0, 1)), where there are no empty
layers; else the latents also know the places of the zeros (see ``preprocessing.energies``) and what
is lost on them. The figures below measure these from below, in several ways that must not be added;
each would be 0 within its error for a perfect flow.
"""

from __future__ import annotations

from fastcaloq_infer.evaluation.results.base import Figure, Matrix


class LikelihoodAt(Figure):
    """Mean log density of held-out showers at one incident energy, nats per shower.

    ``nats`` is the lower bound with one draw of the zeros' places, averaged over draws;
    ``tighter`` the importance-weighted bound of all draws. ``own`` is the same for showers that
    the flow drew itself: what it expects of its own kind, equal to ``nats`` for a perfect flow.
    ``unlikely`` is the share of held-out showers below the flow's own 1 % quantile, 0.01 for a
    perfect flow. ``impossible`` showers have no density at all and are left out of the means.
    ``lost``: lower bound of KL(simulation | flow) that a classifier between held-out and generated
    showers proves; None where there are too few showers to train one.
    """

    incident_energy: float
    showers: int
    impossible: int
    nats: float
    error: float
    tighter: float
    own: float
    own_error: float
    unlikely: float
    unlikely_error: float
    lost: float | None
    lost_error: float | None


class LayerLoss(Figure):
    """Nats lost in the distribution of one feature alone at one incident energy.

    KL between held-out and generated showers in bins, corrected for statistics (a value below
    zero is compatible with none). ``feature`` is ``E_<layer>`` or ``E_tot``.
    """

    feature: str
    incident_energy: float
    nats: float
    error: float
    p_value: float


class UnlikelyShower(Figure):
    """A held-out shower that the flow finds unlikely.

    ``row`` counts in the held-out sample; ``below_median`` is in nats, against the held-out median
    of this energy; ``tail`` the share of the flow's own showers at this energy that are less
    likely; ``quantiles`` the share of the flow's own showers with less energy in each layer (half
    of the equal ones): near 0 or 1 where the shower is extreme. A shower of likely energies in
    every layer is unlikely for how they go together.
    """

    row: int
    incident_energy: float
    layer_energy: tuple[float, ...]
    log_prob: float
    below_median: float
    tail: float
    quantiles: tuple[float, ...]
    latent: tuple[float, ...]


class LatentMarginal(Figure):
    """One latent dimension of held-out showers at one incident energy, against N(0, 1).

    ``nats``: KL of its distribution in bins, corrected for statistics. ``p_value``: Kolmogorov and
    Smirnov's.
    """

    dimension: int
    incident_energy: float
    mean: float
    mean_error: float
    std: float
    std_error: float
    skewness: float
    excess_kurtosis: float
    nats: float
    error: float
    p_value: float


class LatentAt(Figure):
    """All latent dimensions together at one incident energy.

    ``correlations`` are those of the normal scores, ``correlation_nats`` = -1/2 log det of them, a
    lower bound of the total correlation (p value: Bartlett's). ``radius_p_value``: |z|^2 against
    chi-squared. ``auc`` of a classifier between latents and N(0, 1), and ``bound``, the lower bound
    of KL that its scores prove.
    """

    incident_energy: float
    showers: int
    correlations: Matrix
    largest_pair: tuple[int, int]
    largest_correlation: float
    largest_error: float
    correlation_nats: float
    correlation_error: float
    correlation_p_value: float
    radius_p_value: float
    auc: float | None
    auc_error: float | None
    auc_p_value: float | None
    bound: float | None
    bound_error: float | None


class LatentTest(Figure):
    """One test of Gaussian latents, with its p value adjusted for all of them (Holm)."""

    name: str
    incident_energy: float
    dimension: int | None
    p_value: float
    adjusted: float


class Latent(Figure):
    """Whether the latents of held-out showers are Gaussian.

    ``layer_correlations`` (L, L + 1): Spearman's coefficient of latent k (row) with the energy of
    each layer and the total (last column) within an incident energy, averaged over energies: which
    layers a latent dimension stands for. ``counts`` (L, B): histogram of each dimension over all
    energies between ``edges``, outermost bins open.
    """

    marginals: tuple[LatentMarginal, ...]
    energies: tuple[LatentAt, ...]
    tests: tuple[LatentTest, ...]
    layer_correlations: Matrix
    edges: tuple[float, ...]
    counts: tuple[tuple[int, ...], ...]

    def rejected(self, level: float = 0.01) -> tuple[LatentTest, ...]:
        """Return the tests that fail at a family-wise error rate, most significant first."""
        return tuple(test for test in self.tests if test.adjusted < level)


class Loss(Figure):
    """A part of the nats lost, averaged over all held-out showers."""

    name: str
    nats: float
    error: float


class Likelihood(Figure):
    """Held-out likelihood of a flow: total, per energy, per layer, per shower and in its latents.

    ``losses`` are lower bounds of what is lost over all energies: ``classifier`` between showers,
    ``marginals`` of the latents and their ``correlation`` (these two may be added), and one per
    layer and for the total.
    """

    layer_ids: tuple[int, ...]
    showers: int
    impossible: int
    draws: int
    seed: int
    nats: float
    error: float
    tighter: float
    own: float
    own_error: float
    losses: tuple[Loss, ...]
    energies: tuple[LikelihoodAt, ...]
    layers: tuple[LayerLoss, ...]
    unlikely: tuple[UnlikelyShower, ...]
    latent: Latent
    notes: tuple[str, ...] = ()
