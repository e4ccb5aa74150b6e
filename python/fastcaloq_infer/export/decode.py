"""The inverse of the energy preprocessing as ONNX nodes: coordinates to layer energies in MeV."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.artefact.sections import CardPreprocessing, Condition
    from fastcaloq_infer.export.graph import Graph

_EMPTY = -1e30  # stands for log(0): products with it stay finite, its exponential is exactly 0


def decode(
    g: Graph, card: CardPreprocessing, condition: Condition, x: str, incident_energy: str, c0: str
) -> str:
    """Coordinates [N, L], incident energy [N, 1] MeV and its scaled logarithm to energies [N, L].

    An empty layer's t becomes -1e30 (or +1e30 where the rest is empty), so its energy
    E_inc exp(t) is exactly 0, or its fraction 1 / (1 + exp(-t)) exactly 0 (or 1): zeros need no
    selection and no NaN can arise.
    """
    g.scope("decode")
    n, alone = len(card.coordinates), 1 + card.n_absolute
    shared = n - alone
    mean, scale = _standard(g, card, condition, c0)
    t = g.op("Add", mean, g.op("Mul", scale, _below_ceiling(g, card, _unsqueeze(g, card, x))))
    # Exponents: t of the energies that stand alone, then -t_k and +t_k of each fraction.
    signs = np.zeros((n, alone + 2 * shared))
    signs[:alone, :alone] = np.eye(alone)
    signs[alone:, alone : alone + shared] = -np.eye(shared)
    signs[alone:, alone + shared :] = np.eye(shared)
    powers = g.op("Exp", g.dense(t, signs))
    responses, fractions = [powers], []
    if shared:
        *responses, odds = g.split(powers, [1] * alone + [2 * shared])
        one = g.constant(1.0)
        fractions = g.split(g.op("Div", one, g.op("Add", odds, one)), [1] * (2 * shared))
    elif alone > 1:
        responses = g.split(powers, [1] * alone)
    rest, *energies = (g.op("Mul", incident_energy, response) for response in responses)
    for taken, left in zip(fractions[:shared], fractions[shared:], strict=True):
        energies.append(g.op("Mul", rest, taken))
        rest = g.op("Mul", rest, left)
    chain = dict(zip(card.layer_order, [*energies, rest], strict=True))
    return g.concat(*(chain[layer] for layer in range(n)))


def _standard(g: Graph, card: CardPreprocessing, condition: Condition, c0: str) -> tuple[str, str]:
    """Mean and scale [N, L], piecewise linear in log energy, as a sum of hinges.

    f(l) = f_0 + s_0 (relu(l - k_0) - relu(k_0 - l)) + sum_j (s_j - s_{j-1}) relu(l - k_j):
    two products, however many knots. l comes as c_0, which has lost less to rounding than log(E).
    """
    n, knots = len(card.coordinates), np.asarray(card.knots)
    values = np.array(
        [[*c.mean] for c in card.coordinates] + [[*c.scale] for c in card.coordinates]
    ).T
    if len(knots) == 1:
        slopes = np.zeros((1, 2 * n))
    else:
        slopes = np.diff(values, axis=0) / np.diff(knots)[:, None]
    inner = knots[1:-1]
    signs = np.array([1.0, -1.0, *np.ones(len(inner))])
    starts = np.array([knots[0], knots[0], *inner])
    hinges = g.dense(
        c0,
        (signs * condition.log_energy_half_width)[None, :],
        signs * (condition.log_energy_center - starts),
    )
    weights = np.vstack([slopes[:1], -slopes[:1], np.diff(slopes, axis=0)])
    mean, scale = g.split(g.dense(g.op("Relu", hinges), weights, values[0]), [n, n])
    return mean, scale


def _unsqueeze(g: Graph, card: CardPreprocessing, x: str) -> str:
    """Undo the soft bounds: y = x + [G(kappa (x - b)) - G(kappa (B - x))] / kappa.

    G(u) = log(1 - exp(-u)); all four cases of the preprocessing have this form, with G = 0 for a
    bound that does not exist. Only existing bounds get a column. 1 - exp(-u) in float32 is off by
    6e-8, less than u itself, which comes from a difference of numbers of the size of b.
    """
    columns = [
        (k, sign, bound, c.sharpness)
        for k, c in enumerate(card.coordinates)
        for sign, bound in ((1.0, c.lower), (-1.0, c.upper))
        if bound is not None
    ]
    if not columns:
        return x
    into, bias, back = _columns(len(card.coordinates), columns)
    minus_u = g.op("Min", g.dense(x, into, bias), g.constant(0.0))
    inside = g.op("Sub", g.constant(1.0), g.op("Exp", minus_u))
    # Outside the bound minus_u is 0 and the logarithm -inf: the value of an empty layer.
    log_inside = g.op("Max", g.op("Log", inside), g.constant(_EMPTY))
    return g.op("Gemm", log_inside, g.constant(back), x)


def _below_ceiling(g: Graph, card: CardPreprocessing, y: str) -> str:
    """Keep values below their ceilings: y - softplus(kappa (y - ceiling)) / kappa."""
    columns = [
        (k, -1.0, c.ceiling, c.sharpness)
        for k, c in enumerate(card.coordinates)
        if c.ceiling is not None
    ]
    if not columns:
        return y
    into, bias, back = _columns(len(card.coordinates), columns)
    excess = g.op("Softplus", g.dense(y, into, bias))
    return g.op("Gemm", excess, g.constant(back), y)


def _columns(
    n: int, columns: list[tuple[int, float, float, float]]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Matrices to and from one column per bound (coordinate k, sign, bound b, sharpness kappa).

    A column is sign kappa (b - x_k), and comes back to coordinate k times sign / kappa:
    (n, len), (len,) and (len, n).
    """
    into, back = np.zeros((n, len(columns))), np.zeros((len(columns), n))
    bias = np.zeros(len(columns))
    for j, (k, sign, bound, sharpness) in enumerate(columns):
        into[k, j], bias[j] = -sign * sharpness, sign * sharpness * bound
        back[j, k] = sign / sharpness
    return into, bias, back
