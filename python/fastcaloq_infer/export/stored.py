"""A conditioner as it is stored in the file: a table, itself, or a name for a service."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, get_args

from fastcaloq_infer.artefact.architecture import EMBEDDABLE, CardConditioning
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.export.describe import (
    ConditioningMode,
    condition_section,
    conditioning_section,
)
from fastcaloq_infer.export.features import TABLE
from fastcaloq_infer.export.table import FeatureTable, build_table
from fastcaloq_infer.export.weights import Initialisers, embedded_initialisers

if TYPE_CHECKING:
    from fastcaloq_infer.artefact.sections import Ranges
    from fastcaloq_infer.export.trained import Trained
    from fastcaloq_infer.flow import EnergyFlow
    from fastcaloq_infer.flow.shape.shape_flow import ShapeFlow
    from fastcaloq_infer.training.metadata import FlowMetadata


class Stored(NamedTuple):
    """Section of the card, weights, and the table with the error of its features (or 0)."""

    section: CardConditioning
    initialisers: Initialisers
    table: FeatureTable | None
    error: float


def check_mode(trained: Trained, mode: str) -> None:
    """Raise ``InputError`` where the conditioners cannot be stored in that way."""
    modes = get_args(ConditioningMode)
    if mode not in modes:
        raise InputError(
            f"conditioning {mode!r} is unknown: the file could not be written; choose "
            f"{', '.join(modes[:-1])} or {modes[-1]}"
        )
    kinds = [flow.conditioner.kind for _, flow, _ in trained.parts]
    for kind in kinds:
        if mode == "embedded" and kind not in (*EMBEDDABLE, "none"):
            raise InputError(
                f"a conditioner of kind {kind!r} has no form that goes into a graph, so it cannot "
                "be embedded: choose precomputed or served"
            )
    if mode == "served" and trained.metadata.quantum.kind == "subnet":
        raise InputError(
            "the circuits of kind 'subnet' see the coordinates of each shower, not its energy "
            "alone, so no service can be asked for their features beforehand: leave out "
            "--conditioning served"
        )
    if mode == "served" and all(kind == "none" for kind in kinds):
        raise InputError(
            "this model has no conditioner, so there is nothing a service could be asked for: "
            "leave out --conditioning served"
        )
    scalings = {str(condition_section(flow)) for _, flow, _ in trained.parts}
    if mode == "embedded" and kinds[-1] != "none" and len(scalings) > 1:
        raise InputError(
            "energies and shapes were trained over different ranges, so one embedded condition "
            "cannot serve both: choose precomputed, or train both on the same showers"
        )


def stored(
    flow: EnergyFlow | ShapeFlow,
    metadata: FlowMetadata,
    mode: ConditioningMode,
    reach: Ranges,
    prefix: str,
    *,
    fallback: bool,
) -> Stored:
    """Store the conditioner of a flow (float64); its weights' names begin with ``prefix``."""
    initialisers: Initialisers = {}
    table = None
    if flow.conditioner.n_features == 0:
        pass
    elif mode == "precomputed" or (mode == "served" and fallback):
        table = build_table(flow, reach)
        initialisers[prefix + TABLE] = table.values
    elif mode == "embedded":
        initialisers = embedded_initialisers(flow.conditioner, prefix)
    section = conditioning_section(flow, metadata, mode, table.card if table else None)
    error = table.card.max_error if table and mode != "served" else 0.0
    return Stored(section, initialisers, table, error)
