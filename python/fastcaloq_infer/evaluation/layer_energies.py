"""All figures of layer energies: reference against generated, beside reference against floor."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.classifier import Kind, classifier_aucs
from fastcaloq_infer.evaluation.groups import (
    EnergyGroups,
    common_counts,
    energy_groups,
    match_counts,
)
from fastcaloq_infer.evaluation.histograms import (
    histogram,
    null_separation,
    reference_edges,
    separation_error,
    separation_power,
)
from fastcaloq_infer.evaluation.moments import (
    largest_difference,
    layer_correlations,
    response_moments,
    zero_fraction,
)
from fastcaloq_infer.evaluation.results import (
    Auc,
    Classifier,
    Correlation,
    Evaluation,
    Matrix,
    Moments,
    Response,
    Separation,
    ZeroFraction,
)
from fastcaloq_infer.evaluation.table import LayerEnergyTable, Sample, as_sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

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
    cut to equal counts per incident energy (random rows, ``seed``). Zero fractions, response and
    correlations do not, and take every shower.

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
        separations=_separations(equal, groups, ids, np.random.default_rng([seed, 3])),
        zero_fractions=_zero_fractions(samples, groups, ids),
        responses=_responses(samples, groups),
        correlations=_correlations(samples, groups),
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


def _separations(
    equal: dict[str, Sample], groups: EnergyGroups, ids: tuple[int, ...], rng: np.random.Generator
) -> tuple[Separation, ...]:
    """Separation of E_tot/E_inc and of every E_layer/E_inc (monotone in E at fixed E_inc)."""
    features = {role: separation_features(sample) for role, sample in equal.items()}
    rows = {role: groups.rows(sample) for role, sample in equal.items()}
    figures = []
    for column, name in enumerate(["E_tot", *(f"E_{i}" for i in ids)]):
        for g, energy in enumerate(groups.centers):
            values = {role: features[role][rows[role][g], column] for role in equal}
            edges = reference_edges(values["reference"])
            ref, gen, floor = (histogram(values[role], edges) for role in equal)
            null = null_separation(ref, floor, rng)
            figures.append(
                Separation(
                    feature=name,
                    incident_energy=float(energy),
                    showers=int(ref.sum()),
                    bins=len(ref),
                    value=float(separation_power(ref, gen)),
                    error=separation_error(ref, gen, rng),
                    floor=float(separation_power(ref, floor)),
                    floor_mean=null.mean,
                    floor_spread=null.spread,
                    floor_upper=null.upper,
                )
            )
    return tuple(figures)


def separation_features(sample: Sample) -> NDArray[np.float64]:
    """Return E_tot/E_inc and E_layer/E_inc, shape (N, 1 + L)."""
    energies = np.column_stack([sample.total_energy, sample.layer_energy])
    ratios: NDArray[np.float64] = energies / sample.incident_energy[:, None]
    return ratios


def _zero_fractions(
    samples: dict[str, Sample], groups: EnergyGroups, ids: tuple[int, ...]
) -> tuple[ZeroFraction, ...]:
    rows = {role: groups.rows(sample) for role, sample in samples.items()}
    figures = []
    for column, layer in enumerate(ids):
        for g, energy in enumerate(groups.centers):
            fractions = [
                zero_fraction(sample.layer_energy[rows[role][g], column])
                for role, sample in samples.items()
            ]
            (ref, ref_error), (gen, gen_error), (floor, floor_error) = fractions
            figures.append(
                ZeroFraction(
                    layer=layer,
                    incident_energy=float(energy),
                    reference=ref,
                    reference_error=ref_error,
                    generated=gen,
                    generated_error=gen_error,
                    floor=floor,
                    floor_error=floor_error,
                )
            )
    return tuple(figures)


def _responses(samples: dict[str, Sample], groups: EnergyGroups) -> tuple[Response, ...]:
    ratio = {role: s.total_energy / s.incident_energy for role, s in samples.items()}
    rows = {role: groups.rows(sample) for role, sample in samples.items()}
    figures = []
    for g, energy in enumerate(groups.centers):
        ref, gen, floor = (
            Moments(**asdict(response_moments(ratio[role][rows[role][g]]))) for role in samples
        )
        figures.append(
            Response(incident_energy=float(energy), reference=ref, generated=gen, floor=floor)
        )
    return tuple(figures)


def _correlations(samples: dict[str, Sample], groups: EnergyGroups) -> tuple[Correlation, ...]:
    rows = {role: groups.rows(sample) for role, sample in samples.items()}
    figures = []
    for g, energy in enumerate(groups.centers):
        ref, gen, floor = (
            layer_correlations(sample.layer_energy[rows[role][g]])
            for role, sample in samples.items()
        )
        figures.append(
            Correlation(
                incident_energy=float(energy),
                reference=_matrix(ref),
                generated=_matrix(gen),
                floor=_matrix(floor),
                largest_difference=largest_difference(ref, gen),
                floor_largest_difference=largest_difference(ref, floor),
            )
        )
    return tuple(figures)


def _matrix(values: NDArray[np.float64]) -> Matrix:
    return tuple(tuple(float(v) if np.isfinite(v) else None for v in row) for row in values)


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
