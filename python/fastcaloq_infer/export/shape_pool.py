"""The energies of a shower drawn so far, as ONNX values, and in which rows of them they stand."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.export.shape_sources import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastcaloq_infer.artefact.shape import CardShape
    from fastcaloq_infer.export.graph import Graph
    from fastcaloq_infer.export.shape_sources import Sources

_BEND = math.exp(-2.0)
_LEAST = 1e-9  # MeV, of what shares refer to
_HIDDEN = (0.25, 10.0)  # what hidden units see of the encoded energies and shares


class Pool:
    """Energies drawn so far; N showers are the last axis.

    Energies are counted in units in which log(E + exp(-2)) is four times what the network sees.

    Attributes
    ----------
    encoded
        [., N]: zeros, the encoded layer energies; then, of every step, the encoded energies taken
        and left by its coordinates, and the shares of their layers that these are.
    zero
        [1, N].
    """

    def __init__(self, g: Graph, shape: CardShape, sources: Sources, layer_energy: str) -> None:
        self._g, self._sources = g, sources
        self._unit = _BEND / shape.energy_scale
        columns = g.op("Transpose", layer_energy, perm=[1, 0])
        self._energies = g.op("Mul", columns, g.constant(self._unit))
        self._n_layers = len(sources.order.layers)
        self._layers = g.split(self._energies, [1] * self._n_layers, axis=0)
        self.zero = g.op("Mul", self._layers[0], g.constant(0.0))
        self.encoded = g.concat(self.zero, self._encode(self._energies), axis=0)
        self._pairs: list[str] = []  # of every step: energies taken and left, [2 n, N]
        self._rings = ""
        self._inverse = self._inverses()

    def _encode(self, energies: str) -> str:
        return self._g.op("Log", self._g.op("Add", energies, self._g.constant(_BEND)))

    def _inverses(self) -> list[str]:
        """Return one over the energy of the layer for all that every step draws."""
        g, order = self._g, self._sources.order
        least = g.constant(_LEAST * self._unit)
        inverse = g.op("Reciprocal", g.op("Max", self._energies, least))
        layers = np.repeat([coordinate.cell.layer for coordinate in order.coordinates], 2)
        rows = g.op("Gather", inverse, g.integers(layers), axis=0)
        return g.split(rows, [2 * len(which) for which in order.groups], axis=0)

    def append(self, which: range, pair: str) -> str:
        """Take what a step draws, [2 n, N]; returns the shares of layers that this is."""
        g = self._g
        share = g.op("Mul", pair, self._inverse[len(self._pairs)])
        self._pairs.append(pair)
        if which.stop < self._sources.order.n_coordinates:
            self.encoded = g.concat(self.encoded, self._encode(pair), share, axis=0)
        return share

    @cached_property
    def _rows(self) -> dict[Source | None, int]:
        """Rows of ``encoded`` where encoded energies stand."""
        rows: dict[Source | None, int] = {None: 0}
        rows |= {Source("layer", layer): 1 + layer for layer in range(self._n_layers)}
        for which in self._sources.order.groups:
            start = 1 + self._n_layers + 4 * which.start
            sources = [Source(kind, k) for k in which for kind in ("taken", "left")]
            rows |= {source: start + i for i, source in enumerate(sources)}
        return rows

    @cached_property
    def _meets(self) -> tuple[np.ndarray, np.ndarray]:
        """Which row of a hidden layer's weight meets every row, 1 the first, and its factor."""
        size = 1 + self._n_layers + 4 * self._sources.order.n_coordinates
        meets, factors = np.zeros(size, dtype=np.int64), np.zeros((size, 1))
        shift = {k: 2 * len(which) for which in self._sources.order.groups for k in which}
        for place, source in enumerate(self._sources.known.values()):
            row = self._rows[source]
            for part, factor in enumerate(_HIDDEN):
                at = row + part * shift[source.number]
                meets[at], factors[at] = 1 + 2 * place + part, factor
        return meets, factors

    def hidden_weight(self, weight: str) -> str:
        """Give a weight [2 known, u] of the next step a row for every row of ``encoded``."""
        g, order = self._g, self._sources.order
        size = 1 + self._n_layers + 4 * order.groups[len(self._pairs)].start
        first, after, axis = g.integers([0]), g.integers([size]), g.integers([0])
        meets, factors = self._meets
        rows = g.op("Slice", g.integers(meets), first, after, axis)
        scale = g.op("Slice", g.constant(factors), first, after, axis)
        padded = g.concat(g.constant(np.zeros((1, g.shape(weight)[1]))), weight, axis=0)
        return g.op("Mul", g.op("Gather", padded, rows, axis=0), scale)

    def seen(self, which: range) -> str:
        """Return encoded energies, shared and of neighbours, [n, 1, 8, N] or [8, N], times four."""
        sources = [[self._sources.shared(k), *self._sources.neighbours(k)] for k in which]
        return rows_of(self._g, self.encoded, [[self._rows[s] for s in row] for row in sources])

    def total(self, which: range) -> str:
        """Energies that the coordinates share, [n, 1, 1, N] or [1, N]."""
        sources = [self._sources.shared(k) for k in which]
        if len(sources) == 1 and sources[0].kind == "layer":
            return self._layers[sources[0].number]
        order, n_rings = self._sources.order, self._sources.n_rings
        before = order.groups[len(self._pairs) - 1] if self._pairs else range(0)
        if all(source.kind != "layer" and source.number in before for source in sources):
            return rows_of(self._g, self._pairs[-1], [[_row(s, before.start)] for s in sources])
        if not self._rings:
            self._rings = self._g.concat(*self._layers, *self._pairs[:n_rings], axis=0)
        base, rows = self._rings, []
        if before.start >= n_rings:
            base = self._g.concat(base, self._pairs[-1], axis=0)
        for source in sources:
            if source.kind == "layer":
                rows.append([source.number])
            else:
                skipped = max(before.start - n_rings, 0) if source.number >= n_rings else 0
                rows.append([self._n_layers + _row(source, skipped)])
        return rows_of(self._g, base, rows)

    def voxels(self) -> str:
        """Energies [N, V] MeV of the voxels."""
        g = self._g
        energies = g.concat(self._energies, *self._pairs, axis=0)
        rows = [
            source.number if source.kind == "layer" else self._n_layers + _row(source, 0)
            for source in self._sources.voxels()
        ]
        voxels = g.op("Transpose", g.op("Gather", energies, g.integers(rows), axis=0), perm=[1, 0])
        return g.op("Mul", voxels, g.constant(1.0 / self._unit))


def _row(source: Source, start: int) -> int:
    """Row of a source in the energies taken and left by coordinates from ``start`` on."""
    return 2 * (source.number - start) + (source.kind == "left")


def rows_of(g: Graph, value: str, rows: Sequence[Sequence[int]]) -> str:
    """Pick rows (n, m) of a value [., N]: [n, 1, m, N], or [m, N] where n is 1."""
    index = np.array(rows)
    index = index[0] if len(index) == 1 else index[:, None, :]
    return g.op("Gather", value, g.integers(index), axis=0)
