"""The normal distribution function as ONNX nodes, accurate in both tails.

ONNX has ``Erf`` alone, and 1 - erf loses all digits in the tail, where the latents of rare voxels
lie. With a = abs(z) the tail is Phi(-a) = exp(-a^2 / 2) t P(t), t = 1 / (1 + a / 4), P the
polynomial of degree 9 closest to erfcx(a / sqrt(2)) / (2 t) in the sense of
Chebyshev: relative
error 4e-8 for every a, and 3e-6 up to a = 7 in float32, whose exp(-a^2 / 2) decides it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fastcaloq_infer.export.graph import Graph

RECIPROCAL: Final = 0.25
COEFFICIENTS: Final = (
    0.099735566,
    0.0997365814,
    0.0934614767,
    0.0816626947,
    0.0586182717,
    0.0648789399,
    -0.0339754939,
    0.0980847409,
    -0.0823398044,
    0.0201370329,
)
"""Of t^0 to t^9 in P."""


def tails(g: Graph, z: str) -> tuple[str, str]:
    """Phi(z) and Phi(-z), of the shape of ``z``."""
    g.scope("normal")
    one = g.constant(1.0)
    a = g.op("Abs", z)
    t = g.op("Reciprocal", g.op("Add", g.op("Mul", a, g.constant(RECIPROCAL)), one))
    value = g.constant(COEFFICIENTS[-1])
    for coefficient in reversed((0.0, *COEFFICIENTS[:-1])):
        value = g.op("Mul", value, t)
        if coefficient:
            value = g.op("Add", value, g.constant(coefficient))
    half_square = g.op("Mul", g.op("Mul", a, a), g.constant(-0.5))
    tail = g.op("Mul", value, g.op("Exp", half_square))
    rest = g.op("Sub", one, tail)
    below = g.op("Less", z, g.constant(0.0))
    return g.op("Where", below, tail, rest), g.op("Where", below, rest, tail)
