"""From the folders of all runs to the results of the study."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.evaluation.samples.groups import energy_groups, match_counts
from fastcaloq_infer.evaluation.samples.sample import as_sample
from fastcaloq_infer.study.execute import aucs
from fastcaloq_infer.study.results import (
    CellResults,
    Comparison,
    Likelihood,
    Scatter,
    StudyResults,
    VariantResults,
)
from fastcaloq_infer.study.samples import floor_showers
from fastcaloq_infer.study.statistics import holm, paired_effect, stratified_bootstrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from fastcaloq_infer.study.config import StudyConfig
    from fastcaloq_infer.study.matrix import Cell, Run
    from fastcaloq_infer.study.statistics import Effect
    from fastcaloq_infer.study.store import RunRecord, RunStore

__all__ = ["summarise"]

_METHOD = (
    "Effects are mean differences of log-likelihood per held-out shower between a variant and the "
    "reference trained with the same seed on the same showers. Errors and intervals: two-way "
    "random effects of seeds and showers, incident energies as strata, Satterthwaite degrees of "
    "freedom. p_adjusted: Holm over all comparisons of the study. Likelihood errors: stratified "
    "bootstrap over showers, and standard error over seeds."
)
_BOOTSTRAP_SEED = 7
_FLOOR_STREAM = 3


def summarise(config: StudyConfig, runs: Sequence[Run], stores: Sequence[RunStore]) -> StudyResults:
    """Compute all figures of a study whose runs are done.

    Raises
    ------
    InputError
        A run's folder cannot be read, or there are too few showers to compare on.
    """
    by_cell: dict[Cell, list[tuple[Run, RunStore]]] = {}
    for run, store in zip(runs, stores, strict=True):
        by_cell.setdefault(run.cell, []).append((run, store))
    cells = [_cell(config, members) for members in by_cell.values()]
    return StudyResults(
        schema=1,
        name=config.name,
        seeds=config.seeds,
        reference=config.reference,
        confidence=config.confidence,
        held_out=str(config.held_out if isinstance(config.held_out, str) else config.held_out.name),
        sha256={"train": runs[0].digests[0], "held_out": runs[0].digests[1]},
        configuration=_plain(config),
        method=_METHOD,
        cells=tuple(_adjusted(cells, 1.0 - config.confidence)),
    )


def _plain(config: StudyConfig) -> dict[str, object]:
    """Return the study as it was asked for, without the folders files lie in."""
    raw = config.model_dump(mode="json", exclude_defaults=True)
    raw.pop("held_out", None)
    for section in (raw, *raw["variants"]):
        if "configuration" in section:
            section["configuration"] = str(section["configuration"]).rsplit("/", 1)[-1]
    return raw


def _cell(config: StudyConfig, members: list[tuple[Run, RunStore]]) -> CellResults:
    loaded = {(run.variant, run.seed): store.load() for run, store in members}
    run = members[0][0]
    first = floor_showers(run)[0]
    strata = np.unique(first.incident_energy, return_inverse=True)[1].astype(np.int64)
    if len(np.unique(strata)) > 0.5 * len(strata):  # a continuous spectrum
        strata = (
            energy_groups(as_sample(first, "held-out"))
            .index(first.incident_energy.astype(np.float64))
            .astype(np.int64)
        )
    names = [variant.name for variant in config.variants]
    log_probs = {
        name: np.stack(rows)
        for name in names
        if (rows := [row for seed in config.seeds if (row := loaded[name, seed][2]) is not None])
    }
    finite = np.ones(len(first), dtype=np.bool_)
    for values in log_probs.values():
        finite &= np.isfinite(values).all(axis=0)
    errors = _shower_errors(log_probs, finite, strata)
    record = loaded[names[0], config.seeds[0]][0]
    return CellResults(
        size=run.cell.size,
        region=run.cell.region,
        n_train=record.n_train,
        n_validation=record.n_validation,
        n_judged=int(finite.sum()),
        n_left_out=int((~finite).sum()),
        floor_auc=_floor([r for r, _ in members if r.variant == names[0]]),
        variants=tuple(
            _variant(
                name,
                config.variant(name).title,
                [loaded[name, seed][0] for seed in config.seeds],
                log_probs[name][:, finite] if name in log_probs else None,
                errors.get(name, 0.0),
            )
            for name in names
        ),
        comparisons=tuple(
            _comparison(
                name,
                config.reference,
                paired_effect(
                    log_probs[name][:, finite] - log_probs[config.reference][:, finite],
                    strata[finite],
                    config.confidence,
                ),
            )
            for name in names
            if name != config.reference and name in log_probs and config.reference in log_probs
        ),
    )


def _shower_errors(
    log_probs: dict[str, NDArray[np.float64]],
    finite: NDArray[np.bool_],
    strata: NDArray[np.int64],
) -> dict[str, float]:
    if not log_probs:
        return {}
    means = np.stack([values[:, finite].mean(axis=0) for values in log_probs.values()])
    errors = stratified_bootstrap(means, strata[finite], seed=_BOOTSTRAP_SEED)
    return dict(zip(log_probs, errors.tolist(), strict=True))


def _variant(
    name: str,
    title: str,
    records: list[RunRecord],
    log_prob: NDArray[np.float64] | None,
    shower_error: float,
) -> VariantResults:
    likelihood = None
    if log_prob is not None:
        by_seed = log_prob.mean(axis=1)
        seed_error = float(by_seed.std(ddof=1)) / len(by_seed) ** 0.5 if len(by_seed) > 1 else None
        likelihood = Likelihood(
            mean=float(by_seed.mean()),
            shower_error=shower_error,
            seed_error=seed_error,
            by_seed=tuple(by_seed.tolist()),
        )
    first = records[0]
    return VariantResults(
        name=name,
        title=title,
        n_parameters=first.n_parameters,
        n_conditioner=first.n_conditioner,
        n_trained=first.n_trained,
        n_features=first.n_features,
        likelihood=likelihood,
        auc=_scatter([auc for record in records for auc in record.aucs]),
        total_separation=_scatter(_known(record.total_separation for record in records)),
        zero_difference=_scatter(_known(record.zero_difference for record in records)),
        layer_distance=_scatter(_known(record.layer_distance for record in records)),
    )


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _scatter(values: Sequence[float]) -> Scatter | None:
    if not values:
        return None
    spread = statistics.stdev(values) if len(values) > 1 else None
    return Scatter(mean=statistics.fmean(values), spread=spread, values=tuple(values))


def _floor(runs: list[Run]) -> Scatter | None:
    """Geant4 against an independent run of Geant4 by the classifiers that judge a variant's runs.

    Equal counts at every energy, drawn for every seed.
    """
    found: list[float] = []
    for run in runs:
        if run.classifier_seeds == 0:
            return None
        first, other = floor_showers(run)
        reference = as_sample(first, "held-out")
        groups = energy_groups(reference)
        counts = np.array([len(rows) for rows in groups.rows(reference)])
        random = np.random.default_rng([run.seed, _FLOOR_STREAM])
        floor = match_counts(as_sample(other, "floor"), groups, counts, random)
        found += aucs(reference, floor, run.classifier_seeds, run.seed)
    return _scatter(found)


def _comparison(variant: str, reference: str, effect: Effect) -> Comparison:
    return Comparison(
        variant=variant,
        reference=reference,
        effect=effect.mean,
        error=effect.error,
        low=effect.low,
        high=effect.high,
        dof=effect.dof,
        p=effect.p,
        p_adjusted=None,
        resolved=False,
    )


def _adjusted(cells: list[CellResults], alpha: float) -> list[CellResults]:
    """Return the cells with Holm's rule applied to all their comparisons together."""
    p = [c.p for cell in cells for c in cell.comparisons if c.p is not None]
    adjusted = iter(holm(p))
    result = []
    for cell in cells:
        comparisons = []
        for comparison in cell.comparisons:
            if comparison.p is None:
                comparisons.append(comparison)
                continue
            value = next(adjusted)
            update = {"p_adjusted": value, "resolved": value < alpha}
            comparisons.append(comparison.model_copy(update=update))
        result.append(cell.model_copy(update={"comparisons": tuple(comparisons)}))
    return result
