"""Where a shower's energy lies, as far as it is drawn: what decides its centre and width.

Centres of energy are known to a fraction of a millimetre at high energies, from voxels of tens of
millimetres; a network that sees logarithms of energies cannot resolve the small differences that
takes.  So it is told the running moments of each layer.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from fastcaloq_infer.flow.shape.grid import LayerGrid
    from fastcaloq_infer.flow.shape.order import VoxelOrder

__all__ = ["N_MOMENTS", "Moments"]

N_MOMENTS = 8
"""Numbers per coordinate: five of its own layer, three of the one before it."""

_OWN = 5
_FIRST, _SECOND = 0.5, 2.0  # mm, mm^2: where the encoding goes from linear to logarithmic


class Moments(nn.Module):
    """Sums over the voxels known to a step, for every layer with bins in alpha.

    With w the voxel's share of its layer, r the middle of its ring in mm and phi that of its bin:
    sum w r cos(phi), sum w r sin(phi), sum w r^2 cos(2 phi), sum w r^2 sin(2 phi), all encoded by
    asinh, and which part of the layer's voxels is known and not empty.
    """

    by_share: Tensor  # (M, 5 K + 1): what a known value adds, times its share; the last is zero
    by_count: Tensor  # (M, 5 K + 1): and times whether it is not empty
    columns: Tensor  # (C, 8): which of the sums a coordinate sees
    last: Tensor  # (C, 1): the last known value that it sees
    scale: Tensor  # (8,)

    def __init__(self, order: VoxelOrder, layers: Sequence[LayerGrid]) -> None:
        super().__init__()
        with_alpha = [i for i, g in enumerate(layers) if g.n_rings > 0 and g.n_alpha > 1]
        nothing = _OWN * len(with_alpha)
        by_share = torch.zeros(len(order.known), nothing + 1, dtype=torch.float64)
        by_count = torch.zeros_like(by_share)
        for place, cell in enumerate(order.known):
            if cell.alpha is None:
                continue
            grid, start = layers[cell.layer], _OWN * with_alpha.index(cell.layer)
            r, phi = grid.radii[cell.ring], 2.0 * math.pi * (cell.alpha + 0.5) / grid.n_alpha
            by_share[place, start] = r * math.cos(phi) / _FIRST
            by_share[place, start + 1] = r * math.sin(phi) / _FIRST
            by_share[place, start + 2] = r**2 * math.cos(2.0 * phi) / _SECOND
            by_share[place, start + 3] = r**2 * math.sin(2.0 * phi) / _SECOND
            by_count[place, start + 4] = 1.0 / grid.n_voxels
        columns = torch.full((order.n_coordinates, N_MOMENTS), nothing)
        for k, coordinate in enumerate(order.coordinates):
            if coordinate.cell.alpha is not None:
                start = _OWN * with_alpha.index(coordinate.cell.layer)
                columns[k, :_OWN] = torch.arange(start, start + _OWN)
                if start:  # X, Y and the count of the layer before
                    columns[k, _OWN:] = torch.tensor([start - 5, start - 4, start - 1])
        seen = torch.tensor([order.n_known[c.group] for c in order.coordinates])
        scale = torch.tensor([1 / 4, 1 / 4, 1 / 6, 1 / 6, 0, 1 / 4, 1 / 4, 0], dtype=torch.float64)
        for name, value in (
            ("by_share", by_share),
            ("by_count", by_count),
            ("columns", columns),
            ("last", (seen - 1).clamp(min=0).reshape(-1, 1)),
            ("scale", scale),
        ):
            self.register_buffer(name, value, persistent=False)

    def forward(self, share: Tensor) -> Tensor:
        """Return the moments (N, C, 8) of whole showers from shares (N, M) of layers' energies."""
        sums = self._added(share.unsqueeze(2)).cumsum(dim=1)
        return self._encode(sums[:, self.last, self.columns])

    def step(self, which: range, share: Tensor) -> Tensor:
        """Return the moments (N, n, 8) of coordinates ``which`` of one step.

        ``share`` (N, M) is zero where nothing is known yet.
        """
        sums = self._added(share.unsqueeze(2)).sum(dim=1)
        return self._encode(sums[:, self.columns[which.start : which.stop]])

    def _added(self, share: Tensor) -> Tensor:
        by_share, by_count = self.by_share.to(share.dtype), self.by_count.to(share.dtype)
        return share * by_share + (share > 0).to(share.dtype) * by_count

    def _encode(self, sums: Tensor) -> Tensor:
        scale = self.scale.to(sums.dtype)
        return torch.where(scale == 0, sums, sums.asinh() * scale)
