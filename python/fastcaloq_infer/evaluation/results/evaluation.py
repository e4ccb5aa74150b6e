"""The figures of an evaluation as one tree that goes to JSON and back unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationError

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.results.base import Figure
from fastcaloq_infer.evaluation.results.classifier import Classifier
from fastcaloq_infer.evaluation.results.distances import Distance, Manifold
from fastcaloq_infer.evaluation.results.features import ChiSquare, FeatureSeparation, Wasserstein
from fastcaloq_infer.evaluation.results.layers import (
    Correlation,
    Extreme,
    Occupancy,
    Response,
    Separation,
    ZeroFraction,
)
from fastcaloq_infer.evaluation.results.likelihood import Likelihood
from fastcaloq_infer.evaluation.results.shape_likelihood import ShapeLikelihood
from fastcaloq_infer.evaluation.results.shapes import LayerSum, Profile
from fastcaloq_infer.files import atomic_path

if TYPE_CHECKING:
    from pathlib import Path


class Names(Figure):
    """What people call the three samples, and the simulation that the reference comes from."""

    reference: str
    generated: str
    floor: str
    simulation: str = "Geant4"


class Evaluation(Figure):
    """All figures of one generated sample.

    ``generated`` compares it with the reference, ``floor`` an independent sample of the reference
    with the reference, by the same procedure and with the same counts. ``notes`` say in sentences
    what was adjusted or left out, and why; a figure that is left out is absent, never 0.

    Attributes
    ----------
    level
        ``layers``: layer energies only; ``voxels``: whole showers.
    binning
        Name of the voxelisation, None at level ``layers``.
    reference_showers, generated_showers, floor_showers
        Showers in the samples.
    compared_showers
        Showers of each sample per incident energy where the figures need equal counts.
    energy_threshold, voxel_threshold
        Energies (MeV) at or below which a layer, below which a voxel counts as empty.
    separations
        Per feature and incident energy, in quantiles of the reference.
    features
        Per high-level feature over all incident energies, in the challenge's binning.
    occupancies, profiles
        Of whole showers: per layer (and axis) and incident energy.
    layer_sums
        Per layer, where the generated showers state layer energies beside their voxels.
    """

    schema_version: int = Field(default=2, ge=2, le=2)
    level: Literal["layers", "voxels"]
    names: Names
    binning: str | None
    layer_ids: tuple[int, ...]
    incident_energies: tuple[float, ...]
    reference_showers: int
    generated_showers: int
    floor_showers: int
    compared_showers: tuple[int, ...]
    energy_threshold: float
    voxel_threshold: float
    seed: int
    notes: tuple[str, ...]
    separations: tuple[Separation, ...]
    features: tuple[FeatureSeparation, ...]
    wassersteins: tuple[Wasserstein, ...]
    chi_squares: tuple[ChiSquare, ...]
    zero_fractions: tuple[ZeroFraction, ...]
    responses: tuple[Response, ...]
    extremes: tuple[Extreme, ...]
    correlations: tuple[Correlation, ...]
    occupancies: tuple[Occupancy, ...] = ()
    profiles: tuple[Profile, ...] = ()
    layer_sums: tuple[LayerSum, ...] = ()
    classifiers: tuple[Classifier, ...] = ()
    distances: tuple[Distance, ...] = ()
    manifold: Manifold | None = None
    likelihood: Likelihood | None = None
    shape_likelihood: ShapeLikelihood | None = None

    @property
    def classifier(self) -> Classifier | None:
        """The first classifier, if there is one."""
        return self.classifiers[0] if self.classifiers else None

    def to_json(self) -> str:
        """Return the whole tree as indented JSON."""
        return self.model_dump_json(indent=1)

    @classmethod
    def from_json(cls, text: str) -> Evaluation:
        """Read the tree back; unknown keys are refused.

        Raises
        ------
        InputError
            The text is not an evaluation.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the text"
            raise InputError(
                f"this is not an evaluation: {where}: {first['msg']}; "
                "give the JSON file that an evaluation wrote"
            ) from error

    def save(self, path: Path | str) -> None:
        """Write the JSON, completely or not at all."""
        with atomic_path(path) as temporary:
            temporary.write_text(self.to_json() + "\n", encoding="utf-8")
