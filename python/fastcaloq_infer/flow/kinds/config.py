"""The section ``quantum`` of a model of layer energies: one configuration per kind."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Discriminator, Tag

from fastcaloq_infer.conditioning.config import QuantumConfig
from fastcaloq_infer.flow.kinds.born.config import BornConfig
from fastcaloq_infer.flow.kinds.statevector.config import StateVectorConfig
from fastcaloq_infer.flow.kinds.subnet.config import SubnetConfig
from fastcaloq_infer.flow.kinds.swap_test.config import SwapTestConfig

__all__ = ["KINDS", "EnergyQuantumConfig"]

KINDS: Final = {
    kind: f"fastcaloq_infer.flow.kinds.{kind}.model"
    for kind in ("subnet", "born", "statevector", "swap_test")
}
"""Kinds that do more than condition the flow, and the modules whose ``build`` makes their model."""


def _kind(value: object) -> str:
    """Return the tag of a section; whatever conditions the flow has the tag ``conditioner``."""
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return str(kind) if kind in KINDS else "conditioner"


EnergyQuantumConfig = Annotated[
    Annotated[QuantumConfig, Tag("conditioner")]
    | Annotated[SubnetConfig, Tag("subnet")]
    | Annotated[BornConfig, Tag("born")]
    | Annotated[StateVectorConfig, Tag("statevector")]
    | Annotated[SwapTestConfig, Tag("swap_test")],
    Discriminator(_kind),
]
"""Any of them, told apart by ``kind``; without one it is that of a conditioner."""
