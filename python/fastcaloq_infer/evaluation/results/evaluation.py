"""The figures of an evaluation as one tree that goes to JSON and back unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, ValidationError

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.results.base import Figure
from fastcaloq_infer.evaluation.results.classifier import Classifier
from fastcaloq_infer.evaluation.results.layers import (
    Correlation,
    Extreme,
    Response,
    Separation,
    ZeroFraction,
)
from fastcaloq_infer.files import atomic_path

if TYPE_CHECKING:
    from pathlib import Path


class Evaluation(Figure):
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
