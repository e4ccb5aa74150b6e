"""Coupling: one part of the coordinates, with the context, sets the bijection of the other."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn

from fastcaloq_infer.flow.actnorm import ActNorm
from fastcaloq_infer.flow.permutation import Permutation
from fastcaloq_infer.flow.transform import Composition, Transform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from fastcaloq_infer.flow.univariate import Univariate

__all__ = ["Coupling", "CouplingBlock", "CouplingNetwork", "Subnet"]

_ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "silu": nn.SiLU}


class CouplingNetwork(nn.Module, ABC):
    """What gives a coupling its parameters: (N, passive + context) to (N, outputs).

    Outputs start at zero: zero parameters make the coupling the identity, so that training starts
    from the normalised data (the habit of Glow, arXiv:1807.03039, section 3.3).
    """

    @property
    @abstractmethod
    def roundings(self) -> float:
        """Estimate of the roundings, in units of the last place of 1, in an output of float32."""


class Subnet(nn.Sequential, CouplingNetwork):
    """A small multi-layer perceptron whose last layer starts at zero."""

    def __init__(self, inputs: int, hidden: Sequence[int], outputs: int, activation: str) -> None:
        layers: list[nn.Module] = []
        for before, after in pairwise((inputs, *hidden)):
            layers += [nn.Linear(before, after), _ACTIVATIONS[activation]()]
        last = nn.Linear((inputs, *hidden)[-1], outputs)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        super().__init__(*layers, last)

    @property
    def linears(self) -> list[nn.Linear]:
        """The linear layers in order."""
        return [layer for layer in self if isinstance(layer, nn.Linear)]

    def forward(self, rows: Tensor) -> Tensor:
        """Map inputs (N, inputs) to outputs (N, outputs)."""
        *hidden, last = self
        for layer in hidden:
            rows = layer(rows)
        assert isinstance(last, nn.Linear)  # noqa: S101  nn.Sequential forgets the type
        # Outputs lie side by side for all rows, which is how the elementwise maps go over them.
        return torch.addmm(last.bias[:, None], last.weight, rows.T).T

    @property
    def roundings(self) -> float:
        """A dot product of n terms adds about sqrt(n) / 2."""
        return sum(0.5 * math.sqrt(linear.in_features) for linear in self.linears)


class Coupling(Transform):
    """z = (a, f(b; subnet(a, context))) with x = (a, b), a the first ``passive`` coordinates.

    ``subnet`` has one output for each parameter of each of the ``active`` coordinates,
    parameter-major.
    """

    def __init__(
        self, passive: int, active: int, univariate: Univariate, subnet: CouplingNetwork
    ) -> None:
        super().__init__()
        self.passive = passive
        self.active = active
        self.univariate = univariate
        self.subnet = subnet

    def _theta(self, a: Tensor, context: Tensor) -> Tensor:
        raw: Tensor = self.subnet(torch.cat([a, context], dim=1))
        return raw.reshape(-1, self.univariate.n_parameters, self.active)

    def forward(self, x: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Transform the active part."""
        a, b = x[:, : self.passive], x[:, self.passive :]
        b, log_slope = self.univariate.forward(b, self._theta(a, context))
        return torch.cat([a, b], dim=1), log_slope.sum(dim=1)

    def inverse(self, z: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Transform the active part back; the passive part gives the same parameters."""
        a, b = z[:, : self.passive], z[:, self.passive :]
        b, log_slope = self.univariate.inverse(b, self._theta(a, context))
        return torch.cat([a, b], dim=1), log_slope.sum(dim=1)


class CouplingBlock(Composition):
    """Activation normalisation, a permutation, a coupling: the unit the C++ kernels fuse."""

    def __init__(self, permutation: Sequence[int], coupling: Coupling) -> None:
        features = coupling.passive + coupling.active
        super().__init__([ActNorm(features), Permutation(permutation), coupling])

    @property
    def actnorm(self) -> ActNorm:
        """The first step."""
        return self.transforms[0]  # type: ignore[return-value]

    @property
    def permutation(self) -> Permutation:
        """The second step."""
        return self.transforms[1]  # type: ignore[return-value]

    @property
    def coupling(self) -> Coupling:
        """The third step."""
        return self.transforms[2]  # type: ignore[return-value]
