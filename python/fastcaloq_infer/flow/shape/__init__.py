"""The shape of a shower: the energies of its voxels, given those of its layers.

Configuration and order of the voxels load without torch; the flow is imported when first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastcaloq_infer.flow.shape.config import CouplingShapeConfig, ShapeConfig, VoxelFlowConfig
from fastcaloq_infer.flow.shape.order import VoxelOrder
from fastcaloq_infer.lazy import lazy

if TYPE_CHECKING:
    from fastcaloq_infer.flow.shape.build import build_voxel_flow
    from fastcaloq_infer.flow.shape.coupling import CouplingShapeFlow
    from fastcaloq_infer.flow.shape.shape_flow import ShapeFlow
    from fastcaloq_infer.flow.shape.voxel_flow import VoxelFlow

__all__ = [
    "CouplingShapeConfig",
    "CouplingShapeFlow",
    "ShapeConfig",
    "ShapeFlow",
    "VoxelFlow",
    "VoxelFlowConfig",
    "VoxelOrder",
    "build_voxel_flow",
]

__getattr__ = lazy(
    __name__,
    {
        "CouplingShapeFlow": "coupling",
        "ShapeFlow": "shape_flow",
        "VoxelFlow": "voxel_flow",
        "build_voxel_flow": "build",
    },
)
