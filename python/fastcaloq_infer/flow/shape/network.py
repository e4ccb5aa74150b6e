"""The network of a shape flow: what it says of a coordinate depends on earlier ones alone.

A masked autoregressive network (Germain et al., MADE, arXiv:1502.03509) with one residual layer.
Every step of the :class:`~.order.VoxelOrder` owns a few hidden units, which see the energies known
before that step, and, in the second layer, the units of this and earlier steps.  From these every
coordinate gets a short context, and a small network of its own turns context and neighbourhood
into the parameters of its distribution.  So one shower costs one pass over the weights, although
it is drawn step by step.

All masks are staircases: a row sees the first so many columns.  Only these weights exist.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from fastcaloq_infer.flow.shape.moments import N_MOMENTS, Moments
from fastcaloq_infer.flow.shape.order import N_NEIGHBOURS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from fastcaloq_infer.flow.shape.config import ShapeConfig
    from fastcaloq_infer.flow.shape.grid import LayerGrid
    from fastcaloq_infer.flow.shape.order import VoxelOrder

__all__ = ["ShapeNetwork", "StaircaseLinear"]

N_LOCAL = 1 + N_NEIGHBOURS + N_MOMENTS
"""What a coordinate sees beside its context: the energy it shares, neighbours, and moments."""

SHARE_SCALE = 10.0
"""Hidden units see ten times the share of its layer that a known energy is."""

_ROW_BLOCKS = 8


class StaircaseLinear(nn.Module):
    """y = W x, row i of W being zero beyond the first ``extents[i]`` columns; no bias.

    ``weight`` holds the other numbers alone, row by row.  The product is made of a few products of
    row blocks, each as wide as its widest row, which spares most of the zeros.

    Parameters
    ----------
    n_inputs
        Columns.
    extents
        (rows,) ascending.
    """

    def __init__(self, n_inputs: int, extents: Tensor) -> None:
        super().__init__()
        self._blocks = []
        for index, rows in enumerate(extents.tensor_split(_ROW_BLOCKS)):
            if len(rows):
                mask = torch.arange(int(rows[-1]))[None] < rows[:, None]
                self.register_buffer(f"mask{index}", mask, persistent=False)
                self._blocks.append((f"mask{index}", int(mask.sum())))
        bound = 1.0 / math.sqrt(max(n_inputs, 1))
        self.weight = nn.Parameter(torch.empty(int(extents.sum())).uniform_(-bound, bound))

    def blocks(self) -> list[Tensor]:
        """Return the row blocks of W, each cut to its widest row."""
        masks = [self.get_buffer(name) for name, _ in self._blocks]
        parts = torch.split(self.weight, [count for _, count in self._blocks])
        return [
            self.weight.new_zeros(mask.shape).masked_scatter(mask, part)
            for mask, part in zip(masks, parts, strict=True)
        ]

    def matrix(self) -> Tensor:
        """Return W, as wide as its widest row."""
        blocks = self.blocks()
        width = blocks[-1].shape[1]
        return torch.cat([functional.pad(b, (0, width - b.shape[1])) for b in blocks])

    def forward(self, x: Tensor) -> Tensor:
        """Apply to (N, columns)."""
        return torch.cat(
            [functional.linear(x[:, : block.shape[1]], block) for block in self.blocks()], dim=1
        )


class ShapeNetwork(nn.Module):
    """From known energies and a condition to the parameters of every coordinate.

    Parameters
    ----------
    config
        Widths.
    order
        Coordinates and what they see.
    layers
        Where the voxels lie.
    n_condition
        Numbers in the condition.
    """

    neighbours: Tensor

    def __init__(
        self,
        config: ShapeConfig,
        order: VoxelOrder,
        layers: Sequence[LayerGrid],
        n_condition: int,
    ) -> None:
        super().__init__()
        self.n_coordinates, self.units = order.n_coordinates, config.units
        self.context_size = config.context
        n_known, hidden = len(order.known), order.n_groups * config.units
        step = torch.arange(order.n_groups).repeat_interleave(config.units)
        seen = torch.tensor(order.n_known, dtype=torch.int64)
        group = torch.tensor([c.group for c in order.coordinates], dtype=torch.int64)
        context_group = group.repeat_interleave(config.context)
        self.condition1 = nn.Linear(n_condition, hidden)
        self.condition2 = nn.Linear(n_condition, hidden)
        self.condition3 = nn.Linear(n_condition, len(context_group))
        self.hidden1 = StaircaseLinear(2 * n_known, 2 * seen[step])
        self.hidden2 = StaircaseLinear(hidden, (step + 1) * config.units)
        self.context = StaircaseLinear(hidden, (context_group + 1) * config.units)
        self.moments = Moments(order, layers)
        inputs = config.context + N_LOCAL
        count, head, parameters = order.n_coordinates, config.head, config.n_parameters
        self.head1 = nn.Parameter(torch.randn(count, inputs, head) / math.sqrt(inputs))
        self.head1_bias = nn.Parameter(torch.zeros(count, 1, head))
        self.head2 = nn.Parameter(torch.randn(count, head, parameters) * 0.01)
        self.head2_bias = nn.Parameter(torch.zeros(count, 1, parameters))
        nowhere = n_known  # a column of zeros behind the known energies
        places = [[nowhere if p is None else p for p in row] for row in order.neighbours]
        self.register_buffer(
            "neighbours",
            torch.tensor(places, dtype=torch.int64).reshape(count, N_NEIGHBOURS),
            persistent=False,
        )

    def forward(self, known: Tensor, share: Tensor, total: Tensor, condition: Tensor) -> Tensor:
        """Return the parameters (N, C, P) of all coordinates at once, for known showers.

        Parameters
        ----------
        known
            (N, M) encoded energies.
        share
            (N, M) the same energies over those of their layers.
        total
            (N, C) encoded energies that the coordinates share.
        condition
            (N, condition).
        """
        h1 = functional.silu(self.condition1(condition) + self.hidden1(interleaved(known, share)))
        h2 = h1 + functional.silu(self.condition2(condition) + self.hidden2(h1))
        context = self.condition3(condition) + self.context(h2)
        return self.heads(context, total, self.local(known, slice(None)), self.moments(share))

    def local(self, known: Tensor, which: slice) -> Tensor:
        """Return the encoded neighbours (N, n, 7) of the coordinates ``which``."""
        return functional.pad(known, (0, 1))[:, self.neighbours[which]]

    def heads(
        self,
        context: Tensor,
        total: Tensor,
        local: Tensor,
        moments: Tensor,
        which: slice = slice(None),
    ) -> Tensor:
        """Return parameters (N, n, P) of the coordinates ``which`` from context (N, n * ctx)."""
        with torch.autocast(context.device.type, enabled=False):  # shifts need all their digits
            context = context.to(total.dtype).view(context.shape[0], -1, self.context_size)
            x = torch.cat([context, total.unsqueeze(2), local, moments], dim=2).transpose(0, 1)
            y = functional.silu(torch.baddbmm(self.head1_bias[which], x, self.head1[which]))
            return torch.baddbmm(self.head2_bias[which], y, self.head2[which]).transpose(0, 1)

    def steps(self, condition: Tensor) -> Steps:
        """Start drawing showers of the given conditions step by step."""
        return Steps(self, condition)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds per shower, the condition's included."""
        dense = (self.hidden1, self.hidden2, self.context)
        conditions = (self.condition1, self.condition2, self.condition3)
        return (
            sum(layer.weight.numel() for layer in (*dense, *conditions))
            + self.head1.numel()
            + self.head2.numel()
        )


