"""Figures that need many showers: computed, or left out with a note."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from fastcaloq_infer.errors import InputError, ModelError
from fastcaloq_infer.evaluation.samples.groups import energy_groups

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.features.high_level import Features
    from fastcaloq_infer.evaluation.progress import Progress
    from fastcaloq_infer.evaluation.results import (
        Distance,
        Likelihood,
        Manifold,
        ShapeLikelihood,
    )
    from fastcaloq_infer.evaluation.samples.comparison import Comparison


def likelihoods(
    comparison: Comparison, model: Path | str, notes: list[str], progress: Progress
) -> tuple[Likelihood | None, ShapeLikelihood | None]:
    """Return the likelihood of the reference, before any cut, under the flows of a model.

    Of its layer energies, of its voxels, or of both, as the model has flows of them.

    Raises
    ------
    ModelError, InputError
        There is no such model, or the reference is not what it was trained for.
    """
    from fastcaloq_infer.evaluation.likelihood.energies import MIN_SHOWERS
    from fastcaloq_infer.training.checkpoint import load_flow, load_shape

    energies = voxels = None
    try:
        energies, _ = load_flow(model)
    except ModelError as error:
        try:
            voxels, _ = load_shape(model)
        except ModelError:
            raise error from None  # of the kind that most models are
    if voxels is None and comparison.held_out.voxel_energy is not None:
        with suppress(ModelError):  # most models have no flow of voxels
            voxels, _ = load_shape(model)
    held_out = comparison.held_out
    most = int(energy_groups(held_out).counts(held_out).max())
    if most < MIN_SHOWERS:
        notes.append(
            f"the likelihood is left out: no incident energy has {MIN_SHOWERS} reference showers, "
            f"{most} at most"
        )
        return None, None
    of_energies = of_voxels = None
    if energies is not None:
        from fastcaloq_infer.evaluation.likelihood.held_out import likelihood
        from fastcaloq_infer.flow import EnergyFlow

        if not isinstance(energies, EnergyFlow):
            raise InputError(
                f"{model} has no latents to look at (it is no flow), so its likelihood is not "
                "broken down; leave out --model"
            )

        of_energies = likelihood(energies, held_out, seed=comparison.seed, progress=progress)
    if voxels is not None:
        from fastcaloq_infer.evaluation.likelihood.whole_showers import shape_likelihood

        of_voxels = shape_likelihood(voxels, held_out, seed=comparison.seed, progress=progress)
        notes.extend(of_voxels.notes)
    return of_energies, of_voxels


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
