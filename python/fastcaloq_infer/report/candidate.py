"""A generated sample with its figures: what a caller hands to a report. Needs no matplotlib."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastcaloq_infer.evaluation.results import Evaluation
    from fastcaloq_infer.evaluation.samples.sample import LayerEnergyTable


@dataclass(frozen=True)
class Candidate:
    """A generated sample that asks to be taken for Geant4.

    Attributes
    ----------
    label
        Its name in legends and tables, different for every candidate of a report.
    showers
        The generated showers, MeV; with voxels where the `Sample` has them.
    evaluation
        The figures of these showers.
    """

    label: str
    showers: LayerEnergyTable
    evaluation: Evaluation
