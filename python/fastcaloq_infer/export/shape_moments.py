"""Running moments of the layers as ONNX nodes (see `fastcaloq_infer.flow.shape.moments`)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from fastcaloq_infer.export.shape_pool import rows_of
from fastcaloq_infer.export.shape_sources import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastcaloq_infer.artefact.sections import BinningLayer
    from fastcaloq_infer.export.graph import Graph
    from fastcaloq_infer.export.shape_sources import Sources

FACTORS: Final = (1 / 4, 1 / 4, 1 / 6, 1 / 6, 1.0, 1 / 4, 1 / 4, 1.0)
"""Of what a coordinate sees; they go into the weights."""
_FIRST, _SECOND = 0.5, 2.0  # mm, mm^2
_SUMS = 4  # per layer


class MomentNodes:
    """Sums over the voxels drawn so far, updated step by step; N the last axis.

    ``zero`` [1, N] stands for what a coordinate does not have.
    """

    def __init__(
        self, g: Graph, layers: Sequence[BinningLayer], sources: Sources, zero: str
    ) -> None:
        self._g, self._layers, self._sources, self._zero = g, layers, sources, zero
        self._with_alpha = [i for i, x in enumerate(layers) if x.n_rings > 0 and x.n_alpha > 1]
        self._cells = {source: cell for cell, source in sources.known.items()}
        self._sums = self._counts = ""
        self._rows = ""

    @property
    def empty(self) -> bool:
        """Whether no voxel has been drawn, so that all moments are zero."""
        return not self._sums

    def add(self, which: range, pair: str, share: str) -> None:
        """Add the voxels among energies taken and left [2 n, N] and their shares of layers."""
        n = len(self._with_alpha)
        sums, counts = np.zeros((2 * len(which), _SUMS * n)), np.zeros((2 * len(which), n))
        for row, source in enumerate(Source(kind, k) for k in which for kind in ("taken", "left")):
            cell = self._cells.get(source)
            if cell is None or cell.alpha is None:
                continue
            layer, place = self._layers[cell.layer], self._with_alpha.index(cell.layer)
            r = 0.5 * (layer.r_edges[cell.ring] + layer.r_edges[cell.ring + 1])
            phi = 2.0 * math.pi * (cell.alpha + 0.5) / layer.n_alpha
            first, second = r / _FIRST, r**2 / _SECOND
            sums[row, _SUMS * place : _SUMS * (place + 1)] = (
                first * math.cos(phi),
                first * math.sin(phi),
                second * math.cos(2.0 * phi),
                second * math.sin(2.0 * phi),
            )
            counts[row, place] = 1.0 / layer.n_voxels
        if not counts.any():
            return
        g = self._g
        self._sums = self._added(sums, share, self._sums)
        self._counts = self._added(counts, g.op("Sign", pair), self._counts)
        self._rows = g.concat(self._zero, g.op("Asinh", self._sums), self._counts, axis=0)

    def _added(self, weights: np.ndarray, values: str, before: str) -> str:
        inputs = [self._g.constant(weights), values, *([before] if before else [])]
        return self._g.op("Gemm", *inputs, transA=1)

    def seen(self, which: range) -> str:
        """Moments [n, 1, 8, N] (or [8, N]) that coordinates see, without their factors."""
        order = self._sources.order
        rows = [self._columns(order.coordinates[k].cell.layer) for k in which]
        return rows_of(self._g, self._rows, rows)

    def _columns(self, layer: int) -> list[int]:
        place, n = self._with_alpha.index(layer), len(self._with_alpha)
        own = [1 + _SUMS * place + i for i in range(_SUMS)]
        count = 1 + _SUMS * n + place
        before = [own[0] - _SUMS, own[1] - _SUMS, count - 1] if place else [0, 0, 0]
        return [*own, count, *before]