class Steps:
    """The same network, one step after the other: each hidden unit is computed once."""

    def __init__(self, network: ShapeNetwork, condition: Tensor) -> None:
        self._network = network
        self._w1, self._w2, self._w3 = (
            layer.matrix() for layer in (network.hidden1, network.hidden2, network.context)
        )
        self._a1 = network.condition1(condition)
        self._a2 = network.condition2(condition)
        self._a3 = network.condition3(condition)
        self._h1 = torch.zeros_like(self._a1)
        self._h2 = torch.zeros_like(self._a1)

    def parameters(
        self, group: int, which: range, known: Tensor, share: Tensor, total: Tensor
    ) -> Tensor:
        """Return the parameters (N, n, P) of the coordinates ``which`` of step ``group``.

        ``known`` and ``share`` (N, M) are zero in columns that this step does not see; ``total``
        is (N, n).
        """
        network = self._network
        units, size = network.units, network.context_size
        own, seen = slice(group * units, (group + 1) * units), (group + 1) * units
        inputs = interleaved(known, share)[:, : self._w1.shape[1]]
        self._h1[:, own] = functional.silu(
            self._a1[:, own] + functional.linear(inputs, self._w1[own])
        )
        new = self._a2[:, own] + functional.linear(self._h1[:, :seen], self._w2[own, :seen])
        self._h2[:, own] = self._h1[:, own] + functional.silu(new)
        rows = slice(which.start * size, which.stop * size)
        context = self._a3[:, rows] + functional.linear(self._h2[:, :seen], self._w3[rows, :seen])
        coordinates = slice(which.start, which.stop)
        local, moments = network.local(known, coordinates), network.moments.step(which, share)
        return network.heads(context, total, local, moments, coordinates)


def interleaved(known: Tensor, share: Tensor) -> Tensor:
    """Return what hidden units see of the known energies, (N, 2M): one beside the other."""
    return torch.stack([known, SHARE_SCALE * share], dim=2).flatten(1)
