"""Trained flows as what goes into a file: a card and weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fastcaloq_infer.artefact.card import Card
from fastcaloq_infer.export.describe import (
    ConditioningMode,
    condition_section,
    extrapolation,
    flow_section,
    shape_section,
)
from fastcaloq_infer.export.parity import parity_vectors
from fastcaloq_infer.export.shape_parity import shape_parity
from fastcaloq_infer.export.shape_weights import shape_initialisers
from fastcaloq_infer.export.stored import Stored, stored
from fastcaloq_infer.export.weights import Initialisers, flow_initialisers

if TYPE_CHECKING:
    from fastcaloq_infer.artefact.shape import CardShape
    from fastcaloq_infer.export.table import FeatureTable
    from fastcaloq_infer.export.trained import Trained


class Model(NamedTuple):
    """A card, the weights, and the tables of the conditioners with their errors.

    The latter are of the energies and, for whole showers, of the shape.
    """

    card: Card
    initialisers: Initialisers
    tables: tuple[FeatureTable | None, ...]
    feature_errors: tuple[float, ...]


def describe_model(trained: Trained, name: str, mode: ConditioningMode, *, fallback: bool) -> Model:
    """Make card and weights of a model; its parity vectors come from float64.

    Raises
    ------
    ModelError
        If a weight is not finite, or float32 cannot represent the flow.
    """
    flow, metadata = trained.flow, trained.metadata
    reach, served = extrapolation(trained.validity), mode == "served"
    conditioners = [
        stored(part, described, mode, reach, prefix, fallback=fallback)
        for prefix, part, described in trained.parts
    ]
    initialisers = flow_initialisers(flow)
    for conditioner in conditioners:
        initialisers |= conditioner.initialisers
    if trained.shape is not None:
        initialisers |= shape_initialisers(trained.shape.flow, condition_section(flow))
    own_mode = conditioners[0].section.mode
    card = Card(
        name=name,
        particle=metadata.particle,
        pdg_id=metadata.pdg_id,
        contents=("layer_energy",) if trained.shape is None else ("layer_energy", "voxel_energy"),
        binning=metadata.binning,
        validity=trained.validity,
        extrapolation=reach,
        condition=condition_section(flow),
        preprocessing=metadata.preprocessing,
        flow=flow_section(flow),
        conditioning=conditioners[0].section,
        training=metadata.training,  # type: ignore[arg-type]  # `together` has looked
        parity=parity_vectors(
            flow, trained.validity, conditioners[0].error, served=own_mode == "served"
        ),
        shape=_shape(trained, conditioners, served=served),
    )
    return Model(
        card,
        initialisers,
        tuple(conditioner.table for conditioner in conditioners),
        tuple(conditioner.error for conditioner in conditioners),
    )


def _shape(trained: Trained, conditioners: list[Stored], *, served: bool) -> CardShape | None:
    if trained.shape is None:
        return None
    flow, metadata = trained.shape.flow, trained.shape.metadata
    energy, shape = conditioners
    parity = shape_parity(
        (trained.flow, flow), trained.validity, (energy.error, shape.error), served=served
    )
    return shape_section(
        flow,
        shape.section,
        metadata.training,  # type: ignore[arg-type]
        parity,
    )
