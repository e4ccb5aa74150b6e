"""One run: train, then judge on the held-out showers. Runs in a process of its own."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.samples.groups import energy_groups
from fastcaloq_infer.evaluation.samples.sample import as_sample
from fastcaloq_infer.sampling.showers import Showers
from fastcaloq_infer.study.layer_figures import layer_figures
from fastcaloq_infer.study.learner import make_learner
from fastcaloq_infer.study.samples import floor_showers, run_showers
from fastcaloq_infer.study.store import RunRecord, RunStore, RunTimes
from fastcaloq_infer.training.seeds import stream_seed

if TYPE_CHECKING:
    from fastcaloq_infer.evaluation.samples.sample import LayerEnergyTable
    from fastcaloq_infer.study.matrix import Run

__all__ = ["aucs", "execute"]

#: Uses of a run's seed that are not the learner's (which takes the seed itself).
_SAMPLE, _CLASSIFIERS = 101, 102


def execute(run: Run, folder: Path) -> None:
    """Do a run and leave its folder whole.

    Raises
    ------
    ConfigError, InputError, OutputError, TrainingError
        As the learner and the reading of showers raise them.
    """
    store = RunStore(folder, run)
    resumed = store.begin()
    showers = run_showers(run)
    learner = make_learner(run.settings, source=run.source, folder=Path(run.settings_folder))
    cpu, wall = time.process_time(), time.perf_counter()
    fitted = learner.fit(showers.train, showers.validation, seed=run.seed, folder=store.fit_folder)
    fit_cpu, fit_wall = time.process_time() - cpu, time.perf_counter() - wall

    held_out = showers.held_out
    energy = held_out.incident_energy.astype(np.float64)
    log_prob = fitted.log_prob(held_out.layer_energy, energy, held_out.eta)
    if log_prob is not None and (np.isnan(log_prob).any() or np.isposinf(log_prob).any()):
        raise InputError(
            f"run {run.name}: the model's log density is not a number for "
            f"{int((np.isnan(log_prob) | np.isposinf(log_prob)).sum())} held-out showers, so it "
            "cannot be compared; the training has diverged, lower its learning rate"
        )
    cpu = time.process_time()
    layers = fitted.sample(energy, held_out.eta, seed=stream_seed(run.seed, _SAMPLE))
    sample_cpu = time.process_time() - cpu
    generated = Showers(
        incident_energy=held_out.incident_energy,
        eta=held_out.eta.astype(np.float32),
        layer_energy=layers.astype(np.float32),
        event=np.arange(len(energy), dtype=np.uint64),
        n_out_of_range=0,
    )
    figures = (
        asdict(layer_figures(held_out, generated, floor_showers(run)[1], run.seed))
        if run.layer_figures
        else {}
    )
    record = RunRecord(
        n_train=len(showers.train),
        n_validation=len(showers.validation),
        n_held_out=len(held_out),
        n_parameters=fitted.n_parameters,
        n_trained=fitted.n_trained,
        n_conditioner=fitted.n_conditioner,
        n_features=fitted.n_features,
        aucs=aucs(held_out, generated, run.classifier_seeds, run.seed),
        has_likelihood=log_prob is not None,
        **figures,
    )
    times = RunTimes(
        fit_cpu=None if resumed else fit_cpu,
        fit_wall=None if resumed else fit_wall,
        sample_cpu=sample_cpu,
        n_sampled=len(energy),
    )
    store.finish(record, times, log_prob)


def aucs(
    held_out: LayerEnergyTable, other: LayerEnergyTable, classifiers: int, seed: int
) -> tuple[float, ...]:
    """Train classifiers to tell two sets of layer energies apart; their AUC on unseen showers."""
    from fastcaloq_infer.evaluation.classifiers.classify import classify

    if classifiers == 0:
        return ()
    first, second = as_sample(held_out, "held-out"), as_sample(other, "generated")
    groups = energy_groups(first)
    seed = stream_seed(seed, _CLASSIFIERS) % 2**20
    scores = classify(first, second, groups, view="layers", seeds=classifiers, seed=seed, workers=1)
    return scores.auc.values
