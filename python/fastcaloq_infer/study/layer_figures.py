"""Two figures of a training's layer energies that a likelihood does not show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.features.high_level import Features
from fastcaloq_infer.evaluation.metrics.layer_shares import zero_fractions
from fastcaloq_infer.evaluation.metrics.per_energy import separations
from fastcaloq_infer.evaluation.samples.comparison import compare

if TYPE_CHECKING:
    from fastcaloq_infer.evaluation.samples.sample import LayerEnergyTable, Sample

__all__ = ["layer_figures"]


def layer_figures(
    held_out: LayerEnergyTable, generated: LayerEnergyTable, floor: LayerEnergyTable, seed: int
) -> tuple[float, float]:
    """Return the largest separation of E_tot in floors and the largest zero-fraction difference.

    Both are the worst over incident energies, the second also over layers; for samples of one
    distribution the first is about 1 and the second as small as the samples allow. ``floor`` is an
    independent sample of the simulation.

    Raises
    ------
    InputError
        The samples cannot be compared, or are too small.
    """
    c = compare(held_out, generated, floor, seed=seed, level="layers")
    samples = {**c.equal, "generated": c.samples["generated"]}
    totals = {role: _total(sample) for role, sample in samples.items()}
    found = separations(totals, samples, c.groups, np.random.default_rng([seed, 3]), [])
    if not found:
        raise InputError("too few held-out showers to compare total energies; give more of them")
    zeros = zero_fractions(c.samples, c.groups, c.layer_ids)
    return max(s.ratio for s in found), max(abs(z.difference) for z in zeros)


def _total(sample: Sample) -> Features:
    return Features(("E_tot",), ("E_tot",), ("MeV",), sample.total_energy[:, None])
