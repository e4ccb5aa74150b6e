"""All figures of layer energies: reference against generated, beside reference against floor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.classifier import Kind, classifier_aucs
from fastcaloq_infer.evaluation.figures import (
    correlations,
    extremes,
    responses,
    separations,
    zero_fractions,
)
from fastcaloq_infer.evaluation.groups import (
    EnergyGroups,
    common_counts,
    energy_groups,
    match_counts,
)
from fastcaloq_infer.evaluation.results import Auc, Classifier, Evaluation
from fastcaloq_infer.evaluation.sample import LayerEnergyTable, Sample, as_sample

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_SHOWERS = 20
"""Fewest showers per incident energy in every sample."""


def evaluate_layer_energies(
    reference: LayerEnergyTable,
    generated: LayerEnergyTable,
    floor_reference: LayerEnergyTable,
    *,
    seeds: int = 5,
    seed: int = 0,
    layer_ids: Sequence[int] | None = None,
    energy_threshold: float = 0.0,
    classifier: Kind = "trees",
) -> Evaluation:
    """Compare generated layer energies with Geant4, always beside Geant4 against Geant4.

    Separation power and classifier AUC depend on the sample size, so there the three samples are
    cut to equal counts per incident energy (random rows, ``seed``); a separation is averaged over
    disjoint generated samples of that size, if there are more. Zero fractions, response and
    correlations do not depend on it, and take every shower.

    Parameters
    ----------
    reference
        Held-out Geant4, ``incident_energy`` (N,) and ``layer_energy`` (N, L), MeV.
    generated
        The model's showers, any number, at the reference's incident energies.
    floor_reference
        An independent Geant4 sample (the training sample, say).
    seeds
        Number of classifiers; 0 leaves the classifier out.
    seed
        Seed of every random choice; the same seed gives the same JSON.
    layer_ids
        Names of the L layers; by default ``reference.layer_ids`` or 0 ... L - 1.
    energy_threshold
        Layer energies at or below it (MeV) count as empty in all samples.
    classifier
        ``trees`` or ``network``.

    Raises
    ------
    InputError
        Bad energies or shapes, samples that do not fit together, too few showers.
    """
    ids = tuple(int(i) for i in layer_ids or getattr(reference, "layer_ids", ()) or ())
    samples = {
        "reference": as_sample(reference, "reference", threshold=energy_threshold),
        "generated": as_sample(generated, "generated", threshold=energy_threshold),
        "floor": as_sample(floor_reference, "floor", threshold=energy_threshold),
    }
    ids = ids or tuple(range(samples["reference"].n_layers))
    _check_together(samples, ids)
    groups = energy_groups(samples["reference"])
    counts = common_counts(groups, samples, least=MIN_SHOWERS)
    equal = {
        role: match_counts(sample, groups, counts, np.random.default_rng([seed, i]))
        for i, (role, sample) in enumerate(samples.items())
    }
    return Evaluation(
        layer_ids=ids,
        incident_energies=tuple(groups.centers.tolist()),
        reference_showers=samples["reference"].n_showers,
        generated_showers=samples["generated"].n_showers,
        floor_showers=samples["floor"].n_showers,
        compared_showers=tuple(counts.tolist()),
        energy_threshold=energy_threshold,
        seed=seed,
        separations=separations(
            equal | {"generated": samples["generated"]},
            groups,
            ids,
            np.random.default_rng([seed, 3]),
        ),
        zero_fractions=zero_fractions(samples, groups, ids),
        responses=responses(samples, groups),
        extremes=extremes(samples, groups),
        correlations=correlations(samples, groups),
        classifier=_classifier(equal, groups, seeds, seed, classifier) if seeds else None,
    )


def _check_together(samples: dict[str, Sample], ids: tuple[int, ...]) -> None:
    layers = {role: sample.n_layers for role, sample in samples.items()}
    if len({*layers.values(), len(ids)}) != 1:
        raise InputError(
            f"the samples have different numbers of layers ({layers}, {len(ids)} layer names): "
            "they cannot be compared; give samples of the same detector"
        )
    reference, generated = samples["reference"], samples["generated"]
    if np.array_equal(reference.layer_energy, generated.layer_energy):
        raise InputError(
            "the generated sample is the reference itself, value by value: every figure would be "
            "perfect and mean nothing; give the generated showers"
        )


def _classifier(
    equal: dict[str, Sample], groups: EnergyGroups, seeds: int, seed: int, kind: Kind
) -> Classifier:
    generated, floor = (
        _auc(
            classifier_aucs(
                equal["reference"], equal[role], groups, seeds=seeds, seed=seed, kind=kind
            )
        )
        for role in ("generated", "floor")
    )
    return Classifier(
        kind=kind,
        showers_per_sample=equal["reference"].n_showers,
        generated=generated,
        floor=floor,
    )


def _auc(values: list[float]) -> Auc:
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return Auc(values=tuple(values), mean=float(np.mean(values)), spread=spread)
