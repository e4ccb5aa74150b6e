"""Real amplitudes as coordinates: stereographic projection of the unit sphere.

The states of n qubits with real amplitudes are the sphere in D = 2**n dimensions. Seen from the
pole -|0...0> it is all of R^(D-1), every point once, save for the pole itself, which is infinity::

    psi_0 = (1 - |u|^2) / (1 + |u|^2)    psi_i = 2 u_i / (1 + |u|^2)    u_i = psi_i / (1 + psi_0)

Lengths near u shrink by 1 + psi_0 = 2 / (1 + |u|^2) in every direction alike (the map is
conformal), volumes by its power D - 1 (e.g. J. Ratcliffe, Foundations of Hyperbolic Manifolds,
section 4.2).
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["decode", "encode"]

#: Of |psi_rest|^2: nearer to the pole than half a last digit, the state is taken to be this far.
_NEAREST = 1e-32


def encode(u: Tensor) -> tuple[Tensor, Tensor]:
    """Amplitudes (N, D) of coordinates (N, D - 1); also the log (N,) of the lengths' factor.

    Both in the dtype of ``u``; float64 for a round trip to 1e-12.
    """
    one = 1.0 + u.square().sum(dim=1, keepdim=True)
    return torch.cat([2.0 / one - 1.0, 2.0 * u / one], dim=1), (2.0 / one[:, 0]).log()


def decode(psi: Tensor) -> tuple[Tensor, Tensor]:
    """Coordinates (N, D - 1) of unit amplitudes (N, D); also the log (N,) of the lengths' factor.

    Beyond the equator 1 + psi_0 is taken from the other amplitudes: it would lose its digits.
    """
    first, rest = psi[:, :1], psi[:, 1:]
    below = rest.square().sum(dim=1, keepdim=True).clamp(min=_NEAREST) / (1.0 - first.clamp(max=0))
    factor = torch.where(first > 0, 1.0 + first, below)
    return rest / factor, factor[:, 0].log()
