"""Voxels as a chain of fractions, and back: the part of a shape flow without weights.

A coordinate is in one of three states: the cell takes nothing, takes all that is left, or takes a
fraction sigmoid(t) of it.  The first two happen with probabilities of their own (at 256 MeV nine
voxels in ten are empty), so zeros are exact and need neither noise nor threshold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from fastcaloq_infer.flow.shape.order import Cell

if TYPE_CHECKING:
    from torch import Tensor

    from fastcaloq_infer.flow.shape.order import VoxelOrder

__all__ = ["ALL", "INACTIVE", "NOTHING", "PART", "Chain", "encode", "to_chain"]

INACTIVE, PART, NOTHING, ALL = -1, 0, 1, 2
"""State of a coordinate; inactive where there is no energy to share."""


class Chain(NamedTuple):
    """N showers as fractions.

    Attributes
    ----------
    known
        (N, M) MeV, energies of rings and voxels in the order of ``VoxelOrder.known``.
    total
        (N, C) MeV, what every coordinate shares.
    state
        (N, C) int8.
    logit
        (N, C), t of the coordinates in state ``PART``, else 0.
    log_volume
        (N,), sum of log|dt/dE| over the coordinates in state ``PART``.
    layer_energy
        (N, L) MeV.
    """

    known: Tensor
    total: Tensor
    state: Tensor
    logit: Tensor
    log_volume: Tensor
    layer_energy: Tensor


def encode(energy: Tensor, scale: float) -> Tensor:
    """Return energies in MeV as numbers of order one: log(1 + E / scale) / 4 - 1/2."""
    return torch.log1p(energy / scale) / 4.0 - 0.5


def to_chain(voxels: Tensor, order: VoxelOrder) -> Chain:
    """Write voxels (N, V) MeV, not negative, in any dtype, as fractions in float64."""
    energy, layer_energy = _energies(voxels.double(), order)
    left = _left(energy, order)
    columns = [_column(energy[c.cell], *left[c.cell]) for c in order.coordinates]
    rows = voxels.shape[0]
    total, state, logit, log_volume = (
        torch.stack(column, dim=1) if columns else voxels.new_zeros(rows, 0).double()
        for column in (zip(*columns, strict=True) if columns else ((),) * 4)
    )
    known = [energy[cell] for cell in order.known]
    return Chain(
        torch.stack(known, dim=1) if known else voxels.new_zeros(rows, 0).double(),
        total,
        state.to(torch.int8),
        logit,
        log_volume.sum(dim=1),
        layer_energy,
    )


def _energies(voxels: Tensor, order: VoxelOrder) -> tuple[dict[Cell, Tensor], Tensor]:
    """Return the energies of rings and voxels in alpha bins, and of the layers (N, L)."""
    energy: dict[Cell, Tensor] = {}
    layers = []
    start = 0
    for layer, (n_rings, n_alpha) in enumerate(order.layers):
        block = voxels[:, start : start + n_rings * n_alpha].reshape(-1, n_alpha, n_rings)
        start += n_rings * n_alpha
        rings = block.sum(dim=1)
        for ring in range(n_rings):
            energy[Cell(layer, ring)] = rings[:, ring]
            if n_alpha > 1:
                for alpha in range(n_alpha):
                    energy[Cell(layer, ring, alpha)] = block[:, alpha, ring]
        layers.append(rings.sum(dim=1))
    return energy, torch.stack(layers, dim=1)


def _left(energy: dict[Cell, Tensor], order: VoxelOrder) -> dict[Cell, tuple[Tensor, Tensor]]:
    """Return what every coordinate shares and what it leaves, summed from the end of its chain.

    So nothing is subtracted: what is left is exactly zero where all that follows is.
    """
    left: dict[Cell, tuple[Tensor, Tensor]] = {}
    after: dict[tuple[int, int | None], Tensor] = {}
    for coordinate in reversed(order.coordinates):
        cell = coordinate.cell
        chain = (cell.layer, None if cell.alpha is None else cell.ring)
        if coordinate.rest is not None:
            after[chain] = energy[coordinate.rest]
        total = energy[cell] + after[chain]
        left[cell] = (total, after[chain])
        after[chain] = total
    return left


def _column(energy: Tensor, total: Tensor, after: Tensor) -> tuple[Tensor, ...]:
    state = torch.where(energy == 0, NOTHING, torch.where(after == 0, ALL, PART))
    state = torch.where(total == 0, INACTIVE, state)
    part = state == PART
    taken, kept = torch.where(part, energy, 1.0).log(), torch.where(part, after, 1.0).log()
    volume = torch.where(part, torch.where(part, total, 1.0).log() - taken - kept, 0.0)
    return total, state, taken - kept, volume
