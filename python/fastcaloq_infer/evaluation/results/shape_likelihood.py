"""Figures of the likelihood of voxels given the energies of their layers. All in nats."""

from __future__ import annotations

from fastcaloq_infer.evaluation.results.base import Figure


class ShapeLikelihoodAt(Figure):
    """Mean log density of the voxels of held-out showers at one incident energy.

    ``own`` is the same for voxels that the flow drew itself for the same layer energies, equal to
    ``nats`` for a perfect flow; ``unlikely`` the share of held-out showers below the flow's own
    1 % quantile, 0.01 for a perfect flow. Showers without any density count in ``impossible``.
    """

    incident_energy: float
    showers: int
    impossible: int
    nats: float
    error: float
    own: float
    own_error: float
    unlikely: float
    unlikely_error: float


class LatentsOfLayer(Figure):
    """The latents that make the voxels of one layer, one by one against N(0, 1).

    ``nats`` is the sum of what is lost in each (KL in bins, corrected for statistics), per shower:
    a lower bound of what the flow loses in this layer. ``layer`` is None where latents belong to no
    layer. ``worst`` is the latent that loses most, its ring and, of a voxel, its place in alpha.
    """

    layer: int | None
    incident_energy: float
    latents: int
    nats: float
    error: float
    worst: tuple[int, int | None] | None
    worst_nats: float
    worst_error: float


class Uniformity(Figure):
    """Histogram of Phi(z) of all latents of a layer, flat for a perfect flow.

    Over all energies; of showers only in which there is energy to share.
    """

    layer: int | None
    counts: tuple[int, ...]


class ShapeLikelihood(Figure):
    """Held-out likelihood of a flow of voxels: total, per energy and in its latents.

    ``nats`` and ``own`` are averages over all held-out showers; ``lost`` is what the latents lose
    one by one. ``failed`` of ``tests`` (Kolmogorov and Smirnov's, per latent and energy) reject
    N(0, 1) at 1 % for all together (Holm).
    """

    layer_ids: tuple[int, ...]
    showers: int
    impossible: int
    latents: int
    seed: int
    nats: float
    error: float
    own: float
    own_error: float
    lost: float
    lost_error: float
    tests: int
    failed: int
    energies: tuple[ShapeLikelihoodAt, ...]
    layers: tuple[LatentsOfLayer, ...]
    uniformity: tuple[Uniformity, ...]
    notes: tuple[str, ...] = ()
