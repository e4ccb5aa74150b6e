"""The whole evaluation: reference against generated, always beside reference against floor.

>>> from fastcaloq_infer.evaluation import evaluate, read_sample, summary
>>> evaluation = evaluate(                                                  # doctest: +SKIP
...     read_sample("geant4.hdf5"), read_sample("generated.hdf5"), read_sample("geant4_2.hdf5")
... )
>>> print(summary(evaluation))                                              # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.evaluation.classifiers.two_sample import classifiers
from fastcaloq_infer.evaluation.features.high_level import high_level_features
from fastcaloq_infer.evaluation.many_showers import (
    distances_or_note,
    likelihoods,
    manifold_or_note,
)
from fastcaloq_infer.evaluation.metrics.chi_square import chi_squares
from fastcaloq_infer.evaluation.metrics.feature_histograms import feature_separations
from fastcaloq_infer.evaluation.metrics.layer_shares import occupancies, zero_fractions
from fastcaloq_infer.evaluation.metrics.per_energy import (
    correlations,
    extremes,
    responses,
    separations,
)
from fastcaloq_infer.evaluation.metrics.profiles import profiles
from fastcaloq_infer.evaluation.metrics.voxel_spectrum import voxel_spectra
from fastcaloq_infer.evaluation.metrics.wasserstein import wassersteins
from fastcaloq_infer.evaluation.progress import silent
from fastcaloq_infer.evaluation.results import Evaluation, Names
from fastcaloq_infer.evaluation.samples.comparison import Comparison, compare

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fastcaloq_infer.evaluation.classifiers.views import View
    from fastcaloq_infer.evaluation.progress import Progress
    from fastcaloq_infer.evaluation.samples.sample import LayerEnergyTable, Level


def evaluate(
    reference: LayerEnergyTable,
    generated: LayerEnergyTable,
    floor: LayerEnergyTable | None = None,
    *,
    seeds: int = 3,
    seed: int = 1,
    views: Sequence[View] | None = None,
    challenge: bool = False,
    reweight: bool = False,
    model: Path | str | None = None,
    distances: bool = True,
    level: Level | None = None,
    layer_ids: Sequence[int] | None = None,
    energy_threshold: float = 0.0,
    voxel_threshold: float | None = None,
    progress: Progress = silent,
) -> Evaluation:
    """Compute all figures of a generated sample.

    Separation powers, distances and classifiers depend on the sample size, so there the three
    samples are cut to equal counts per incident energy (random rows, ``seed``); a separation is
    averaged over disjoint generated samples of that size, if there are more. Zero fractions,
    response and correlations do not depend on it, and take every shower.

    Parameters
    ----------
    reference, generated, floor
        Samples (``read_sample``) or tables with ``incident_energy`` (N,) and ``layer_energy``
        (N, L), MeV: held-out showers of the simulation, showers to be judged at the same incident
        energies, and an independent sample of the simulation. Without the last, the reference is
        split in two.
    seeds
        Classifiers per view; 0 leaves them out.
    seed
        Of every random choice; the same seed gives the same JSON, byte for byte.
    views
        What the classifiers see: ``low``, ``normalised``, ``high``, ``layers``; by default all
        that the level allows.
    challenge
        Use the CaloChallenge's network in the views that it knows.
    reweight
        Make generated and floor sample follow the reference's incident-energy spectrum, by leaving
        showers out at random.
    model
        A trained flow: run folder or name of a shipped model. Adds the likelihood of the reference
        and where it is lost.
    distances
        Whether to compute FPD, KPD, precision, density, recall and coverage, 14 s of 21,000
        showers.
    level
        ``layers`` leaves voxels aside; by default they are used if all samples have them.
    layer_ids
        Numbers of the L layers; by default the reference's, or 0 ... L - 1.
    energy_threshold, voxel_threshold
        Energies (MeV) at or below which a layer, below which a voxel counts as empty; for voxels
        by default the challenge's cut (1 MeV in data set 1).
    progress
        Called with the name of a step and the fraction done.

    Raises
    ------
    InputError
        Bad energies or shapes, samples that do not fit together, a sample that is another one, too
        few showers at every energy.
    """
    comparison = compare(
        reference,
        generated,
        floor,
        seed=seed,
        level=level,
        layer_ids=layer_ids,
        energy_threshold=energy_threshold,
        voxel_threshold=voxel_threshold,
        reweight=reweight,
    )
    return figures(
        comparison,
        seeds=seeds,
        views=views,
        challenge=challenge,
        model=model,
        distances=distances,
        progress=progress,
    )


def figures(
    comparison: Comparison,
    *,
    seeds: int = 3,
    views: Sequence[View] | None = None,
    challenge: bool = False,
    model: Path | str | None = None,
    distances: bool = True,
    progress: Progress = silent,
) -> Evaluation:
    """Compute all figures of samples that were made comparable; as ``evaluate``."""
    c = comparison
    notes = list(c.notes)
    # First: a model that is missing or does not fit is found out before minutes of other figures.
    of_energies, of_voxels = (
        (None, None) if model is None else likelihoods(c, model, notes, progress)
    )
    equal = {}
    for number, (role, sample) in enumerate(c.equal.items()):
        equal[role] = high_level_features(sample)
        progress("high-level features", (number + 1) / len(c.equal))
    everything = {**c.equal, "generated": c.samples["generated"]}
    tables = {**equal, "generated": high_level_features(c.samples["generated"])}
    return Evaluation(
        level=c.level,
        names=Names(
            **{role: sample.name or role for role, sample in c.samples.items()},
            simulation=c.samples["reference"].simulation,
        ),
        binning=getattr(c.samples["reference"].binning, "name", None),
        layer_ids=c.layer_ids,
        incident_energies=tuple(c.groups.centers.tolist()),
        reference_showers=c.given["reference"],
        generated_showers=c.given["generated"],
        floor_showers=c.given["floor"],
        compared_showers=tuple(c.counts.tolist()),
        energy_threshold=c.energy_threshold,
        voxel_threshold=c.voxel_threshold,
        seed=c.seed,
        separations=separations(tables, everything, c.groups, _rng(c, 3), notes, progress),
        features=(*feature_separations(c, equal, _rng(c, 6)), *voxel_spectra(c, _rng(c, 4))),
        wassersteins=wassersteins(c, equal, _rng(c, 7), notes, progress),
        chi_squares=chi_squares(c, notes),
        zero_fractions=zero_fractions(c.samples, c.groups, c.layer_ids),
        responses=responses(c.samples, c.groups),
        extremes=extremes(c.samples, c.groups),
        correlations=correlations(c.samples, c.groups),
        occupancies=occupancies(c.samples, c.groups, c.layer_ids),
        profiles=profiles(c.samples, c.groups),
        layer_sums=c.layer_sums,
        distances=distances_or_note(c, equal, notes, progress) if distances else (),
        manifold=manifold_or_note(c, equal, notes, progress) if distances else None,
        classifiers=classifiers(
            c, equal, views, seeds=seeds, challenge=challenge, notes=notes, progress=progress
        ),
        likelihood=of_energies,
        shape_likelihood=of_voxels,
        notes=tuple(notes),
    )


def _rng(comparison: Comparison, number: int) -> np.random.Generator:
    """Return the random numbers of one family of figures, so that none depends on another."""
    return np.random.default_rng([comparison.seed, number])
