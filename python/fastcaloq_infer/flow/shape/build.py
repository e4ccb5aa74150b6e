"""The flow of voxels that a configuration describes, of either kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastcaloq_infer.flow.shape.config import CouplingShapeConfig, ShapeConfig
from fastcaloq_infer.flow.shape.coupling import CouplingShapeFlow
from fastcaloq_infer.flow.shape.shape_flow import ShapeFlow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastcaloq_infer.conditioning import Conditioner
    from fastcaloq_infer.flow.condition import Validity
    from fastcaloq_infer.flow.shape.grid import Layer

__all__ = ["build_voxel_flow"]


def build_voxel_flow(
    config: ShapeConfig | CouplingShapeConfig,
    layers: Sequence[Layer],
    validity: Validity,
    conditioner: Conditioner,
) -> ShapeFlow | CouplingShapeFlow:
    """Return a flow with random weights; parameters as of the two classes."""
    if isinstance(config, CouplingShapeConfig):
        return CouplingShapeFlow(config, layers, validity, conditioner)
    return ShapeFlow(config, layers, validity, conditioner)
