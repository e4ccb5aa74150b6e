"""The model card: everything about a model file that is not a weight (schema 1)."""

from __future__ import annotations

import hashlib
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
from fastcaloq_infer.artefact.shape import CardShape  # noqa: TC001 - pydantic
from fastcaloq_infer.errors import ModelError

SCHEMA: Final = 1
NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
"""A model's name becomes file and folder names."""
_OPTIONAL: Final = (
    ("shape",),
    ("flow", "subnet"),
    ("conditioning", "version"),
    ("parity", "quantum"),
    ("shape", "conditioning", "version"),
    ("shape", "parity", "quantum"),
)
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
    contents: (
        tuple[Literal["layer_energy"]] | tuple[Literal["layer_energy"], Literal["voxel_energy"]]
    ) = ("layer_energy",)
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
    shape: CardShape | None = None

    @property
    def n_layers(self) -> int:
        """Number of calorimeter layers, the columns of ``layer_energy`` and ``z_energy``."""
        return len(self.binning.layers)

    @property
    def layer_ids(self) -> tuple[int, ...]:
        """Layer numbers in column order."""
        return tuple(layer.id for layer in self.binning.layers)

    @property
    def n_voxels(self) -> int:
        """Columns of ``voxel_energy`` and ``z_shape``; 0 for a model of the energies alone."""
        return 0 if self.shape is None else self.binning.n_voxels

    @property
    def served(self) -> bool:
        """Whether the features are an input, ``quantum``, of the graph."""
        return "served" in (section.mode for section in self.conditionings)

    @property
    def n_features(self) -> int:
        """Columns of ``quantum``: features of the energies' conditioner, then of the shape's."""
        return sum(section.features for section in self.conditionings)

    @property
    def feature_version(self) -> str | None:
        """What names all conditioners of the model, see `joint_version`; None: there is none."""
        shape = None if self.shape is None else self.shape.conditioning.version
        return joint_version(self.conditioning.version, shape)

    @property
    def conditionings(self) -> list[CardConditioning]:
        """Conditioning of the energies and, where there is one, of the shape."""
        shape = [] if self.shape is None else [self.shape.conditioning]
        return [self.conditioning, *shape]

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

    @model_validator(mode="after")
    def _shape_agrees(self) -> Card:
        if (self.shape is not None) != ("voxel_energy" in self.contents):
            raise ValueError("contents lists voxel_energy exactly where there is a shape")
        if self.shape is None:
            return self
        if all(layer.n_voxels < 2 for layer in self.binning.layers):
            raise ValueError("no layer has two voxels that a shape could tell apart")
        modes = {section.mode for section in self.conditionings} - {"none"}
        if len(modes) > 1:
            raise ValueError(f"energies and shape are conditioned in two modes: {sorted(modes)}")
        parity = self.shape.parity
        for name, rows, width in (
            ("z_energy", parity.z_energy, self.n_layers),
            ("layer_energy", parity.layer_energy, self.n_layers),
            ("z_shape", parity.z_shape, self.n_voxels),
            ("voxel_energy", parity.voxel_energy, self.n_voxels),
            ("quantum", parity.quantum or (), self.n_features),
        ):
            if any(len(row) != width for row in rows):
                raise ValueError(f"shape.parity.{name} needs {width} numbers per row")
        if (parity.quantum is not None) != self.served:
            raise ValueError("shape.parity.quantum belongs to models whose conditioning is served")
        return self

    def to_json(self) -> str:
        """Return the card as compact JSON with sorted keys (the same card, the same text)."""
        content = self.model_dump(mode="json", by_alias=True)
        for *sections, key in _OPTIONAL:
            place = content
            for section in sections:
                place = place.get(section) or {}
            if place.get(key, ...) is None:
                del place[key]
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


def joint_version(energy: str | None, shape: str | None) -> str | None:
    """Return 16 hexadecimal digits that name the conditioners of energies and shape together.

    The energies' own where the shape has none, else the first digits of the SHA-256 of both, "none"
    for one that is not there, with a blank between them. None: there is no conditioner.
    """
    if shape is None:
        return energy
    return hashlib.sha256(f"{energy or 'none'} {shape}".encode()).hexdigest()[:16]


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
