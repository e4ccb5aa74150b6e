"""How much of an energy a ring or voxel takes, as ONNX nodes: the shape flow's quantile function.

Everything stands in columns: N showers are the last axis, the numbers of a coordinate the one
before, so that parts of a coordinate's numbers lie side by side in memory. A group of one
coordinate has no further axis, a group of n has [n, 1, ., N].

There are as few nodes as possible, because runtimes draw one shower at a time at about a
microsecond per node, whatever its size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from fastcaloq_infer.export.blocks import root

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.artefact.shape import CardShape
    from fastcaloq_infer.export.graph import Graph

_EDGE: Final = 1e-6  # quantiles of the part between the atoms stay this far from 0 and 1
_REACH: Final = 14.0  # more than log((1 - _EDGE) / _EDGE)
_ATOM: Final = 1e6  # so far out that exp(-5) of it is a logit whose exponential overflows
_OUTER: Final = 1e7
_LARGEST: Final = 40.0  # of all parameters: exponentials and their products stay in range


@dataclass(frozen=True)
class Spline:
    """The rational-quadratic spline as a linear map from what is known of it to its bins.

    Two bins are added on either side, where the spline is the identity: one up to where quantiles
    end, one for the atoms, which are numbers beyond any quantile.
    """

    bins: int
    tail_bound: float
    min_bin_width: float
    min_bin_height: float
    min_derivative: float

    @property
    def n_bins(self) -> int:
        """Number of bins with those where the spline is the identity."""
        return self.bins + 4

    @cached_property
    def matrix(self) -> NDArray[np.float64]:
        """Rows, of all bins: left edge and width in x, then in 2 y, exp(slope) at either edge.

        Columns: K widths and K heights, each with sum 1 (so a constant is a number times their
        sum), and the exponentials of K - 1 raw slopes. slope = m + softplus(raw + offset) is the
        logarithm of exp(m) (1 + exp(offset) exp(raw)), so one logarithm makes both slopes.
        """
        k, m = self.bins, self.min_derivative
        x = self._knots(self.min_bin_width, 0)
        y = 2.0 * self._knots(self.min_bin_height, k)
        slopes = np.zeros((k + 5, 3 * k - 1))
        slopes[:, :k] = math.e  # outside the slope is 1
        slopes[3 : k + 2, :k] = math.exp(m)
        slopes[3 : k + 2, 2 * k :] = math.exp(m) * math.expm1(1.0 - m) * np.eye(k - 1)
        pieces = (x[:-1], np.diff(x, axis=0), y[:-1], np.diff(y, axis=0), slopes[:-1], slopes[1:])
        return np.vstack(pieces)

    def _knots(self, minimum: float, column: int) -> NDArray[np.float64]:
        k, reach = self.bins, self.tail_bound
        outer = max(_REACH, 2.0 * reach)
        constants = [-_OUTER, -outer, *([-reach] * (k + 1)), outer, _OUTER]
        sizes = np.repeat(np.array(constants)[:, None], k, axis=1)
        below = np.tril(np.ones((k + 1, k)), -1)
        inner = minimum * np.arange(k + 1)[:, None] + (1.0 - minimum * k) * below
        sizes[2 : k + 3] += 2.0 * reach * inner
        knots = np.zeros((k + 5, 3 * k - 1))
        knots[:, column : column + k] = sizes
        return knots


def parameter_rows(shape: CardShape) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Order in which `fractions` wants the parameters of a coordinate, and factors of them.

    Widths, heights, slopes; logits of nothing and all; log scale over its bound; shift.
    """
    order = [*range(4, shape.n_parameters), 0, 1, 3, 2]
    factors = np.ones(len(order))
    factors[-2] = 1.0 / shape.log_scale_bound
    return np.array(order), factors


