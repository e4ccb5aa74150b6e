"""The held-out showers that a flow finds least likely, for a physicist to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.evaluation.results.likelihood import UnlikelyShower

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.samples.groups import EnergyGroups
    from fastcaloq_infer.evaluation.samples.sample import Sample

    Array = NDArray[np.float64]

UNLIKELY = 0.01
"""Share of its own showers that a flow calls unlikely."""


def unlikely_showers(
    sample: Sample,
    groups: EnergyGroups,
    numbers: NDArray[np.intp],
    log_prob: Array,
    z: Array,
    own: tuple[Sample, Array],
    count: int,
) -> tuple[UnlikelyShower, ...]:
    """Return the ``count`` least likely showers by the flow's own measure, the least likely first.

    Log densities of different energies cannot be compared, so showers are ordered by the share of
    the flow's own showers at the same energy that are less likely, then by their distance from
    the median. Showers without any density are listed by no number: ``impossible`` counts them.

    Parameters
    ----------
    sample, numbers
        Held-out showers (N rows) and their rows in the file, shape (N,).
    log_prob, z
        Their log densities (N,) and latents (N, L).
    own
        Showers of the flow at the same energies, and their log densities.
    """
    own_sample, own_log_prob = own
    tail, below = np.ones(len(log_prob)), np.zeros(len(log_prob))
    theirs = groups.rows(own_sample)
    for here, there in zip(groups.rows(sample), theirs, strict=True):
        tail[here] = np.searchsorted(np.sort(own_log_prob[there]), log_prob[here]) / len(there)
        possible = log_prob[here][np.isfinite(log_prob[here])]
        below[here] = (np.median(possible) if len(possible) else 0.0) - log_prob[here]
    order = np.lexsort((-below, tail))
    order = order[np.isfinite(log_prob[order])][:count]
    group = groups.index(sample.incident_energy)
    return tuple(
        UnlikelyShower(
            row=int(numbers[i]),
            incident_energy=float(sample.incident_energy[i]),
            layer_energy=tuple(sample.layer_energy[i].tolist()),
            log_prob=float(log_prob[i]),
            below_median=float(below[i]),
            tail=float(tail[i]),
            quantiles=_quantiles(sample.layer_energy[i], own_sample.layer_energy[theirs[group[i]]]),
            latent=tuple(z[i].tolist()),
        )
        for i in order
    )


def _quantiles(layer_energy: Array, own: Array) -> tuple[float, ...]:
    """Return the share of own showers (M, L) with less energy than (L,), equal ones by half."""
    less, equal = (own < layer_energy).mean(axis=0), (own == layer_energy).mean(axis=0)
    return tuple((less + 0.5 * equal).tolist())
