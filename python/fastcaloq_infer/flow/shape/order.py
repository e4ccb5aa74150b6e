"""The order in which the voxels of a shower are drawn.

A shower is drawn as a chain of fractions.  First, layer by layer and from the inside out, how much
of what is left of the layer's energy goes to the next ring; then, ring by ring, how much of what
is left of the ring's energy goes to the next bin in alpha.  Sums are kept by construction.

Bins in alpha of different rings need not wait for each other: (r, a) is drawn in step
``a + stride * r + offset * k``, k numbering the layers with bins in alpha, so that a whole
diagonal of voxels is drawn at once.  All of them see everything of earlier steps; what is given up
is the direct dependence between voxels of one step, which are ``stride`` or more bins apart.
With stride 2 a photon of the first challenge data set (368 voxels) takes 99 steps, not 363.

Indices of voxels are those of the files: layer, then alpha, then r the fastest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["N_NEIGHBOURS", "Cell", "Coordinate", "VoxelOrder"]

N_NEIGHBOURS = 7


class Cell(NamedTuple):
    """A ring of a layer (``alpha`` None) or one voxel in it."""

    layer: int
    ring: int
    alpha: int | None = None


class Coordinate(NamedTuple):
    """One fraction of the chain.

    Attributes
    ----------
    group
        Step in which it is drawn.
    cell
        Ring or voxel that takes the fraction.
    rest
        Ring or voxel that takes all that is left, after the last fraction of a chain; else None.
    """

    group: int
    cell: Cell
    rest: Cell | None


@dataclass(frozen=True)
class VoxelOrder:
    """Coordinates of a binning in the order of drawing.

    Attributes
    ----------
    layers
        Number of rings and of bins in alpha of every layer; no rings: a layer without voxels.
    stride, offset
        See the module.
    """

    layers: tuple[tuple[int, int], ...]
    stride: int
    offset: int

    @classmethod
    def of(cls, layers: Sequence[tuple[int, int]], stride: int, offset: int) -> VoxelOrder:
        """Make the order of any sequence of (rings, bins in alpha)."""
        return cls(tuple((int(rings), int(alpha)) for rings, alpha in layers), stride, offset)

    @cached_property
    def coordinates(self) -> tuple[Coordinate, ...]:
        """All coordinates, those of one group side by side."""
        rings = [
            Cell(layer, ring)
            for layer, (n_rings, _) in enumerate(self.layers)
            for ring in range(n_rings - 1)
        ]
        keyed = sorted(
            (alpha + self.stride * ring + self.offset * number, Cell(layer, ring, alpha))
            for number, layer in enumerate(self._with_alpha)
            for ring in range(self.layers[layer][0])
            for alpha in range(self.layers[layer][1] - 1)
        )
        groups = [[cell] for cell in rings]
        groups += [[cell for _, cell in same] for _, same in groupby(keyed, key=lambda x: x[0])]
        return tuple(
            Coordinate(group, cell, self._rest(cell))
            for group, cells in enumerate(groups)
            for cell in cells
        )

    def _rest(self, cell: Cell) -> Cell | None:
        n_rings, n_alpha = self.layers[cell.layer]
        if cell.alpha is None:
            return Cell(cell.layer, n_rings - 1) if cell.ring == n_rings - 2 else None
        return cell._replace(alpha=n_alpha - 1) if cell.alpha == n_alpha - 2 else None

    @property
    def _with_alpha(self) -> list[int]:
        return [i for i, (rings, alpha) in enumerate(self.layers) if rings > 0 and alpha > 1]

    @property
    def n_coordinates(self) -> int:
        """Number of fractions C."""
        return len(self.coordinates)

    @cached_property
    def n_groups(self) -> int:
        """Number of steps G."""
        return self.coordinates[-1].group + 1 if self.coordinates else 0

    @cached_property
    def n_voxels(self) -> int:
        """Number of voxels V."""
        return sum(rings * alpha for rings, alpha in self.layers)

    @cached_property
    def groups(self) -> tuple[range, ...]:
        """Coordinates of every step."""
        starts = [0, *(k for k in range(1, self.n_coordinates) if self._new(k))]
        ends = [*starts[1:], self.n_coordinates]
        return tuple(map(range, starts, ends)) if self.n_coordinates else ()

    def _new(self, k: int) -> bool:
        return self.coordinates[k].group != self.coordinates[k - 1].group

    @cached_property
    def known(self) -> tuple[Cell, ...]:
        """Rings and voxels in the order in which their energies become known."""
        return tuple(
            cell
            for coordinate in self.coordinates
            for cell in (coordinate.cell, coordinate.rest)
            if cell is not None
        )

    @cached_property
    def n_known(self) -> tuple[int, ...]:
        """How many of ``known`` every step sees; they are always the first ones."""
        counts = [0]
        for group in self.groups:
            revealed = sum(1 + (self.coordinates[k].rest is not None) for k in group)
            counts.append(counts[-1] + revealed)
        return tuple(counts[:-1])

    @cached_property
    def place(self) -> dict[Cell, int]:
        """Where in ``known`` a ring or voxel stands; a voxel of a ring without bins is the ring."""
        return {cell: index for index, cell in enumerate(self.known)}

    @cached_property
    def neighbours(self) -> tuple[tuple[int | None, ...], ...]:
        """For every coordinate the places in ``known`` of seven neighbours; None: there is none.

        A ring has the three rings inside it.  A voxel has those in the ring inside it at the same
        alpha and on either side, the two before it in its own ring, the first of its ring, which
        closes the circle, and the energy of the ring.
        """
        return tuple(self._neighbours(coordinate.cell) for coordinate in self.coordinates)

    def _neighbours(self, cell: Cell) -> tuple[int | None, ...]:
        layer, ring, alpha = cell
        if alpha is None:
            inner = [self.place.get(Cell(layer, ring - back)) for back in (1, 2, 3)]
            return (*inner, None, None, None, None)
        return (
            self.place.get(Cell(layer, ring - 1, alpha)),
            self.place.get(Cell(layer, ring - 1, alpha + 1)),
            self.place.get(Cell(layer, ring - 1, alpha - 1)),
            self.place.get(Cell(layer, ring, alpha - 1)),
            self.place.get(Cell(layer, ring, alpha - 2)),
            self.place.get(Cell(layer, ring, 0)) if alpha > 0 else None,
            self.place.get(Cell(layer, ring)),
        )

    @cached_property
    def voxels(self) -> tuple[tuple[int, Cell | None], ...]:
        """For every voxel its layer and the entry of ``known`` that is its energy.

        None: the voxel is the only one of its layer and has the layer's energy.
        """
        found: list[tuple[int, Cell | None]] = []
        for layer, (n_rings, n_alpha) in enumerate(self.layers):
            for alpha in range(n_alpha):
                for ring in range(n_rings):
                    cell = Cell(layer, ring, alpha if n_alpha > 1 else None)
                    found.append((layer, cell if cell in self.place else None))
        return tuple(found)
