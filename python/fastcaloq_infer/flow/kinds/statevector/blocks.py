"""Coupling through a state: active coordinates become amplitudes, are turned, and read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from fastcaloq_infer.flow.actnorm import ActNorm
from fastcaloq_infer.flow.coupling import Subnet
from fastcaloq_infer.flow.kinds.statevector.projection import decode, encode
from fastcaloq_infer.flow.permutation import Permutation
from fastcaloq_infer.flow.transform import Composition, Transform
from fastcaloq_infer.quantum.evolution import Evolution

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from fastcaloq_infer.flow.kinds.statevector.config import StateVectorConfig

__all__ = ["StateBlock", "StateCoupling"]

_PASSIVE_SCALE = 3.0  # rotations are periodic: a rare coordinate must not look like a common one
_START = 0.1  # of the usual spread of angles: blocks start near a permutation of the coordinates


class StateCoupling(Transform):
    """z = (a, r M(b / r; a, context)), x = (a, b), M a Moebius map of R^(2^n - 1).

    b / r is encoded in real amplitudes (`projection`), a circuit of RY and CNOT whose angles are
    set by a and the context turns the sphere, and the amplitudes are read back. Turns keep volumes
    on the sphere, so log|det| is 2^n - 1 times the log of the ratio of the projections' factors.

    Parameters
    ----------
    config
        Circuit and scale.
    features, context
        Coordinates, and numbers besides that set the angles.
    hidden, activation
        Network that sets the angles; no hidden layer: an affine map.
    """

    def __init__(
        self,
        config: StateVectorConfig,
        features: int,
        context: int,
        hidden: Sequence[int],
        activation: str,
    ) -> None:
        super().__init__()
        self.active = 2**config.n_qubits - 1
        self.passive = features - self.active
        self.evolution = Evolution(config.circuit, spread=_START)
        uploads, qubits = self.evolution.angles_shape
        self._n_angles = uploads * qubits
        self.log_radius = nn.Parameter(torch.tensor(config.radius).log())
        outputs = self._n_angles + config.dilation
        self.subnet = Subnet(self.passive + context, hidden, outputs, activation)

    def forward(self, x: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Turn the active part."""
        return self._through(x, context, adjoint=False)

    def inverse(self, z: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Turn the active part back; the passive part gives the same angles."""
        return self._through(z, context, adjoint=True)

    def _through(self, x: Tensor, context: Tensor, *, adjoint: bool) -> tuple[Tensor, Tensor]:
        a, b = x[:, : self.passive], x[:, self.passive :]
        seen = torch.cat([torch.tanh(a / _PASSIVE_SCALE), context], dim=1)
        set_by: Tensor = self.subnet(seen).to(torch.float64)
        angles = set_by[:, : self._n_angles].reshape(-1, *self.evolution.angles_shape)
        before = after = self.log_radius.to(torch.float64)
        if set_by.shape[1] > self._n_angles:
            after = before + torch.tanh(set_by[:, -1])
        if adjoint:
            before, after = after, before
        psi, log_before = encode(b.to(torch.float64) * (-before).exp().reshape(-1, 1))
        turn = self.evolution.adjoint if adjoint else self.evolution
        turned: Tensor = turn(psi[:, None].to(torch.complex128), angles)
        u, log_after = decode(turned[:, 0].real)
        log_abs_det = self.active * (log_before - log_after + (after - before))
        y = torch.cat([a, (u * after.exp().reshape(-1, 1)).to(x.dtype)], dim=1)
        return y, log_abs_det.to(x.dtype)


class StateBlock(Composition):
    """Activation normalisation, a permutation, a coupling through a state."""

    def __init__(self, permutation: Sequence[int], coupling: StateCoupling) -> None:
        features = coupling.passive + coupling.active
        super().__init__([ActNorm(features), Permutation(permutation), coupling])

    @property
    def actnorm(self) -> ActNorm:
        """The first step."""
        return self.transforms[0]  # type: ignore[return-value]
