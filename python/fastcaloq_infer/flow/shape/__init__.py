"""The shape of a shower: the energies of its voxels, given those of its layers.

Configuration and order of the voxels load without torch; the flow is imported when first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastcaloq_infer.flow.shape.config import ShapeConfig
from fastcaloq_infer.flow.shape.order import VoxelOrder
from fastcaloq_infer.lazy import lazy

if TYPE_CHECKING:
    from fastcaloq_infer.flow.shape.shape_flow import ShapeFlow

__all__ = ["ShapeConfig", "ShapeFlow", "VoxelOrder"]

__getattr__ = lazy(__name__, {"ShapeFlow": "shape_flow"})
