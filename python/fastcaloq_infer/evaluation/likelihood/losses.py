"""Nats lost: in the energy of each layer, and averaged over all incident energies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.evaluation.likelihood.nats import combined, sample_divergence
from fastcaloq_infer.evaluation.results.likelihood import LayerLoss, Loss

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.results.likelihood import Latent, LikelihoodAt
    from fastcaloq_infer.evaluation.samples.groups import EnergyGroups
    from fastcaloq_infer.evaluation.samples.sample import Sample


def layer_losses(
    sample: Sample, own: Sample, groups: EnergyGroups, ids: tuple[int, ...]
) -> tuple[LayerLoss, ...]:
    """Return what is lost in each layer and in the total, at every incident energy."""
    names = [*(f"E_{layer}" for layer in ids), "E_tot"]
    columns = [np.column_stack([table.layer_energy, table.total_energy]) for table in (sample, own)]
    losses = []
    for k, name in enumerate(names):
        for energy, here, there in zip(
            groups.centers, groups.rows(sample), groups.rows(own), strict=True
        ):
            nats = sample_divergence(columns[0][here, k], columns[1][there, k])
            losses.append(
                LayerLoss(
                    feature=name,
                    incident_energy=float(energy),
                    nats=nats.value,
                    error=nats.error,
                    p_value=nats.p_value,
                )
            )
    return tuple(losses)


def averaged_losses(
    energies: tuple[LikelihoodAt, ...],
    latent: Latent,
    layers: tuple[LayerLoss, ...],
    counts: NDArray[np.float64],
) -> tuple[Loss, ...]:
    """Return lower bounds of the loss over all energies, weighted by showers (G,)."""
    parts: list[tuple[str, list[tuple[float, float]]]] = []
    proven = [(at.lost, at.lost_error) for at in energies]
    if None not in {value for value, _ in proven}:
        parts.append(("classifier", [(value or 0.0, error or 0.0) for value, error in proven]))
    marginals = [
        [(m.nats, m.error) for m in latent.marginals if m.incident_energy == at.incident_energy]
        for at in energies
    ]
    parts.append(
        (
            "marginals",
            [
                (sum(nats for nats, _ in group), float(np.sqrt(sum(e**2 for _, e in group))))
                for group in marginals
            ],
        )
    )
    parts.append(
        ("correlation", [(at.correlation_nats, at.correlation_error) for at in latent.energies])
    )
    for name in dict.fromkeys(loss.feature for loss in layers):
        parts.append((name, [(loss.nats, loss.error) for loss in layers if loss.feature == name]))
    losses = []
    for name, pairs in parts:
        values, errors = np.array(pairs).T
        nats, error = combined(values, errors, counts)
        losses.append(Loss(name=name, nats=nats, error=error))
    return tuple(losses)