def fractions(
    g: Graph, shape: CardShape, parameters: str, quantiles: str, total: str, *, alone: bool
) -> str:
    """Energies taken and left, [..., 2, N], in that order.

    ``parameters`` [..., P, N] in the order of `parameter_rows`; ``quantiles`` [..., 2, N], Phi(z)
    and Phi(-z) of the latents; ``total`` [..., 1, N], the energies that are shared. ``alone``: of
    one coordinate, with no axes before.
    """
    k = shape.bins
    clipped = g.op("Clip", parameters, g.constant(-_LARGEST), g.constant(_LARGEST))
    raw, raw_scale, shift = g.split(clipped, [3 * k + 1, 1, 1], axis=-2)
    weights, slopes, atoms = g.split(g.op("Exp", raw), [2 * k, k - 1, 2], axis=-2)
    y = _logistic(g, atoms, quantiles)
    y = _inverse_spline(g, shape, weights, slopes, y, alone=alone)
    bound = g.constant(shape.log_scale_bound)
    scale = g.op("Exp", g.op("Mul", g.op("Tanh", raw_scale), bound))
    logit = g.op("Add", g.op("Mul", scale, y), shift)
    # Overflow is meant: total / inf is the nothing of an atom.
    odds = g.op("Exp", g.op("MatMul", g.constant([[-1.0], [1.0]]), logit))
    return g.op("Div", total, g.op("Add", odds, g.constant(1.0)))


def _logistic(g: Graph, atoms: str, quantiles: str) -> str:
    """Twice the logistic variable [..., 1, N] of the quantiles, -2e6 and 2e6 for the atoms.

    With e the exponentials of the logits, s = 1 + e_0 + e_2, u and v the quantiles: the part
    between the atoms has w = (u - p_0) / p_1 = u s - e_0 and 1 - w = v s - e_2, each small number
    with its own digits.
    """
    others = g.op("MatMul", g.constant(np.ones((2, 2))), atoms)
    scaled = g.op("Mul", quantiles, g.op("Add", others, g.constant(1.0)))
    inside = g.op("Sub", scaled, atoms)
    logs = g.op("Log", g.op("Clip", inside, g.constant(_EDGE), g.constant(1.0 - _EDGE)))
    outside = g.op("LessOrEqual", inside, g.constant(0.0))
    logs = g.op("Where", outside, g.constant(-_ATOM), logs)
    return g.op("MatMul", g.constant([[2.0, -2.0]]), logs)


def _inverse_spline(
    g: Graph, shape: CardShape, weights: str, slopes: str, y: str, *, alone: bool
) -> str:
    """Invert the spline (Durkan et al. 2019, arXiv:1906.04032, eq. 6 to 8) at y / 2.

    The bin is chosen by a product with zeros and a one. In units of 2 y the secant of a bin is
    twice its slope, which is what the root wants (see `_root`).
    """
    spline = Spline(
        shape.bins,
        shape.tail_bound,
        shape.min_bin_width,
        shape.min_bin_height,
        shape.min_derivative,
    )
    k, n = shape.bins, spline.n_bins
    sums = g.op("MatMul", g.constant(np.kron(np.eye(2), np.ones((k, k)))), weights)
    known = g.concat(g.op("Div", weights, sums), slopes, axis=-2)
    bins = g.op("MatMul", g.constant(spline.matrix), known)
    bins = g.reshape(bins, *([6, n, -1] if alone else [0, 6, n, -1]))
    left = g.op("Slice", bins, g.integers([2]), g.integers([3]), g.integers([-3]))
    passed = g.cast(g.op("LessOrEqual", left, y), "float32")
    first = np.eye(n) - np.eye(n, k=1)
    chosen = g.op("Mul", bins, g.op("MatMul", g.constant(first), passed))
    picked = g.op("ReduceSum", chosen, g.integers([-2]), keepdims=0 if alone else 1)
    axis = -2 if alone else -3
    x0, width, y0, height, powers = g.split(picked, [1, 1, 1, 1, 2], axis=axis)
    slope_left, slope_right = g.split(g.op("Log", powers), [1, 1], axis=axis)
    rise = g.op("Min", g.op("Div", g.op("Sub", y, y0), height), g.constant(1.0))
    theta = root(g, rise, g.op("Div", height, width), slope_left, slope_right)
    return g.op("Add", g.op("Mul", theta, width), x0)
