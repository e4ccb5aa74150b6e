"""What the trainings took: measured, so kept apart from what a study found."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastcaloq_infer.study.matrix import Run
    from fastcaloq_infer.study.store import RunStore

__all__ = ["StudyTimes", "VariantTimes", "collect_times"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class VariantTimes(_Strict):
    """Mean over seeds; trainings that were interrupted and continued do not count.

    Attributes
    ----------
    fit_cpu, fit_wall
        Seconds of a training: CPU time of its one thread, and by the clock; None where every
        training was interrupted.
    sample_cpu
        CPU microseconds per shower of the learner's own sampler (not of an exported model).
    """

    size: str
    region: str
    variant: str
    fit_cpu: float | None
    fit_wall: float | None
    sample_cpu: float


class StudyTimes(_Strict):
    """``times.json``: CPU time in seconds of all trainings, and per variant."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    fit_cpu_total: float
    n_interrupted: int
    variants: tuple[VariantTimes, ...]

    def of(self, size: str, region: str, variant: str) -> VariantTimes:
        """Return the times of one variant."""
        return next(
            t for t in self.variants if (t.size, t.region, t.variant) == (size, region, variant)
        )


def collect_times(runs: Sequence[Run], stores: Sequence[RunStore]) -> StudyTimes:
    """Average the times of all runs over their seeds."""
    by_variant: dict[tuple[str, str, str], list[RunStore]] = {}
    for run, store in zip(runs, stores, strict=True):
        key = (run.cell.size, run.cell.region, run.variant)
        by_variant.setdefault(key, []).append(store)
    variants, total, interrupted = [], 0.0, 0
    for (size, region, variant), members in by_variant.items():
        times = [store.load()[1] for store in members]
        cpu = [t.fit_cpu for t in times if t.fit_cpu is not None]
        wall = [t.fit_wall for t in times if t.fit_wall is not None]
        total += sum(cpu)
        interrupted += len(times) - len(cpu)
        sampling = sum(t.sample_cpu for t in times) / sum(t.n_sampled for t in times)
        variants.append(
            VariantTimes(
                size=size,
                region=region,
                variant=variant,
                fit_cpu=round(statistics.fmean(cpu), 2) if cpu else None,
                fit_wall=round(statistics.fmean(wall), 2) if wall else None,
                sample_cpu=round(1e6 * sampling, 2),
            )
        )
    return StudyTimes(
        schema=1,
        fit_cpu_total=round(total, 1),
        n_interrupted=interrupted,
        variants=tuple(variants),
    )
