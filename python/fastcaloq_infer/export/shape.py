"""The shape flow's sampling direction as ONNX nodes: layer energies and latents to voxels.

Unrolled over the steps of the `VoxelOrder`, N the last axis of everything (see
`fastcaloq_infer.export.fraction`). Weights are used as they are stored; what has to be rearranged
is constant, so runtimes do it when they load (and `fastcaloq_infer.export.fold` before that).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.export.fraction import fractions, parameter_rows
from fastcaloq_infer.export.normal import tails
from fastcaloq_infer.export.shape_moments import FACTORS, MomentNodes
from fastcaloq_infer.export.shape_pool import Pool
from fastcaloq_infer.export.shape_sources import Sources
from fastcaloq_infer.flow.shape.order import VoxelOrder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastcaloq_infer.artefact.sections import CardBinning
    from fastcaloq_infer.artefact.shape import CardShape
    from fastcaloq_infer.export.graph import Graph

_LOCAL = 8  # the energy a coordinate shares and seven neighbours


def seen_layers(g: Graph, shape: CardShape, layer_energy: str, incident_energy: str) -> list[str]:
    """Encode layer energies [N, L] MeV as the network sees them: two values [N, L].

    log(1 + E / scale) / 4 - 1/2 and log((E + scale) / E_inc) / 3.
    """
    g.scope("shape.layers")
    shifted = g.op("Add", layer_energy, g.constant(shape.energy_scale))
    size = g.op("Log", g.op("Mul", shifted, g.constant(math.exp(-2.0) / shape.energy_scale)))
    share = g.op("Log", g.op("Div", shifted, incident_energy))
    factors = ((size, 0.25), (share, 1.0 / 3.0))
    return [g.op("Mul", value, g.constant(factor)) for value, factor in factors]


def shape_nodes(
    g: Graph, shape: CardShape, binning: CardBinning, layer_energy: str, z: str, condition: str
) -> str:
    """Voxels [N, V] MeV of layers [N, L] MeV, latents [N, V] and what the network sees [N, C_h]."""
    order = VoxelOrder.of(binning.rings_and_bins, shape.stride, shape.offset)
    counts = [len(which) for which in order.groups]
    conditions = _conditions(g, shape, condition, counts)
    quantiles = _quantiles(g, z, order, counts)
    g.scope("shape")
    sources = Sources(order)
    pool = Pool(g, shape, sources, layer_energy)
    moments = MomentNodes(g, binning.layers, sources, pool.zero)
    hidden = _Hidden(g, pool)
    for group, which in enumerate(order.groups):
        prefix, alone = f"shape.group{group}", len(which) == 1
        g.scope(prefix)
        context = hidden.context(prefix, [values[group] for values in conditions])
        seen = [context, pool.seen(which)]
        if order.coordinates[which.start].cell.alpha is not None and not moments.empty:
            seen.append(moments.seen(which))
        parameters = _parameters(g, shape, prefix, len(which), seen)
        u = g.reshape(quantiles[group], 2, -1) if alone else quantiles[group]
        pair = fractions(g, shape, parameters, u, pool.total(which), alone=alone)
        pair = pair if alone else g.reshape(pair, 2 * len(which), -1)
        share = pool.append(which, pair)
        if group < order.n_groups - 1:
            moments.add(which, pair, share)
    g.scope("shape.voxels")
    return pool.voxels()


def _quantiles(g: Graph, z: str, order: VoxelOrder, counts: Sequence[int]) -> list[str]:
    """Phi(z) and Phi(-z), [n, 1, 2, N] for every step."""
    n = order.n_coordinates
    g.scope("shape.quantiles")
    used = g.op("Slice", z, g.integers([0]), g.integers([n]), g.integers([1]))
    columns = g.reshape(g.op("Transpose", used, perm=[1, 0]), n, 1, 1, -1)
    return g.split(g.concat(*tails(g, columns), axis=2), counts, axis=0)


def _conditions(
    g: Graph, shape: CardShape, condition: str, counts: Sequence[int]
) -> list[list[str]]:
    """Return what the condition adds to either hidden layer and to the context, by step."""
    g.scope("shape.condition")
    units = [shape.units] * len(counts)
    found = []
    for index, sizes in enumerate((units, units, [shape.context * n for n in counts]), start=1):
        weight = g.parameter(f"shape.condition{index}.weight")
        bias = g.reshape(g.parameter(f"shape.condition{index}.bias"), -1, 1)
        product = g.op("Gemm", weight, condition, bias, transA=1, transB=1)
        found.append(g.split(product, sizes, axis=0))
    return found


class _Hidden:
    """The hidden units of all steps so far."""

    def __init__(self, g: Graph, pool: Pool) -> None:
        self._g, self._pool = g, pool
        self._layers = ["", ""]

    def context(self, prefix: str, conditions: Sequence[str]) -> str:
        """Append the units of a step; returns its context [n * ctx, N]."""
        g, name = self._g, f"{prefix}.hidden1.weight"
        value = conditions[0]
        if g.has(name):
            weight = self._pool.hidden_weight(g.parameter(name))
            value = g.op("Gemm", weight, self._pool.encoded, value, transA=1)
        h1 = g.silu(value)
        self._append(0, h1)
        weight = g.parameter(f"{prefix}.hidden2.weight")
        value = g.op("Gemm", weight, self._layers[0], conditions[1], transA=1)
        self._append(1, g.op("Add", h1, g.silu(value)))
        weight = g.parameter(f"{prefix}.context.weight")
        return g.op("Gemm", weight, self._layers[1], conditions[2], transA=1)

    def _append(self, layer: int, value: str) -> None:
        before = self._layers[layer]
        self._layers[layer] = self._g.concat(before, value, axis=0) if before else value


def _parameters(g: Graph, shape: CardShape, prefix: str, n: int, seen: Sequence[str]) -> str:
    """Parameters [n, 1, P, N] (or [P, N]) of a step's coordinates by their own networks."""
    w1, b1, w2, b2 = (
        g.parameter(f"{prefix}.{layer}.{part}")
        for layer in ("head1", "head2")
        for part in ("weight", "bias")
    )
    factors = np.array([1.0] * shape.context + [0.25] * _LOCAL + [*FACTORS])
    inputs, head, size = shape.context + _LOCAL, shape.head, shape.n_parameters
    if len(seen) == 2:  # no moments yet
        axis = g.integers([1])
        w1 = g.op("Slice", w1, g.integers([0]), g.integers([inputs]), axis)
    else:
        inputs += len(FACTORS)
    w1 = g.op("Mul", w1, g.constant(factors[:inputs, None]))
    order, factors = parameter_rows(shape)
    rows, scale = g.integers(order), g.constant(factors)
    w2 = g.op("Mul", g.op("Gather", w2, rows, axis=2), scale)
    b2 = g.op("Mul", g.op("Gather", b2, rows, axis=1), scale)
    if n == 1:
        w1, b1 = g.reshape(w1, inputs, head), g.reshape(b1, head, 1)
        w2, b2 = g.reshape(w2, head, size), g.reshape(b2, size, 1)
        y = g.silu(g.op("Gemm", w1, g.concat(*seen, axis=0), b1, transA=1))
        return g.op("Gemm", w2, y, b2, transA=1)
    x = g.concat(g.reshape(seen[0], n, 1, shape.context, -1), *seen[1:], axis=2)
    w1 = g.reshape(g.op("Transpose", w1, perm=[0, 2, 1]), n, 1, head, inputs)
    w2 = g.reshape(g.op("Transpose", w2, perm=[0, 2, 1]), n, 1, size, head)
    y = g.silu(g.op("Add", g.op("MatMul", w1, x), g.reshape(b1, n, 1, head, 1)))
    return g.op("Add", g.op("MatMul", w2, y), g.reshape(b2, n, 1, size, 1))
