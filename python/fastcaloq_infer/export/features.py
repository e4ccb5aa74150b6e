"""The condition and the conditioner's features as ONNX nodes: table, circuit or perceptron."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.export.blocks import mlp
from fastcaloq_infer.export.circuit import circuit_nodes

if TYPE_CHECKING:
    from fastcaloq_infer.artefact.architecture import CardConditioning, Table
    from fastcaloq_infer.artefact.sections import Condition
    from fastcaloq_infer.export.graph import Graph

TABLE = "conditioner.table"
"""Initialiser [n_energy, n_eta, Q] of the precomputed features."""
_CIRCUIT = "quantum"

# Columns: coefficients of 1, g, g^2, g^3 in the Lagrange weights of nodes 0 to 3 at f = g + 3/2.
# Powers of the distance from the middle of the cell, at most 1/2, lose nothing to cancellation.
_LAGRANGE = np.array(
    [
        [-1 / 16, 9 / 16, 9 / 16, -1 / 16],
        [1 / 24, -9 / 8, 9 / 8, -1 / 24],
        [1 / 4, -1 / 4, -1 / 4, 1 / 4],
        [-1 / 6, 1 / 2, -1 / 2, 1 / 6],
    ]
)


def condition_nodes(g: Graph, card: Condition, incident_energy: str, eta: str) -> tuple[str, str]:
    """c_0 and c_1, both [N, 1], from MeV and eta.

    The logarithm is taken of E over the middle of the range: log(E) itself is as large as 11 and
    would lose three bits of c_0.
    """
    g.scope("condition")
    ratio = g.op("Mul", incident_energy, g.constant(math.exp(-card.log_energy_center)))
    c0 = g.op("Mul", g.op("Log", ratio), g.constant(1.0 / card.log_energy_half_width))
    shifted = g.op("Sub", g.op("Abs", eta), g.constant(card.eta_center))
    return c0, g.op("Mul", shifted, g.constant(1.0 / card.eta_half_width))


def feature_nodes(
    g: Graph, card: CardConditioning, condition: Condition, c0: str, c1: str, prefix: str = ""
) -> list[str]:
    """Features [N, Q] as a list of values to join to the context; empty for kind ``none``.

    The names of the conditioner's weights begin with ``prefix``.
    """
    g.scope(f"{prefix}conditioner")
    if card.table is not None:
        return [_table(g, card.table, condition, c0, c1, prefix + TABLE)]
    if card.circuit is not None:
        return [circuit_nodes(g, card.circuit, g.concat(c0, c1), prefix + _CIRCUIT)]
    if card.hidden is not None:
        count = len(card.hidden) + 1
        both = g.concat(c0, c1)
        return [mlp(g, both, f"{prefix}conditioner.subnet", count, "tanh", last=True)]
    return []


def _axis(
    g: Graph, c: str, bounds: tuple[float, float], count: int, center: float, half_width: float
) -> tuple[str, str]:
    """Cell [N, 1] (int64) and centred place g = f - 3/2 in it on a uniform axis of ``count`` nodes.

    u = s - 1 with s = (value - low) / step; the cell is clamp(floor(s) - 1, 0, count - 4) and
    f = s - cell (truncation equals floor wherever the clamp lets it matter).
    """
    step = (bounds[1] - bounds[0]) / (count - 1)
    u = g.op("Mul", c, g.constant(half_width / step))
    u = g.op("Add", u, g.constant((center - bounds[0]) / step - 1.0))
    cell = g.op("Clip", g.cast(u, "int64"), g.integers(0), g.integers(count - 4))
    place = g.op("Sub", g.op("Sub", u, g.cast(cell, "float32")), g.constant(0.5))
    return cell, place


def _windows(g: Graph, table: str, count: int, axis: int) -> str:
    """Join each node with its three successors along ``axis``, in the last dimension."""
    parts = [
        g.op("Slice", table, *(g.integers([v]) for v in (i, count - 3 + i, axis))) for i in range(4)
    ]
    return g.concat(*parts, axis=2)


def _table(g: Graph, card: Table, condition: Condition, c0: str, c1: str, table: str) -> str:
    """Cubic Lagrange interpolation: one row of 4 (or 16) neighbouring nodes per shower.

    The rows are cut from the table by nodes that runtimes fold when they load.
    """
    name = g.parameter(table)
    features = g.shape(name)[2]
    rows = _windows(g, name, card.n_energy, 0)
    cell, place = _axis(
        g,
        c0,
        card.log_energy,
        card.n_energy,
        condition.log_energy_center,
        condition.log_energy_half_width,
    )
    ones = np.ones((1, features))
    if card.n_eta == 1:
        rows = g.reshape(rows, card.n_energy - 3, 4 * features)
        weights = _weights(g, place, np.kron(_LAGRANGE, ones))
        nodes = 4
    else:
        rows = _windows(g, rows, card.n_eta, 1)
        rows = g.reshape(rows, (card.n_energy - 3) * (card.n_eta - 3), 16 * features)
        eta_cell, eta_place = _axis(
            g, c1, card.eta, card.n_eta, condition.eta_center, condition.eta_half_width
        )
        cell = g.op("Add", g.op("Mul", cell, g.integers(card.n_eta - 3)), eta_cell)
        four = np.ones((1, 4))
        # The last axis of a row: eta's node, energy's node, feature.
        weights = g.op(
            "Mul",
            _weights(g, place, np.kron(four, np.kron(_LAGRANGE, ones))),
            _weights(g, eta_place, np.kron(_LAGRANGE, np.kron(four, ones))),
        )
        nodes = 16
    near = g.op("Gather", rows, g.reshape(cell, -1), axis=0)
    sums = np.kron(np.ones((nodes, 1)), np.eye(features))
    return g.dense(g.op("Mul", near, weights), sums)


def _weights(g: Graph, place: str, coefficients: np.ndarray) -> str:
    square = g.op("Mul", place, place)
    powers = g.concat(place, square, g.op("Mul", square, place))
    return g.dense(powers, coefficients[1:], coefficients[0])
