"""The conditioner inside a model file, evaluated in C++ with the bits that its sampler uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastcaloq_infer import _core
from fastcaloq_infer.artefact import Card
from fastcaloq_infer.errors import ModelError
from fastcaloq_infer.serving.conditions import eta_everywhere
from fastcaloq_infer.serving.source import Source, nothing_to_serve

if TYPE_CHECKING:
    from pathlib import Path


def file_source(path: Path) -> Source:
    """Open what is inside a model file: its table, its circuit's matrices or its network.

    Raises
    ------
    ModelError
        The file is refused, or has no conditioner inside.
    """
    model = _core.Model(path)
    card = Card.from_json(model.card)
    if not card.n_features:
        raise nothing_to_serve(str(path))
    if card.feature_version is None:
        raise ModelError(
            f"{path} is from before conditioners had versions, so no client could recognise it: "
            "export it again"
        )
    parts = [section for section in card.conditionings if section.features]
    if any(section.mode == "served" and section.table is None for section in parts):
        raise ModelError(
            f"{path} leaves its conditioner to a service and has no table, so it cannot be that "
            "service: serve the checkpoint it was exported from"
        )
    inside = " and ".join(
        "table" if section.table is not None else section.kind for section in parts
    )
    return Source(
        name=card.name,
        version=card.feature_version,
        n_features=card.n_features,
        reach=card.extrapolation,
        description=f"the {inside} in {path.name}, float32",
        rows=lambda energy, eta: model.features(energy, eta, "extrapolate"),
        eta_everywhere=eta_everywhere(card.condition, card.extrapolation),
    )
