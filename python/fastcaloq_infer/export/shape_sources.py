"""Which draw an energy of a shower comes from: of a layer, taken by a coordinate, or left by it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from fastcaloq_infer.flow.shape.order import Cell

if TYPE_CHECKING:
    from fastcaloq_infer.flow.shape.order import VoxelOrder


class Source(NamedTuple):
    """``kind`` is "layer", "taken" or "left"; ``number`` that of the layer or coordinate."""

    kind: str
    number: int


class Sources:
    """The sources of all energies of an order."""

    def __init__(self, order: VoxelOrder) -> None:
        self.order = order

    @cached_property
    def known(self) -> dict[Cell, Source]:
        """Source of every entry of ``VoxelOrder.known``, in that order."""
        found = {}
        for k, coordinate in enumerate(self.order.coordinates):
            found[coordinate.cell] = Source("taken", k)
            if coordinate.rest is not None:
                found[coordinate.rest] = Source("left", k)
        return found

    def shared(self, k: int) -> Source:
        """Return what coordinate ``k`` takes its fraction of."""
        cell = self.order.coordinates[k].cell
        if cell.alpha is None:
            before = cell._replace(ring=cell.ring - 1) if cell.ring else None
        else:
            before = cell._replace(alpha=cell.alpha - 1) if cell.alpha else None
        if before is not None:
            return Source("left", self.known[before].number)
        whole = Source("layer", cell.layer)
        return whole if cell.alpha is None else self.known.get(Cell(cell.layer, cell.ring), whole)

    @cached_property
    def n_rings(self) -> int:
        """Number of coordinates that are rings; they are the first ones."""
        return sum(coordinate.cell.alpha is None for coordinate in self.order.coordinates)

    def neighbours(self, k: int) -> list[Source | None]:
        """Return the sources of the neighbours of coordinate ``k``."""
        sources = list(self.known.values())
        return [None if place is None else sources[place] for place in self.order.neighbours[k]]

    def voxels(self) -> list[Source]:
        """Source of every voxel, in the order of files."""
        return [
            Source("layer", layer) if cell is None else self.known[cell]
            for layer, cell in self.order.voxels
        ]
