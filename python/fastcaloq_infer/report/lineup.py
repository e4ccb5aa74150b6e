"""What a report compares: the reference, its floor, and one or more generated samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.samples.groups import EnergyGroups, energy_groups
from fastcaloq_infer.evaluation.samples.sample import Sample, as_sample
from fastcaloq_infer.report.style import MARKERS, SERIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.results import Evaluation
    from fastcaloq_infer.evaluation.samples.sample import LayerEnergyTable
    from fastcaloq_infer.report.candidate import Candidate


@dataclass(frozen=True)
class Model:
    """A candidate with its place in the pictures.

    Attributes
    ----------
    label, colour, marker
        The same in every picture of a report.
    evaluation
        Its figures.
    """

    label: str
    colour: str
    marker: str
    evaluation: Evaluation

    @property
    def simulation(self) -> str:
        """What made the reference: its name in legends."""
        return self.evaluation.names.simulation


@dataclass(frozen=True)
class Lineup:
    """Samples that share binning and groups, ready to be drawn.

    Attributes
    ----------
    reference
        Held-out showers of the simulation.
    floor
        An independent sample of the simulation, or None.
    models, samples
        The candidates and their showers, one by one.
    groups
        Groups of incident energy, made of the reference.
    layer_ids
        Names of the L layers.
    """

    reference: Sample
    floor: Sample | None
    models: tuple[Model, ...]
    samples: tuple[Sample, ...]
    groups: EnergyGroups
    layer_ids: tuple[int, ...]

    @property
    def has_voxels(self) -> bool:
        """Whether every sample knows its voxels."""
        return all(sample.voxel_energy is not None for sample in self.everyone())

    def everyone(self) -> list[Sample]:
        """Return the reference, every generated sample and, last, the floor if there is one."""
        return [self.reference, *self.samples, *([] if self.floor is None else [self.floor])]

    def weights(self, sample: Sample) -> NDArray[np.float64]:
        """Return weights (N,) that give a sample the reference's mixture of energies."""
        return mixture_weights(self.reference, sample, self.groups)


def second(models: Sequence[Model]) -> str:
    """Return what the floor sample is called in legends."""
    return f"second {models[0].simulation} sample"


def against_itself(models: Sequence[Model]) -> str:
    """Return what the floor is called in legends."""
    return f"{models[0].simulation} against {models[0].simulation}"


def line_up(
    reference: LayerEnergyTable,
    candidates: Sequence[Candidate],
    floor: LayerEnergyTable | None = None,
) -> Lineup:
    """Check the samples, give every candidate a colour, leave out energies that not all have.

    Raises
    ------
    InputError
        No candidate, more than there are colours, two of one name, samples or figures that belong
        to different detectors, unusable showers, no common energy.
    """
    _check(candidates)
    first = candidates[0].evaluation

    def prepared(table: LayerEnergyTable, role: str) -> Sample:
        sample = as_sample(table, role, threshold=first.energy_threshold, level=first.level)
        return sample.cut(first.voxel_threshold)

    checked = prepared(reference, "reference")
    samples = tuple(prepared(c.showers, c.label) for c in candidates)
    other = None if floor is None else prepared(floor, "floor")
    groups = energy_groups(checked)
    everyone = [checked, *samples, *([] if other is None else [other])]
    common = np.all([groups.counts(sample) > 0 for sample in everyone], axis=0)
    if not common.any():
        raise InputError(
            "the samples have no incident energy in common: there is nothing to draw; generate "
            "showers at the reference's energies"
        )
    if not common.all() and groups.discrete:
        groups = groups.keep(common)
        checked = checked.take(groups.contains(checked))
    return Lineup(
        reference=checked,
        floor=other,
        models=tuple(
            Model(c.label, SERIES[i], MARKERS[i], c.evaluation) for i, c in enumerate(candidates)
        ),
        samples=samples,
        groups=groups,
        layer_ids=first.layer_ids,
    )


def _check(candidates: Sequence[Candidate]) -> None:
    if not 1 <= len(candidates) <= len(SERIES):
        raise InputError(
            f"a report compares 1 to {len(SERIES)} generated samples, got {len(candidates)}: more "
            "could not be told apart; make several reports"
        )
    labels = [candidate.label for candidate in candidates]
    if len(set(labels)) < len(labels):
        raise InputError(f"two generated samples have one name ({', '.join(labels)}); rename one")
    first = candidates[0].evaluation
    for candidate in candidates[1:]:
        other = candidate.evaluation
        if (other.layer_ids, other.level) != (first.layer_ids, first.level):
            raise InputError(
                f"{candidate.label!r} was evaluated by {other.level} in layers {other.layer_ids}, "
                f"{labels[0]!r} by {first.level} in {first.layer_ids}: they cannot share a "
                "picture; evaluate both against one reference"
            )


def mixture_weights(reference: Sample, sample: Sample, groups: EnergyGroups) -> NDArray[np.float64]:
    """Return weights (N,) that give a sample the reference's mixture of incident energies."""
    weights = np.zeros(sample.n_showers)
    for ref, rows in zip(groups.rows(reference), groups.rows(sample), strict=True):
        weights[rows] = len(ref) / max(len(rows), 1)
    return weights
