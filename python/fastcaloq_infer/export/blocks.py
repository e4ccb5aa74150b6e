"""Coupling blocks as ONNX nodes, in the direction of sampling: latent to data.

Wherever a small vector would be broadcast over (N, K, A), a product with a constant 0/1 matrix
does it: see `Graph.dense`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.artefact.architecture import SplineBlock
from fastcaloq_infer.export.circuit import circuit_nodes

if TYPE_CHECKING:
    from fastcaloq_infer.artefact.architecture import AffineBlock, CardFlow
    from fastcaloq_infer.export.graph import Graph


def mlp(g: Graph, value: str, prefix: str, count: int, activation: str, *, last: bool) -> str:
    """Append ``count`` layers ``prefix.i``; the activation follows all, or all but the last."""
    for i in range(count):
        weight, bias = (g.parameter(f"{prefix}.{i}.{part}") for part in ("weight", "bias"))
        value = g.op("Gemm", value, weight, bias)
        if last or i < count - 1:
            value = _activate(g, value, activation)
    return value


def _activate(g: Graph, value: str, activation: str) -> str:
    if activation == "silu":
        return g.silu(value)
    return g.op({"relu": "Relu", "tanh": "Tanh"}[activation], value)


def inverse_block(g: Graph, flow: CardFlow, index: int, z: str, context: str) -> str:
    """One block: latent [N, L] and context [N, 2+Q] to data [N, L]."""
    block = flow.blocks[index]
    prefix = f"energy.block{index}"
    g.scope(prefix)
    a, b = g.split(z, [block.passive, block.active]) if block.passive else ("", z)
    name = f"{prefix}.subnet"
    seen = _subnet_input(g, flow, a, context, name)
    theta = mlp(g, seen, name, len(flow.hidden) + 1, flow.activation, last=False)
    if isinstance(block, SplineBlock):
        x = inverse_spline(g, block, b, theta)
    else:
        x = inverse_affine(g, block, b, theta)
    return _undo_permutation_and_actnorm(g, prefix, g.concat(a, x) if a else x)


def _subnet_input(g: Graph, flow: CardFlow, a: str, context: str, name: str) -> str:
    """Return what the linear layers of a subnet see: coordinates and context, or features."""
    card = flow.subnet
    if card is None:
        return g.concat(a, context) if a else context
    if a:
        bounded = g.op("Tanh", g.op("Mul", a, g.constant(1.0 / card.coordinate_scale)))
        context = g.concat(bounded, context)
    names = [f"{name}.circuit{index}" for index in range(card.networks)]
    return g.concat(*(circuit_nodes(g, card.circuit, context, each) for each in names))


def _undo_permutation_and_actnorm(g: Graph, prefix: str, v: str) -> str:
    """Return x = w / scale - shift with w[:, permutation[j]] = v[:, j], in one product.

    The matrix has rows one_hot(permutation[j]) / scale; runtimes fold it when they load.
    """
    scale = g.parameter(f"{prefix}.actnorm.scale")
    width = g.shape(scale)[0]
    rows = g.op(
        "OneHot",
        g.parameter(f"{prefix}.permutation"),
        g.integers(width),
        g.constant([0.0, 1.0]),
        axis=-1,
    )
    matrix = g.op("Div", rows, scale)
    return g.op("Gemm", v, matrix, g.parameter(f"{prefix}.actnorm.shift"), beta=-1.0)


def inverse_affine(g: Graph, block: AffineBlock, y: str, theta: str) -> str:
    """Invert the affine map: x = (y - t) exp(-s), s = bound * tanh(raw / bound)."""
    raw, shift = g.split(theta, [block.active, block.active])
    bound = block.log_scale_bound
    minus_log_scale = g.op(
        "Mul",
        g.op("Tanh", g.op("Mul", raw, g.constant(1.0 / bound))),
        g.constant(-bound),
    )
    return g.op("Mul", g.op("Sub", y, shift), g.op("Exp", minus_log_scale))


def inverse_spline(g: Graph, block: SplineBlock, y: str, theta: str) -> str:
    """Invert the rational-quadratic spline (Durkan et al. 2019, arXiv:1906.04032, eq. 6 to 8).

    The spline lives on the unit square: knots are partial sums of exp(raw) over their total, and
    the total is divided out only for the one bin that is needed, as is the softplus.

    ``theta`` is parameter-major, [N, (3K-1) * A]; y and the result are [N, A].
    """
    bins, active, reach = block.bins, block.active, block.tail_bound
    sizes, slopes = g.split(theta, [2 * bins * active, (bins - 1) * active])
    sums = _partial_sums(g, block, sizes)

    clipped = g.op("Clip", y, g.constant(-reach), g.constant(reach))
    unit = g.op("Add", g.op("Mul", clipped, g.constant(0.5 / reach)), g.constant(0.5))
    position, indices = _find_bin(g, block, sums, unit)

    # Rows: K-1 raw slopes, K+1 widths' sums, K+1 heights' sums, a zero. The raw slope at either
    # end is 0 (slope 1): to the right of the last row of slopes stands the first sum, which is 0,
    # and to the left of the first one, index -1, the zero.
    rows = g.reshape(g.concat(slopes, sums), 0, 3 * bins + 2, active)
    picked = g.reshape(g.op("GatherElements", rows, indices, axis=1), 0, 8 * active)
    x0, x1, x_total, y0, y1, y_total, raw = g.split(picked, [active] * 6 + [2 * active])

    offset = math.log(math.expm1(1.0 - block.min_derivative))
    slope = g.op("Softplus", g.op("Add", raw, g.constant(offset)))
    half = g.op("Add", g.op("Mul", slope, g.constant(0.5)), g.constant(0.5 * block.min_derivative))
    left, right = g.split(half, [active, active])

    width, height = g.op("Sub", x1, x0), g.op("Sub", y1, y0)
    rise = g.op("Div", g.op("Sub", position, y0), height)
    steepness = g.op("Div", g.op("Mul", height, x_total), g.op("Mul", width, y_total))
    theta_ = g.op("Min", root(g, rise, steepness, left, right), g.constant(1.0))

    sum_ = g.op("Add", x0, g.op("Mul", theta_, width))
    x = g.op("Mul", g.op("Div", sum_, x_total), g.constant(2.0 * reach))
    x = g.op("Sub", x, g.constant(reach))
    return g.op("Where", g.op("Equal", clipped, y), x, y)


def root(g: Graph, rise: str, s: str, left: str, right: str) -> str:
    """Return theta in [0, 1] where the bin's rational quadratic reaches the fraction ``rise``.

    With half derivatives l, r, p = rise * s and B = l - rise (l + r - s) the quadratic's stable
    root is p / (B + sqrt((B - p)^2 + p (s - p))). As 0 <= p <= s nothing under the root is
    negative: the discriminant cannot lose its sign to rounding, so it needs no clamp. The result
    does where end slopes may be a million times the bin's: the denominator may round to zero.
    """
    p = g.op("Mul", rise, s)
    curvature = g.op("Sub", g.op("Add", left, right), s)
    b = g.op("Sub", left, g.op("Mul", rise, curvature))
    difference = g.op("Sub", b, p)
    discriminant = g.op(
        "Add", g.op("Mul", difference, difference), g.op("Mul", p, g.op("Sub", s, p))
    )
    return g.op("Div", p, g.op("Add", b, g.op("Sqrt", discriminant)))


def _partial_sums(g: Graph, block: SplineBlock, sizes: str) -> str:
    """Unnormalised knots [N, (2(K+1)+1) * A] of widths and heights, and a last row of zeros.

    With e = exp(raw - max) and m the smallest size, knot k times the total is
    (1 - mK) sum_{j<k} e_j + m k sum_j e_j: one product for all knots.
    """
    bins, active = block.bins, block.active
    identity = np.eye(active)
    grouped = g.reshape(sizes, 0, 2, bins, active)
    largest = g.reshape(g.op("ReduceMax", grouped, g.integers([2]), keepdims=0), 0, 2 * active)
    spread = np.kron(np.kron(np.eye(2), np.ones((1, bins))), identity)
    shifted = g.op("Gemm", largest, g.constant(spread), sizes, alpha=-1.0)
    matrix = np.zeros((2 * bins * active, (2 * bins + 3) * active))
    for half, minimum in enumerate((block.min_bin_width, block.min_bin_height)):
        below = np.triu(np.ones((bins, bins + 1)), 1)
        knots = (1.0 - minimum * bins) * below + minimum * np.arange(bins + 1)
        knots[:, -1] = 1.0
        row, column = half * bins * active, half * (bins + 1) * active
        matrix[row : row + bins * active, column : column + (bins + 1) * active] = np.kron(
            knots, identity
        )
    return g.dense(g.op("Exp", shifted), matrix)


def _find_bin(g: Graph, block: SplineBlock, sums: str, unit: str) -> tuple[str, str]:
    """Return y in units of the partial sums [N, A], and the rows of its bin, int64 [N, 8, A].

    The bin is the number of inner knots at or below y; the same product that counts them adds the
    offsets of the eight rows.
    """
    bins, active = block.bins, block.active
    last_axis, first = g.integers([1]), bins + 2
    inner, total = (
        g.op("Slice", sums, g.integers([a * active]), g.integers([b * active]), last_axis)
        for a, b in ((first, first + bins - 1), (first + bins - 1, first + bins))
    )
    position = g.op("Mul", unit, total)
    spread = np.kron(np.ones((1, bins - 1)), np.eye(active))
    above = g.op("Gemm", position, g.constant(spread), inner, alpha=-1.0)
    passed = g.cast(g.op("LessOrEqual", above, g.constant(0.0)), "float32")
    x_row, y_row = bins - 1, 2 * bins
    offsets = [x_row, x_row + 1, x_row + bins, y_row, y_row + 1, y_row + bins, -1, 0]
    moves = np.array([[1, 1, 0, 1, 1, 0, 1, 1]])
    count = np.kron(np.kron(np.ones((bins - 1, 1)), moves), np.eye(active))
    rows = g.dense(passed, count, np.repeat(offsets, active))
    return position, g.reshape(g.cast(rows, "int64"), 0, 8, active)
