"""The model card: everything about a model file that is not a weight (schema 1)."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError, model_validator

from fastcaloq_infer.artefact.architecture import CardConditioning, CardFlow  # noqa: TC001 - pydantic
from fastcaloq_infer.artefact.provenance import Parity, Training  # noqa: TC001 - pydantic
from fastcaloq_infer.artefact.sections import (
    CardBinning,
    CardPreprocessing,
    Condition,
    Ranges,
    Section,
    Units,
)
from fastcaloq_infer.errors import ModelError

SCHEMA: Final = 1
NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
"""A model's name becomes file and folder names."""
_OPTIONAL: Final = (("conditioning", "version"), ("parity", "quantum"))
"""Keys that came after the first files of this schema, left out where they say nothing."""


class Card(Section):
    """What a model file says about itself, checked when it is written and when it is read.

    Energies are in MeV, lengths in mm, angles in radians. Unknown keys, NaN and infinities are
    refused, and so are sections that contradict each other.
    """

    schema_version: Literal[1] = Field(default=SCHEMA, alias="schema")
    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    particle: Annotated[str, Field(min_length=1)]
    pdg_id: int
    contents: tuple[Literal["layer_energy"]] = ("layer_energy",)
    units: Units = Units()
    binning: CardBinning
    validity: Ranges
    extrapolation: Ranges
    condition: Condition
    preprocessing: CardPreprocessing
    flow: CardFlow
    conditioning: CardConditioning
    training: Training
    parity: Parity

    @property
    def n_layers(self) -> int:
        """Number of calorimeter layers, the columns of ``layer_energy`` and ``z_energy``."""
        return len(self.binning.layers)

    @property
    def layer_ids(self) -> tuple[int, ...]:
        """Layer numbers in column order."""
        return tuple(layer.id for layer in self.binning.layers)

    @model_validator(mode="after")
    def _sections_agree(self) -> Card:
        n = self.n_layers
        if len(self.preprocessing.coordinates) != n:
            raise ValueError(
                f"preprocessing has {len(self.preprocessing.coordinates)} coordinates "
                f"for {n} layers"
            )
        for index, block in enumerate(self.flow.blocks):
            if block.passive + block.active != n:
                raise ValueError(
                    f"flow block {index} splits {n} layers into {block.passive} + {block.active}"
                )
        for name, rows, width in (
            ("z_energy", self.parity.z_energy, n),
            ("layer_energy", self.parity.layer_energy, n),
            ("quantum", self.parity.quantum or (), self.conditioning.features),
        ):
            if any(len(row) != width for row in rows):
                raise ValueError(f"parity.{name} needs {width} numbers per row")
        if (self.parity.quantum is not None) != (self.conditioning.mode == "served"):
            raise ValueError("parity.quantum belongs to models whose conditioning is served")
        if not self.extrapolation.contains(self.validity):
            raise ValueError("the range of extrapolation does not contain the range of validity")
        return self

    def to_json(self) -> str:
        """Return the card as compact JSON with sorted keys (the same card, the same text)."""
        content = self.model_dump(mode="json", by_alias=True)
        for section, key in _OPTIONAL:
            if content[section][key] is None:
                del content[section][key]
        return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Card:
        """Read and check a card.

        Raises
        ------
        ModelError
            If the text is no card, comes from a newer schema, has unknown keys, or is
            inconsistent; the message names the place.
        """
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ModelError(
                f"the model card is no JSON ({error}): the file is damaged; export it again"
            ) from None
        _check_schema(content)
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise ModelError(_one_line(error)) from None


def _check_schema(content: Any) -> None:
    found = content.get("schema") if isinstance(content, dict) else None
    if type(found) is not int or found < 1:
        raise ModelError(
            "the model card names no schema version: this is no FastCaloQ model; "
            "export one with `fastcaloq export-onnx`"
        )
    if found > SCHEMA:
        raise ModelError(
            f"the model card has schema {found}, this version reads up to {SCHEMA}: "
            "the model is newer than the program; upgrade fastcaloq-infer"
        )


def _one_line(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    first = problems[0]
    place = ".".join(str(part) for part in first["loc"]) or "card"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = "unknown key"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return (
        f"model card: {place}: {message}{more}: the file cannot be trusted; "
        "export it again or upgrade fastcaloq-infer"
    )
