"""A trained circuit as ONNX nodes, wherever in the model it sits."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fastcaloq_infer.artefact.architecture import CardCircuit
    from fastcaloq_infer.export.graph import Graph


def circuit_nodes(g: Graph, card: CardCircuit, c: str, name: str) -> str:
    """Append a circuit as real matrices: phases exp(-i phi(c)) between constant unitaries.

    ``c`` [N, n_inputs] to features [N, Q]; ``name`` is what its initialisers' names begin with.

    With state = [re, im] as a row, an upload turns it to [re cos + im sin, im cos - re sin] and
    multiplies the real form [2D, 2D] of what follows. The first upload meets a constant state, so
    that [cos, sin] is multiplied by a matrix with the state inside, folded at load.
    """
    if card.monomial_degree == 2:
        c = g.concat(c, _products(g, card.n_inputs, c))
    dimension = g.shape(f"{name}.0.phases")[1]
    state = ""
    upload = 0
    while g.has(f"{name}.{upload}.phases"):
        phi = g.op("MatMul", c, g.parameter(f"{name}.{upload}.phases"))
        cos, sin = g.op("Cos", phi), g.op("Sin", phi)
        matrix = g.parameter(f"{name}.{upload}.matrix")
        if upload == 0:
            turned, matrix = g.concat(cos, sin), _with_initial_state(g, matrix, dimension, name)
        else:
            re, im = g.split(state, [dimension, dimension])
            turned = g.concat(
                g.op("Add", g.op("Mul", re, cos), g.op("Mul", im, sin)),
                g.op("Sub", g.op("Mul", im, cos), g.op("Mul", re, sin)),
            )
        state = g.op("MatMul", turned, matrix)
        upload += 1
    readout = g.parameter(f"{name}.readout")
    return g.op("MatMul", g.op("Mul", state, state), g.concat(readout, readout, axis=0))


def _products(g: Graph, n_inputs: int, c: str) -> str:
    """Products c_p c_q, p <= q, in the order of `fastcaloq_infer.quantum.constants.monomials`."""
    left, right = np.array(list(combinations_with_replacement(range(n_inputs), 2))).T
    one_hot = np.eye(n_inputs)
    return g.op("Mul", g.dense(c, one_hot[:, left]), g.dense(c, one_hot[:, right]))


def _with_initial_state(g: Graph, matrix: str, dimension: int, name: str) -> str:
    """[cos, sin] @ result = [re cos + im sin, im cos - re sin] @ matrix, re and im constant."""
    state = g.reshape(g.parameter(f"{name}.initial_state"), 2 * dimension, 1)
    re, im = g.split(state, [dimension, dimension], axis=0)
    upper, lower = g.split(matrix, [dimension, dimension], axis=0)
    cos = g.op("Add", g.op("Mul", re, upper), g.op("Mul", im, lower))
    sin = g.op("Sub", g.op("Mul", im, upper), g.op("Mul", re, lower))
    return g.concat(cos, sin, axis=0)
