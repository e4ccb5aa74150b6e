"""What a checkpoint says about itself: all that is needed to rebuild the flow."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from fastcaloq_infer.artefact.provenance import Training  # noqa: TC001  pydantic reads it
from fastcaloq_infer.artefact.sections import (
    BinningLayer,
    CardBinning,
    CardPreprocessing,
    Coordinate,
    Ranges,
    Section,
)
from fastcaloq_infer.conditioning import QuantumConfig
from fastcaloq_infer.errors import ConfigError, ModelError
from fastcaloq_infer.flow.config import FlowConfig  # noqa: TC001  pydantic reads it
from fastcaloq_infer.flow.kinds.config import EnergyQuantumConfig  # noqa: TC001  pydantic reads it
from fastcaloq_infer.flow.shape.config import VoxelFlowConfig  # noqa: TC001  pydantic reads it
from fastcaloq_infer.preprocessing.fit import FittedConstants

if TYPE_CHECKING:
    from fastcaloq_infer.data import Binning
    from fastcaloq_infer.preprocessing.energies import EnergyPreprocessing

__all__ = [
    "FlowMetadata",
    "ModelMetadata",
    "ShapeMetadata",
    "binning_section",
    "constants_of",
    "preprocessing_section",
]

_CONTENTS = {"energy_flow": "layer energies", "shape_flow": "voxels, given layer energies"}


class _Kind(BaseModel):
    """The one key that is read before all others."""

    kind: str = ""


class FlowMetadata(Section):
    """Header of ``model.safetensors``; units MeV and mm. The sections are those of the card.

    Attributes
    ----------
    eta_dependent
        False for a model trained at a single eta, which stands for the range it is valid for.
    training
        None in a checkpoint of a training that has not looked at its held-out showers yet.
    """

    KIND: ClassVar[str]
    TO_GIVE: ClassVar[str]

    schema_version: Literal[1] = Field(default=1, alias="schema")
    name: str
    particle: str
    pdg_id: int
    binning: CardBinning
    validity: Ranges
    eta_dependent: bool = True
    quantum: EnergyQuantumConfig
    training: Training | None

    @property
    def conditioning(self) -> QuantumConfig:
        """What conditions the flow; nothing where the kind is more than a conditioner."""
        quantum = self.quantum
        return quantum if isinstance(quantum, QuantumConfig) else QuantumConfig(kind="none")

    def to_json(self) -> str:
        """Return the metadata as JSON; :meth:`from_json` gives back the same numbers."""
        return self.model_dump_json(by_alias=True)

    @classmethod
    def from_json(cls, text: str, source: str) -> Self:
        """Read the metadata of the file ``source``.

        Raises
        ------
        ModelError
            Not the metadata of such a flow, or of another version of this package.
        """
        try:
            kind = _Kind.model_validate_json(text).kind
            if kind in _CONTENTS and kind != cls.KIND:
                raise ModelError(
                    f"{source} is a flow of {_CONTENTS[kind]}, but one of {_CONTENTS[cls.KIND]} is "
                    f"needed here; {cls.TO_GIVE}"
                )
            return cls.model_validate_json(text)
        except (ValidationError, ConfigError) as error:
            if isinstance(error, ValidationError):
                first = error.errors(include_url=False)[0]
                place = ".".join(str(part) for part in first["loc"]) or "metadata"
                reason = f"{place}: {first['msg'].removeprefix('Value error, ')}"
            else:  # the circuit speaks for itself
                reason = str(error)
            raise ModelError(
                f"{source}: {reason}: the checkpoint is damaged or from another "
                "version of fastcaloq-infer; train it again or install the version it came from"
            ) from error


class ModelMetadata(FlowMetadata):
    """Metadata of a flow of layer energies."""

    KIND = "energy_flow"
    TO_GIVE = "give the run of a configuration without 'model: shape'"

    kind: Literal["energy_flow"] = "energy_flow"
    preprocessing: CardPreprocessing
    flow: FlowConfig


class ShapeMetadata(FlowMetadata):
    """Metadata of a flow of voxels given layer energies."""

    KIND = "shape_flow"
    TO_GIVE = "give the run of a configuration with 'model: shape'"

    kind: Literal["shape_flow"] = "shape_flow"
    shape: VoxelFlowConfig
    quantum: QuantumConfig


def binning_section(binning: Binning) -> CardBinning:
    """Return a binning as the card has it."""
    return CardBinning(
        name=binning.name,
        layers=tuple(
            BinningLayer(id=layer.id, r_edges=layer.r_edges, n_alpha=layer.n_alpha)
            for layer in binning.layers
        ),
    )


def preprocessing_section(preprocessing: EnergyPreprocessing) -> CardPreprocessing:
    """Return the constants of a (float64) preprocessing as the card has them."""
    columns = {
        name: getattr(preprocessing, name).double().tolist()
        for name in ("mean", "scale", "lower", "upper", "ceiling", "sharpness")
    }
    return CardPreprocessing(
        layer_order=tuple(preprocessing.layer_order.tolist()),
        n_absolute=preprocessing.n_absolute,
        energy_threshold=preprocessing.energy_threshold,
        zero_width=preprocessing.zero_width,
        zero_gap=preprocessing.zero_gap,
        knots=tuple(preprocessing.knots.double().tolist()),
        coordinates=tuple(
            Coordinate(
                mean=tuple(mean),
                scale=tuple(scale),
                lower=lower if np.isfinite(lower) else None,
                upper=upper if np.isfinite(upper) else None,
                ceiling=ceiling if np.isfinite(ceiling) else None,
                sharpness=sharpness,
            )
            for mean, scale, lower, upper, ceiling, sharpness in zip(*columns.values(), strict=True)
        ),
    )


def constants_of(section: CardPreprocessing) -> FittedConstants:
    """Return the constants that :func:`preprocessing_section` wrote down, in float64."""
    rows = section.coordinates

    def column(values: list[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array(values, dtype=np.float64)

    return FittedConstants(
        layer_order=np.array(section.layer_order, dtype=np.int64),
        n_absolute=section.n_absolute,
        energy_threshold=section.energy_threshold,
        zero_width=section.zero_width,
        zero_gap=section.zero_gap,
        knots=np.array(section.knots, dtype=np.float64),
        mean=np.array([row.mean for row in rows], dtype=np.float64),
        scale=np.array([row.scale for row in rows], dtype=np.float64),
        lower=column([-np.inf if row.lower is None else row.lower for row in rows]),
        upper=column([np.inf if row.upper is None else row.upper for row in rows]),
        ceiling=column([np.inf if row.ceiling is None else row.ceiling for row in rows]),
        sharpness=column([row.sharpness for row in rows]),
    )
