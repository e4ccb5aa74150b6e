"""The figures of an evaluation as one tree that goes to JSON and back unchanged.

Energies in MeV. Where a figure cannot be computed (too few showers) it is ``None``, never 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.files import atomic_path

if TYPE_CHECKING:
    from pathlib import Path

Matrix = tuple[tuple[float | None, ...], ...]


class _Figure(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Separation(_Figure):
    """Separation power of one feature at one incident energy, between equal counts.

    ``floor`` is Geant4 against the floor sample; ``floor_mean``, ``floor_spread`` and
    ``floor_upper`` (99 %) describe Geant4 against Geant4 over permuted labels.
    """

    feature: str
    incident_energy: float
    showers: int
    bins: int
    value: float
    error: float
    floor: float
    floor_mean: float
    floor_spread: float
    floor_upper: float

    @property
    def ratio(self) -> float:
        """Separation in units of the mean floor; 1 for samples of the same distribution."""
        return self.value / self.floor_mean if self.floor_mean > 0 else float(self.value > 0) + 1.0


class ZeroFraction(_Figure):
    """Fraction of showers that leave a layer empty."""

    layer: int
    incident_energy: float
    reference: float
    reference_error: float
    generated: float
    generated_error: float
    floor: float
    floor_error: float

    @property
    def difference(self) -> float:
        """Generated minus reference."""
        return self.generated - self.reference

    @property
    def difference_error(self) -> float:
        """Standard error of the difference."""
        return float((self.generated_error**2 + self.reference_error**2) ** 0.5)


class Moments(_Figure):
    """Mean of E_tot/E_inc (response) and its standard deviation over mean (resolution)."""

    response: float
    response_error: float
    resolution: float
    resolution_error: float


class Response(_Figure):
    """Response and resolution of the three samples at one incident energy."""

    incident_energy: float
    reference: Moments
    generated: Moments
    floor: Moments


class Extreme(_Figure):
    """Largest E_tot/E_inc of the samples at one incident energy, and showers that run away.

    A shower runs away if its total is more than twice the largest of both Geant4 samples: one in
    100,000 is invisible in every histogram and ruins an event. ``floor_runaways`` counts reference
    showers above twice the floor sample's largest.
    """

    incident_energy: float
    reference: float
    generated: float
    floor: float
    runaways: int
    floor_runaways: int


class Correlation(_Figure):
    """Pearson correlations of the layer energies at one incident energy, shape (L, L)."""

    incident_energy: float
    reference: Matrix
    generated: Matrix
    floor: Matrix
    largest_difference: float | None
    floor_largest_difference: float | None


class Auc(_Figure):
    """Classifier AUC over seeds: mean, and standard deviation between seeds."""

    values: tuple[float, ...]
    mean: float
    spread: float


class Classifier(_Figure):
    """Reference against generated, and against the floor sample by the same procedure."""

    kind: str
    showers_per_sample: int
    generated: Auc
    floor: Auc


class Evaluation(_Figure):
    """All figures of one generated sample."""

    schema_version: int = Field(default=1, ge=1, le=1)
    layer_ids: tuple[int, ...]
    incident_energies: tuple[float, ...]
    reference_showers: int
    generated_showers: int
    floor_showers: int
    compared_showers: tuple[int, ...]
    energy_threshold: float
    seed: int
    separations: tuple[Separation, ...]
    zero_fractions: tuple[ZeroFraction, ...]
    responses: tuple[Response, ...]
    extremes: tuple[Extreme, ...]
    correlations: tuple[Correlation, ...]
    classifier: Classifier | None

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
