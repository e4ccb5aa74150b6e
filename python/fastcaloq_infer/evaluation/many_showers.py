"""Figures that need many showers: computed, or left out with a note."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastcaloq_infer.evaluation.samples.groups import energy_groups

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.features.high_level import Features
    from fastcaloq_infer.evaluation.progress import Progress
    from fastcaloq_infer.evaluation.results import Distance, Likelihood, Manifold
    from fastcaloq_infer.evaluation.samples.comparison import Comparison


def likelihood_or_note(
    comparison: Comparison, model: Path | str, notes: list[str], progress: Progress
) -> Likelihood | None:
    """Return the likelihood of the reference, before any cut, under a trained flow.

    Raises
    ------
    ModelError, InputError
        There is no such model, or the reference is not what it was trained for.
    """
    from fastcaloq_infer.evaluation.likelihood.held_out import MIN_SHOWERS, likelihood
    from fastcaloq_infer.training.checkpoint import load_flow

    flow, _ = load_flow(model)
    most = int(energy_groups(comparison.held_out).counts(comparison.held_out).max())
    if most < MIN_SHOWERS:
        notes.append(
            f"the likelihood is left out: no incident energy has {MIN_SHOWERS} reference showers, "
            f"{most} at most"
        )
        return None
    return likelihood(flow, comparison.held_out, seed=comparison.seed, progress=progress)


def distances_or_note(
    comparison: Comparison, tables: dict[str, Features], notes: list[str], progress: Progress
) -> tuple[Distance, ...]:
    """Return FPD and KPD on the samples of equal counts."""
    from fastcaloq_infer.evaluation.metrics.distances import MIN_SHOWERS_PER_FEATURE, distances

    name, values = _space(comparison, tables)
    progress("FPD and KPD", 0.0)
    found = distances(*values, features=name, seed=comparison.seed)
    progress("FPD and KPD", 1.0)
    if not found:
        notes.append(
            f"FPD and KPD are left out: {len(values[0])} showers per sample are too few for "
            f"{values[0].shape[1]} features, {MIN_SHOWERS_PER_FEATURE} per feature are needed"
        )
    return found


def manifold_or_note(
    comparison: Comparison, tables: dict[str, Features], notes: list[str], progress: Progress
) -> Manifold | None:
    """Return precision, density, recall and coverage on the samples of equal counts."""
    from fastcaloq_infer.evaluation.metrics.manifold import MIN_SHOWERS, manifold

    name, values = _space(comparison, tables)
    progress("precision, density, recall, coverage", 0.0)
    found = manifold(*values, features=name, seed=comparison.seed)
    progress("precision, density, recall, coverage", 1.0)
    if found is None:
        notes.append(
            f"precision, density, recall and coverage are left out: {len(values[0])} showers per "
            f"sample are too few, {MIN_SHOWERS} are needed"
        )
    return found


def _space(
    comparison: Comparison, tables: dict[str, Features]
) -> tuple[str, list[NDArray[np.float64]]]:
    """Return the space of features in which distances are measured, and the three samples there."""
    name = "high" if comparison.level == "voxels" else "layers"
    return name, [table.values for table in tables.values()]
