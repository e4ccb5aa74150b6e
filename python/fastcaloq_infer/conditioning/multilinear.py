"""The free multilinear table: every circuit without re-uploading is a point in its family."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from fastcaloq_infer.conditioning.base import Conditioner
from fastcaloq_infer.quantum.contracted import ContractedCircuit
from fastcaloq_infer.quantum.distinct import distinct_rows

if TYPE_CHECKING:
    from fastcaloq_infer.quantum.circuit import Circuit


def _products(angles: Tensor) -> Tensor:
    """Products of one of (1, cos x_j, sin x_j) per angle: (B, n) to (B, 3^n), x_0 slowest."""
    single = torch.stack([torch.ones_like(angles), angles.cos(), angles.sin()], dim=2)
    return reduce(
        lambda left, right: (left[:, :, None] * right[:, None, :]).flatten(1), single.unbind(1)
    )


@torch.no_grad()
def multilinear_table(circuit: ContractedCircuit) -> Tensor:
    r"""Coefficients (3^n, Q), float64, of the multilinear functions that a circuit computes.

    A rotation of :math:`|0\rangle` by :math:`x_j` about Y has the density matrix
    :math:`(1 + \cos x_j Z + \sin x_j X)/2` (about X: :math:`-Y` for :math:`X`), so before the
    layers the state is a product of such factors, and every expectation value after them is linear
    in each: :math:`f_i = \sum_a T_{ai} \prod_j \varphi_{a_j}(x_j)`,
    :math:`\varphi = (1, \cos, \sin)`. The coefficients follow exactly from the values on the grid
    :math:`x_j \in \{0, 2\pi/3, 4\pi/3\}`, by the inverse of the 3 x 3 matrix of
    :math:`\varphi` there, axis by axis.

    The circuit must have one upload and an encoding without pairs.
    """
    n = circuit.circuit.n_qubits
    free = ContractedCircuit(circuit.circuit.model_copy(update={"n_inputs": n})).double()
    free.input_weights.copy_(torch.eye(n, dtype=torch.float64)[None])
    free.weights.copy_(circuit.weights)
    nodes = torch.arange(3, dtype=torch.float64) * (2.0 * torch.pi / 3.0)
    grid = torch.cartesian_prod(*([nodes] * n)).reshape(-1, n)
    values: Tensor = free(grid)
    inverse = torch.linalg.inv(_products(nodes[:, None]))
    table = values.reshape(*([3] * n), -1)
    for axis in range(n):
        table = torch.movedim(torch.tensordot(inverse, table, dims=([1], [axis])), 0, axis)
    return table.reshape(3**n, -1)


class MultilinearConditioner(Conditioner):
    r"""Features :math:`f_i(c) = \sum_a T_{ai} \prod_j \varphi_{a_j}(w_j \cdot c)`, T free.

    :math:`\varphi = (1, \cos, \sin)`, n angles :math:`w_j \cdot c` with trained weights as the
    circuit has them, and a free real table T of 3^n numbers per feature. The family holds all
    features of all circuits with one upload and an encoding without pairs, whatever gates follow;
    it is larger (its features are not confined to [-1, 1]), and takes far more parameters. The
    table starts as that of a circuit with random weights, so both begin at the same features.
    """

    kind = "multilinear"

    def __init__(self, circuit: Circuit) -> None:
        super().__init__()
        self.n_features = circuit.n_features
        start = ContractedCircuit(circuit)
        self.input_weights = nn.Parameter(start.input_weights.detach()[0].clone())
        self.table = nn.Parameter(multilinear_table(start).to(start.weights.dtype))

    def forward(self, c: Tensor) -> Tensor:
        """Features (N, Q) of conditions (N, 2)."""
        c = self.checked(c, self.input_weights.shape[1])
        distinct = distinct_rows(c)
        if distinct is None:
            return self._features(c)
        # embedding: its gradient sums equal rows in a fixed order, whatever the threads.
        return functional.embedding(distinct[1], self._features(distinct[0]))

    def _features(self, c: Tensor) -> Tensor:
        return _products(functional.linear(c, self.input_weights)) @ self.table
