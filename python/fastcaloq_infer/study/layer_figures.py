"""Figures of a training's layer energies that a likelihood does not show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.features.high_level import Features
from fastcaloq_infer.evaluation.metrics.layer_shares import zero_fractions
from fastcaloq_infer.evaluation.metrics.per_energy import separations
from fastcaloq_infer.evaluation.metrics.resampling import Strata
from fastcaloq_infer.evaluation.metrics.wasserstein import Pooled
from fastcaloq_infer.evaluation.samples.comparison import compare

if TYPE_CHECKING:
    from fastcaloq_infer.evaluation.samples.comparison import Comparison
    from fastcaloq_infer.evaluation.samples.sample import LayerEnergyTable, Sample

__all__ = ["LayerFigures", "layer_figures"]


@dataclass(frozen=True)
class LayerFigures:
    """Figures of one training; those in floors are about 1 for samples of one distribution.

    Attributes
    ----------
    total_separation
        Largest separation power of E_tot over incident energies, in floors.
    zero_difference
        Largest difference of a fraction of empty layers over layers and incident energies.
    layer_distance
        Wasserstein-1 distance of a layer's energy in its standard deviations, mean over layers and
        incident energies, in floors.
    """

    total_separation: float
    zero_difference: float
    layer_distance: float


def layer_figures(
    held_out: LayerEnergyTable, generated: LayerEnergyTable, floor: LayerEnergyTable, seed: int
) -> LayerFigures:
    """Compare generated with held-out showers; a floor is ``floor`` in place of the generated.

    ``floor`` is an independent sample of the simulation.

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
    return LayerFigures(
        total_separation=max(s.ratio for s in found),
        zero_difference=max(abs(z.difference) for z in zeros),
        layer_distance=_distance(c, "generated") / _distance(c, "floor"),
    )


def _distance(comparison: Comparison, role: str) -> float:
    """Mean Wasserstein-1 distance of the layers' energies from the reference's."""
    first, second = (comparison.equal[name] for name in ("reference", role))
    rows = zip(comparison.groups.rows(first), comparison.groups.rows(second), strict=True)
    found = []
    for ours, theirs in rows:
        strata = Strata(np.array([len(ours)]))
        for layer in range(first.layer_energy.shape[1]):
            a, b = first.layer_energy[ours, layer], second.layer_energy[theirs, layer]
            if len(a) > 1 and (scale := float(a.std())) > 0:
                found.append(Pooled(a, b, strata).distance() / scale)
    return float(np.mean(found))


def _total(sample: Sample) -> Features:
    return Features(("E_tot",), ("E_tot",), ("MeV",), sample.total_energy[:, None])
