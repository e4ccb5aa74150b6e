"""All figures of layer energies: the level ``layers`` of an evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastcaloq_infer.evaluation.evaluate import evaluate
from fastcaloq_infer.evaluation.progress import silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastcaloq_infer.evaluation.progress import Progress
    from fastcaloq_infer.evaluation.results import Evaluation
    from fastcaloq_infer.evaluation.samples.sample import LayerEnergyTable


def evaluate_layer_energies(
    reference: LayerEnergyTable,
    generated: LayerEnergyTable,
    floor_reference: LayerEnergyTable,
    *,
    seeds: int = 5,
    seed: int = 0,
    layer_ids: Sequence[int] | None = None,
    energy_threshold: float = 0.0,
    distances: bool = True,
    progress: Progress = silent,
) -> Evaluation:
    """Compare generated layer energies with Geant4, always beside Geant4 against Geant4.

    Parameters
    ----------
    reference
        Held-out Geant4, ``incident_energy`` (N,) and ``layer_energy`` (N, L), MeV.
    generated
        The model's showers, any number, at the reference's incident energies.
    floor_reference
        An independent Geant4 sample (the training sample, say).
    seeds, seed, layer_ids, energy_threshold, distances, progress
        As in ``evaluate``.

    Raises
    ------
    InputError
        Bad energies or shapes, samples that do not fit together, too few showers.
    """
    return evaluate(
        reference,
        generated,
        floor_reference,
        level="layers",
        seeds=seeds,
        seed=seed,
        layer_ids=layer_ids,
        energy_threshold=energy_threshold,
        distances=distances,
        progress=progress,
    )
