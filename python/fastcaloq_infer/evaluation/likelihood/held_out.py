"""Likelihood of held-out showers under a flow, and where nats are lost.

Empty layers are dequantised: with the place u of a zero drawn uniformly, one draw gives the lower
bound E_u[log p(E, u)/q(u)] of log p(E) that training maximises; averaged over draws it is known
better, and with K draws log mean_K p/q is a tighter bound (Burda et al., arXiv:1509.00519, eq. 8).
Showers without an empty layer need one draw and are exact.

>>> from fastcaloq_infer.data import packaged_sample, read_layer_energies
>>> from fastcaloq_infer.evaluation.likelihood.held_out import likelihood
>>> from fastcaloq_infer.training import load_flow
>>> flow, _ = load_flow("photon_energy")                                            # doctest: +SKIP
>>> likelihood(flow, read_layer_energies(packaged_sample("heldout"))).nats   # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.evaluation.likelihood.encoding import encode, generate
from fastcaloq_infer.evaluation.likelihood.energies import measured_energies
from fastcaloq_infer.evaluation.likelihood.flow_classifier import (
    FEWEST,
    Judged,
    judge,
    shower_columns,
)
from fastcaloq_infer.evaluation.likelihood.latent import latent_figures
from fastcaloq_infer.evaluation.likelihood.losses import averaged_losses, layer_losses
from fastcaloq_infer.evaluation.likelihood.nats import combined
from fastcaloq_infer.evaluation.likelihood.unlikely import UNLIKELY, unlikely_showers
from fastcaloq_infer.evaluation.progress import silent
from fastcaloq_infer.evaluation.results.likelihood import Likelihood, LikelihoodAt
from fastcaloq_infer.evaluation.samples.sample import as_sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.likelihood.encoding import InvertibleFlow
    from fastcaloq_infer.evaluation.progress import Progress
    from fastcaloq_infer.evaluation.samples.sample import LayerEnergyTable, Sample

    Array = NDArray[np.float64]


def likelihood(
    flow: InvertibleFlow,
    held_out: LayerEnergyTable,
    *,
    seed: int = 1,
    draws: int = 8,
    copies: int = 4,
    n_unlikely: int = 20,
    progress: Progress = silent,
) -> Likelihood:
    """Measure a flow on showers that it has not seen.

    Parameters
    ----------
    flow
        In float64 (``training.load_flow``).
    held_out
        Layer energies (N, L) MeV with incident energies and eta (N,): a table or a ``Sample``.
    seed
        Of everything that is drawn; the same seed gives the same figures.
    draws
        Draws of the zeros' places per shower with an empty layer.
    copies
        Showers that the flow draws per held-out one, for comparison.
    n_unlikely
        Least likely showers to list.
    progress
        Called with the name of a step and the fraction done.

    Returns
    -------
    Likelihood
        Densities are per MeV in every layer (a probability where it is empty).

    Raises
    ------
    InputError
        No eta, bad energies, or no incident energy with 200 showers.
    """
    threshold = float(getattr(getattr(flow, "preprocessing", None), "energy_threshold", 0.0))
    sample = as_sample(held_out, "held-out", threshold=threshold, level="layers")
    notes: list[str] = []
    groups = measured_energies(sample, "likelihood", notes)
    chosen = np.concatenate(groups.rows(sample))
    sample = sample.take(chosen)
    rows = groups.rows(sample)

    z, first = encode(flow, sample, seed)
    mean, tighter = _average(flow, sample, first, seed, draws)
    progress("likelihood", 0.4)
    own_sample = generate(flow, sample, copies, seed)
    own = encode(flow, own_sample, seed + draws).log_prob
    own_rows = groups.rows(own_sample)
    progress("likelihood", 1.0)

    ids = sample.layer_ids or tuple(range(sample.n_layers))
    layers = layer_losses(sample, own_sample, groups, ids)
    judged = None
    if sample.n_showers >= FEWEST:
        judged = judge(
            shower_columns(sample),
            shower_columns(own_sample),
            sample,
            groups,
            seed,
            lambda part: progress("nats lost", part),
        )
    possible = np.isfinite(mean)
    inside = sample.take(possible)
    latent = latent_figures(
        z[possible], inside, groups, seed=seed, progress=lambda part: progress("latents", part)
    )
    energies = tuple(
        _at(float(energy), mean[here], tighter[here], own[own_here], judged, g)
        for g, (energy, here, own_here) in enumerate(
            zip(groups.centers, rows, own_rows, strict=True)
        )
    )
    counts = np.array([float(at.showers - at.impossible) for at in energies])
    nats, error = combined(
        np.array([at.nats for at in energies]), np.array([at.error for at in energies]), counts
    )
    own_nats, own_error = combined(
        np.array([at.own for at in energies]), np.array([at.own_error for at in energies]), counts
    )
    return Likelihood(
        layer_ids=ids,
        showers=sample.n_showers,
        impossible=int((~possible).sum()),
        draws=draws,
        seed=seed,
        nats=nats,
        error=error,
        tighter=float(counts @ [at.tighter for at in energies] / counts.sum()),
        own=own_nats,
        own_error=own_error,
        losses=averaged_losses(energies, latent, layers, counts),
        energies=energies,
        layers=layers,
        unlikely=unlikely_showers(sample, groups, chosen, mean, z, (own_sample, own), n_unlikely),
        latent=latent,
        notes=tuple(notes),
    )


def _average(
    flow: InvertibleFlow, sample: Sample, first: Array, seed: int, draws: int
) -> tuple[Array, Array]:
    """Return the mean and the log of the mean density over draws, both (N,)."""
    drawn = np.tile(first, (draws, 1))
    empty = np.flatnonzero((sample.layer_energy == 0).any(axis=1))
    if len(empty):
        part = sample.take(empty)
        for number in range(1, draws):
            drawn[number, empty] = encode(flow, part, seed + number).log_prob
    highest = np.where(np.isfinite(drawn.max(axis=0)), drawn.max(axis=0), 0.0)
    with np.errstate(divide="ignore"):  # the log of no density at all is -inf, as it should be
        tighter = np.log(np.exp(drawn - highest).mean(axis=0)) + highest
    return drawn.mean(axis=0), tighter


def _at(
    energy: float, log_prob: Array, tighter: Array, own: Array, judged: Judged | None, g: int
) -> LikelihoodAt:
    possible = np.isfinite(log_prob)
    n = int(possible.sum())
    kept = log_prob[possible]
    # What the flow cannot encode again (none in exact arithmetic) is the least likely of its own.
    own_kept = own[np.isfinite(own)]
    share = float((log_prob < np.quantile(own, UNLIKELY, method="lower")).mean())
    return LikelihoodAt(
        incident_energy=energy,
        showers=len(log_prob),
        impossible=len(log_prob) - n,
        nats=float(kept.mean()),
        # The bootstrap's error of a mean in closed form.
        error=float(kept.std() / np.sqrt(n)),
        tighter=float(tighter[possible].mean()),
        own=float(own_kept.mean()),
        own_error=float(own_kept.std() / np.sqrt(len(own_kept))),
        unlikely=share,
        unlikely_error=float(np.sqrt(max(share, UNLIKELY) * (1 - share) / len(log_prob))),
        lost=None if judged is None else float(judged.bound[g]),
        lost_error=None if judged is None else float(judged.bound_error[g]),
    )
