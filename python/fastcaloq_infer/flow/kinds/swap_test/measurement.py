"""A register that is prepared, evolved and measured, as a map of coordinates.

x is prepared as a product state, a circuit acts, and every qubit's <Z> is measured: y = f(x). The
unitary can be undone, the measurement cannot: other states have the same y. f is univocal where the
states that occur are told apart by y, which is what the fidelity with the inverse preparation
measures: if S(y)|0> is the measured state for all x, then f is injective. Elsewhere log|det| is
still that of the forward map, but summed over x the density counts latents twice where the map
folds, and misses those that no x reaches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import nn

from fastcaloq_infer.flow.actnorm import ActNorm
from fastcaloq_infer.flow.kinds.swap_test.preparation import InversePreparation, overlap
from fastcaloq_infer.flow.kinds.swap_test.register import (
    coordinates,
    expectations,
    measured,
    prepare,
    product_states,
    signs,
)
from fastcaloq_infer.flow.kinds.swap_test.solve import solve
from fastcaloq_infer.flow.permutation import Permutation
from fastcaloq_infer.flow.transform import Composition, Transform
from fastcaloq_infer.quantum.circuit import Circuit
from fastcaloq_infer.quantum.evolution import Evolution

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from fastcaloq_infer.flow.kinds.swap_test.config import SwapTestConfig

__all__ = ["MeasuredBlock", "Measurement", "Observation"]


class Observation(NamedTuple):
    """What a register does to N coordinates; all float64 or complex128.

    Attributes
    ----------
    z
        Latents (N, n), -scale * atanh(<Z>).
    jacobian
        dz_k/dx_i, (N, n, n).
    states
        The states that are measured, (N, 2**n).
    values
        Measured <Z>, (N, n).
    """

    z: Tensor
    jacobian: Tensor
    states: Tensor
    values: Tensor


class Measurement(Transform):
    """z = -s atanh <Z> of the evolved product state of x; one qubit per coordinate.

    ``forward`` has the exact log|det|. ``inverse`` is the learnt inverse preparation, undone by the
    adjoint circuit; without gradients it is polished by Newton's method on the forward map, to
    rounding where that converges (`invert` says where).

    Parameters
    ----------
    config
        Circuit, inverse preparation, scale.
    features, context
        Coordinates, and numbers besides that turn the qubits before every layer.
    """

    def __init__(self, config: SwapTestConfig, features: int, context: int) -> None:
        super().__init__()
        circuit = Circuit(
            n_qubits=features,
            n_layers=config.n_layers,
            ansatz="rotation_ising",
            encoding="angle_y",
            reuploading=True,
        )
        self.scale = config.scale
        self.newton_steps = config.newton_steps
        self.evolution = Evolution(circuit, spread=0.1)
        self.condition = nn.Linear(context, config.n_layers * features, bias=False)
        nn.init.zeros_(self.condition.weight)
        self.preparation = InversePreparation(
            features, config.preparation_layers, context, config.preparation_hidden
        )
        # float64 whatever the weights are: module.float() must not round it.
        self._signs = signs(features)

    def observe(self, x: Tensor, context: Tensor) -> Observation:
        """Prepare, evolve and measure coordinates (N, n) with context (N, C)."""
        x = x.to(torch.float64)
        qubits, slopes = prepare(x, self.scale)
        n = x.shape[1]
        # Beside the state one tangent per coordinate, in which that qubit is its derivative.
        which = torch.eye(n, dtype=torch.bool, device=x.device)[None, :, :, None]
        tangents = torch.where(which, slopes[:, None], qubits[:, None])
        product = product_states(torch.cat([qubits[:, None], tangents], dim=1))
        evolved = self.evolution(product.to(torch.complex128), self._turns(context))
        states, tangents = evolved[:, 0], evolved[:, 1:]
        eigenvalues = self._signs.to(x.device)
        values = expectations(states, eigenvalues)
        weighted = states.conj()[:, None] * eigenvalues  # (N, n, D)
        slope = 2.0 * (weighted @ tangents.mT).real
        jacobian = -self.scale * slope / (1.0 - values.square())[..., None]
        return Observation(coordinates(values, self.scale), jacobian, states, values)

    def fidelity(self, observation: Observation, context: Tensor) -> Tensor:
        """Fidelity (N,) of the state prepared from the measured values with the measured one."""
        prepared: Tensor = self.preparation(observation.values, context)
        return overlap(prepared, observation.states)

    def forward(self, x: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Latents (N, n) and the exact log|det| (N,)."""
        observation = self.observe(x, context)
        log_abs_det = torch.linalg.slogdet(observation.jacobian).logabsdet
        return observation.z.to(x.dtype), log_abs_det.to(x.dtype)

    def learnt_inverse(self, z: Tensor, context: Tensor) -> Tensor:
        """Coordinates (N, n), float64: prepare from z, act with the adjoint circuit, measure."""
        prepared: Tensor = self.preparation(measured(z.to(torch.float64), self.scale), context)
        back = self.evolution.adjoint(prepared[:, None], self._turns(context))[:, 0]
        return coordinates(expectations(back, self._signs.to(z.device)), self.scale)

    @torch.no_grad()
    def invert(self, z: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Coordinates (N, n), float64, and whether (N,) the forward map takes them to z."""
        start = self.learnt_inverse(z, context)
        if not self.newton_steps:
            return start, torch.ones(len(z), dtype=torch.bool, device=z.device)

        def step(x: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
            observation = self.observe(x, context[rows])
            return observation.z, observation.jacobian

        return solve(step, z.to(torch.float64), start, self.newton_steps, self.scale)

    def inverse(self, z: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Coordinates (N, n) and minus the log|det| (N,) of the forward map there."""
        if torch.is_grad_enabled():
            x = self.learnt_inverse(z, context)
        else:
            x = self.invert(z, context)[0]
        return x.to(z.dtype), -self.forward(x, context)[1].to(z.dtype)

    def _turns(self, context: Tensor) -> Tensor:
        turns: Tensor = self.condition(context.to(self.condition.weight.dtype)).to(torch.float64)
        return turns.reshape(-1, *self.evolution.angles_shape)


class MeasuredBlock(Composition):
    """Activation normalisation, a permutation, a measured register."""

    def __init__(self, permutation: Sequence[int], measurement: Measurement) -> None:
        super().__init__([ActNorm(len(permutation)), Permutation(permutation), measurement])

    @property
    def actnorm(self) -> ActNorm:
        """The first step."""
        return self.transforms[0]  # type: ignore[return-value]

    @property
    def measurement(self) -> Measurement:
        """The last step."""
        return self.transforms[2]  # type: ignore[return-value]
