"""Two-sample tests by classifiers: how well unseen showers of one sample are told from another.

A view (``classifier_views``) says what the classifier sees, an architecture what it is: boosted
trees (``classifier_trees``), a network, or the network of the CaloChallenge
(``network``). ``calibration`` turns their scores into AUC and Jensen-Shannon
divergence.

Measured on 21,250 against 21,250 Geant4 photons after the challenge's 1 MeV cut, one seed, standard
error of an AUC 0.003 to 0.006:

================================================ ============= ============== ===========
deliberately wrong sample                        network (low) network (norm) trees (low)
================================================ ============= ============== ===========
layer 2 scaled by 1.02                           0.636         0.633          0.643
5 % of every ring's energy one ring out, layer 2 0.713         0.706          0.765
1 % of all voxels zeroed                         0.708         0.710          0.692
sectors shuffled within rings, layer 1           0.860         0.885          0.844
layer 1 exchanged between showers of one energy  0.903         0.899          0.897
nothing (floor)                                  0.493         0.494          0.489
CPU time per training                            6 s           6 s            4 to 23 s
================================================ ============= ============== ===========

Neither sees everything best: trees find displaced single voxels, networks what many voxels say
together. On layer energies alone trees and networks see the same (layer 2 scaled by 1.02: 0.659
and 0.663; layers of 20 % of the showers exchanged: both 0.577), the trees in a fifth of the time.
Over five seeds, which test every shower once, the floor is 0.495 with a spread of 0.005 (low) and
0.003 (normalised) and a standard error of 0.003.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.cores import available_cores
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.classifiers.calibration import (
    auc_with_error,
    calibration_figure,
    jsd_with_error,
    over_seeds,
    probabilities,
)
from fastcaloq_infer.evaluation.classifiers.columns import Columns
from fastcaloq_infer.evaluation.classifiers.splits import FOLDS
from fastcaloq_infer.evaluation.classifiers.training import Architecture, Progress, Tested, Training
from fastcaloq_infer.evaluation.classifiers.views import View, challenge_columns, view_columns
from fastcaloq_infer.evaluation.results.classifier import Scores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fastcaloq_infer.evaluation.classifiers.views import FeatureTable
    from fastcaloq_infer.evaluation.samples.groups import EnergyGroups
    from fastcaloq_infer.evaluation.samples.sample import Sample

DEFAULT_ARCHITECTURE: dict[View, Architecture] = {
    "layers": "trees",
    "high": "trees",
    "low": "network",
    "normalised": "network",
}

JUDGES: dict[View, tuple[Architecture, ...]] = {
    "low": ("network", "trees"),
    "normalised": ("network",),
    "high": ("network", "trees"),
    "layers": ("trees",),
}
"""What an evaluation asks in every view: both where either sees what the other does not."""

_SEEN: dict[View, str] = {
    "layers": "incident energy and energy of every layer",
    "low": "incident energy and energy of every voxel",
    "normalised": "incident energy, layer energies and every voxel's share of its layer",
    "high": "incident energy and high-level features",
}

FEWEST = 100
"""Showers that a sample needs: with 20 tested, an AUC is known to 0.09."""


def classify(
    first: Sample,
    second: Sample,
    groups: EnergyGroups,
    *,
    view: View,
    architecture: Architecture | None = None,
    seeds: int = 3,
    seed: int = 0,
    features: tuple[FeatureTable, FeatureTable] | None = None,
    workers: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Scores:
    """Train ``seeds`` classifiers to tell ``second`` from ``first``.

    Parameters and errors as for ``classify_each``; ``features`` of the first and of the second.
    """
    tables = None if features is None else {"": features[0], "second": features[1]}
    return classify_each(
        first,
        {"second": second},
        groups,
        view=view,
        architecture=architecture,
        seeds=seeds,
        seed=seed,
        features=tables,
        workers=workers,
        progress=progress,
    )["second"]


def classify_each(
    first: Sample,
    others: Mapping[str, Sample],
    groups: EnergyGroups,
    *,
    view: View,
    architecture: Architecture | None = None,
    seeds: int = 3,
    seed: int = 0,
    features: Mapping[str, FeatureTable] | None = None,
    workers: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> dict[str, Scores]:
    """Train ``seeds`` classifiers per sample of ``others`` to tell it from ``first``.

    Parameters
    ----------
    first, others
        The samples, equal counts per group; ``first`` (the reference) fixes the feature scales.
        Voxels count as they are: cut them first (``Sample.cut``), all samples alike.
    groups
        Groups of incident energy; splits are stratified in them.
    view
        What the classifiers see.
    architecture
        What they are; None for the view's default.
    seeds
        Number of classifiers per pair; each has its own split and its own random numbers.
    seed
        Seed of the splits and of the random numbers.
    features
        For the view ``high``: high-level features per name of ``others``, and of ``first`` under
        the name ``""``; None to compute them.
    workers
        Trainings at a time, one thread each; None for as many as the process may use cores. The
        result does not depend on it.
    progress
        Called with the fraction done, 0 to 1, from several threads, one at a time.

    Returns
    -------
    dict
        Per name: AUC (0.5 for identical samples up to statistics, 1 for perfect separation) and
        JSD over seeds, with the calibration.

    Raises
    ------
    InputError
        Less than one classifier is asked for; a sample has too few showers or lacks voxels that
        the view needs; the challenge does not know the view.
    """
    if seeds < 1:
        raise InputError(f"{seeds} classifiers were asked for; an AUC needs at least one seed")
    fewest = min(sample.n_showers for sample in (first, *others.values()))
    if fewest < FEWEST:
        raise InputError(
            f"{fewest} showers are too few for the classifier view {view!r}, which trains on three "
            f"fifths and tests on one: give at least {FEWEST} in every sample or leave it out"
        )
    judge = architecture or DEFAULT_ARCHITECTURE[view]
    tables = features or {}
    seen = {
        name: _columns(sample, view, judge, tables.get(name))
        for name, sample in {"": first, **others}.items()
    }
    trainings = [
        Training(judge, (first, other), (seen[""], seen[name]), groups, seed, number)
        for name, other in others.items()
        for number in range(seeds)
    ]
    report = Progress(len(trainings), progress)
    # One thread per training: more gain little at this size, and the result must not depend on it.
    with _one_thread(judge), ThreadPoolExecutor(workers or available_cores()) as pool:
        try:
            tested = list(pool.map(lambda job: job[1].run(report.of(job[0])), enumerate(trainings)))
        except BaseException:  # a key press: the trainings in work would go on to their ends
            report.stopped = True
            raise
    return {
        name: _scores(tested[k * seeds : (k + 1) * seeds], judge) for k, name in enumerate(others)
    }


def description(view: View, architecture: Architecture) -> str:
    """Return what classifies and what it sees, in words for a report."""
    from fastcaloq_infer.evaluation.classifiers.network import CHALLENGE, OURS

    what = {
        "trees": "gradient-boosted trees (scikit-learn), learning rate 0.05, at most 400 trees",
        "network": f"network, {OURS}",
        "challenge": f"network of the CaloChallenge, {CHALLENGE}",
    }[architecture]
    return f"{what}; sees {_SEEN[view]}"


def _columns(
    sample: Sample, view: View, architecture: Architecture, features: FeatureTable | None
) -> Columns:
    if architecture == "challenge":
        inputs = challenge_columns(sample, view, features)
        return Columns(sample.incident_energy, inputs, np.zeros((len(inputs), 0), np.bool_))
    return view_columns(sample, view, features, hits=architecture == "network")


def _scores(tested: list[Tested], architecture: Architecture) -> Scores:
    labels = [t.labels for t in tested]
    # The challenge quotes the AUC of the calibrated scores, which have ties.
    ranked = [t.calibrated if architecture == "challenge" else t.logits for t in tested]
    return Scores(
        auc=over_seeds([auc_with_error(*pair) for pair in zip(labels, ranked, strict=True)], FOLDS),
        jsd=over_seeds([jsd_with_error(t.labels, t.calibrated) for t in tested], FOLDS),
        calibration=calibration_figure(
            np.concatenate(labels),
            probabilities(np.concatenate([t.logits for t in tested])),
            np.concatenate([t.calibrated for t in tested]),
        ),
    )


@contextmanager
def _one_thread(architecture: Architecture) -> Iterator[None]:
    """Hold the libraries of this process to one thread, and release them afterwards."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with ExitStack() as stack:
        stack.enter_context(threadpool_limits(1))
        if architecture != "trees":
            from fastcaloq_infer.training.threads import torch_threads

            stack.enter_context(torch_threads(1))
        yield
