"""Showers every engine must reproduce, and how far float32 may be from float64.

The bound is a first-order forward error analysis. One coupling block in float32 is off by
``roundings * u * size`` in each coordinate it transforms, u = 2^-24 and size = the width of the
spline's square (or the terms of the affine map); the condition and the features are off by a few u,
the features also by the table's interpolation error. The Jacobian of everything that follows,
taken by autograd in float64, carries each of these errors to the coordinates and on to the
logarithms of the layer energies, where their absolute values are added.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from fastcaloq_infer.artefact.provenance import Parity
from fastcaloq_infer.errors import ModelError
from fastcaloq_infer.flow.spline import RationalQuadraticSpline

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    from fastcaloq_infer.artefact.sections import Ranges
    from fastcaloq_infer.flow import EnergyFlow
    from fastcaloq_infer.flow.coupling import CouplingBlock

UNIT = 2.0**-24
ROWS = 16
_SEED = 20_251
_CANDIDATES = 16  # per row: the first one that is well conditioned is taken
_WELL_CONDITIONED = 1e-4
_LARGEST_TOLERANCE = 0.1


@dataclass(frozen=True)
class Reference:
    """Showers in float64 with the bound of a float32 engine; N showers, L layers.

    ``quantum`` (N, Q) are the conditioner's own features, rounded to float32.
    ``relative_bound`` (N,) holds for every layer energy of the shower. Where ``near_edge`` (N,)
    is set, a coordinate lies so close to the edge of an empty layer's interval that rounding may
    decide whether the layer is empty.
    """

    incident_energy: NDArray[np.float32]
    eta: NDArray[np.float32]
    z_energy: NDArray[np.float32]
    quantum: NDArray[np.float32]
    layer_energy: NDArray[np.float64]
    relative_bound: NDArray[np.float64]
    near_edge: NDArray[np.bool_]

    def excess(self, layer_energy: NDArray[np.floating], floor: float) -> NDArray[np.float64]:
        """Deviation of an engine's (N, L) over the bound, (N,); 1 is the limit, edges count 0.

        ``floor`` [MeV] is the absolute tolerance.
        """
        deviation = np.abs(layer_energy.astype(np.float64) - self.layer_energy)
        allowed = floor + self.relative_bound[:, None] * self.layer_energy
        return np.where(self.near_edge, 0.0, (deviation / allowed).max(axis=1))


def _local_error(block: CouplingBlock, before: Tensor, after: Tensor) -> Tensor:
    """Error (N, L) one inverse coupling adds to its result, in units of u."""
    coupling = block.coupling
    # Raw parameters move the result by at most `size` per unit.
    subnet = coupling.subnet.roundings
    univariate = coupling.univariate
    if isinstance(univariate, RationalQuadraticSpline):
        # K/2 for the partial sums, 8 for the arithmetic of the bin.
        error = torch.full_like(after, (8 + 0.5 * univariate.bins + subnet))
        error = error * 2.0 * univariate.tail_bound
    else:
        # x = (y - t) e^-s: |t| e^-s <= |x| + |y| e^-s.
        amplification = math.exp(univariate.log_scale_bound)  # type: ignore[attr-defined]
        error = (4 + subnet) * (after.abs() + amplification * before.abs())
    error[:, : coupling.passive] = 0.0
    return error.detach()


def reference(
    flow: EnergyFlow,
    incident_energy: NDArray[np.float32],
    eta: NDArray[np.float32],
    z_energy: NDArray[np.float32],
    feature_error: float = 0.0,
) -> Reference:
    """Run ``flow`` (float64) and bound the error of float32.

    ``incident_energy`` (N,) MeV, ``eta`` (N,), ``z_energy`` (N, L); ``feature_error`` is the
    absolute interpolation error of the features.
    """
    energies, etas, z = (
        torch.from_numpy(a.astype(np.float64)) for a in (incident_energy, eta, z_energy)
    )
    with torch.no_grad():
        context = flow.context(energies, etas)
    context.requires_grad_(True)
    places, errors = [context], [(4.0 + 2.0 * context.abs()).detach() * UNIT]
    errors[0][:, 2:] += feature_error
    x = z
    for block in reversed(flow.coupling_blocks):
        before = x
        v, _ = block.coupling.inverse(x, context)
        local = _local_error(block, before, v)
        w, _ = block.permutation.inverse(v, context)
        local, _ = block.permutation.inverse(local, context)
        x, _ = block.actnorm.inverse(w, context)
        local = local * (-block.actnorm.log_scale.detach()).exp()
        local = local + 2.0 * (x.detach().abs() + block.actnorm.shift.detach().abs())
        places.append(x)
        errors.append(local * UNIT)
    x_error = _propagate(lambda k: x[:, k], x.shape[1], places, errors)

    leaf = x.detach().requires_grad_(True)
    layer_energy = flow.preprocessing.inverse(leaf, energies)
    logs = torch.where(layer_energy > 0, layer_energy, 1.0).log()
    bound = _propagate(lambda i: logs[:, i], x.shape[1], [leaf], [x_error])
    decode = 32.0 * UNIT * (1.0 + (logs.detach() - energies.log().unsqueeze(1)).abs())
    bound = torch.where(layer_energy > 0, bound + decode, 0.0)
    edges = torch.stack([flow.preprocessing.lower, flow.preprocessing.upper])
    near = ((leaf.detach().unsqueeze(1) - edges).abs() < 10.0 * x_error.unsqueeze(1)).any(2).any(1)
    return Reference(
        incident_energy,
        eta,
        z_energy,
        context.detach()[:, 2:].numpy().astype(np.float32),
        layer_energy.detach().numpy(),
        bound.detach().numpy().max(axis=1),
        near.numpy(),
    )


def _propagate(
    value: Callable[[int], Tensor], count: int, places: list[Tensor], errors: list[Tensor]
) -> Tensor:
    """Sum of abs(d value_k / d place) * error over all places, (N, count)."""
    columns = []
    for k in range(count):
        gradients = torch.autograd.grad(
            value(k).sum(), places, retain_graph=True, allow_unused=True
        )
        columns.append(
            sum(
                (gradient.abs() * error).sum(dim=1)
                for gradient, error in zip(gradients, errors, strict=True)
                if gradient is not None
            )
        )
    return torch.stack(columns, dim=1)  # type: ignore[arg-type]


def absolute_tolerance(flow: EnergyFlow) -> float:
    """Return a tenth of the energy (MeV) below which a layer counts as empty; at least 1 eV."""
    return max(0.1 * flow.preprocessing.energy_threshold, 1e-6)


def draw(
    flow: EnergyFlow,
    validity: Ranges,
    place: NDArray[np.float64],
    seed: int,
    feature_error: float,
) -> Reference:
    """Draw reference showers; ``place`` (N,) in [0, 1] is their log energy in the valid range."""
    random = np.random.Generator(np.random.Philox(seed))
    low, high = (math.log(e) for e in validity.incident_energy)
    rows = len(place)
    energy = np.exp(low + (high - low) * place).astype(np.float32)
    energy = energy.clip(*np.array(validity.incident_energy, dtype=np.float32))
    eta = random.uniform(*validity.eta, rows).astype(np.float32)
    eta = eta.clip(*np.array(validity.eta, dtype=np.float32))
    z = random.standard_normal((rows, flow.n_layers)).astype(np.float32)
    return reference(flow, energy, eta, z, feature_error)


def parity_vectors(
    flow: EnergyFlow, validity: Ranges, feature_error: float, *, served: bool = False
) -> Parity:
    """Choose `ROWS` showers over the range of validity and state the tolerance they need.

    Of several candidates at each energy the first well-conditioned one is taken: a shower whose
    bound is large would make the tolerance of all the others useless. With ``served`` their
    features are among the inputs.

    Raises
    ------
    ModelError
        If the flow is so steep that float32 cannot represent it.
    """
    place = np.tile(np.linspace(0.0, 1.0, ROWS), _CANDIDATES)
    pool = draw(flow, validity, place, _SEED, feature_error)
    bounds = np.where(pool.near_edge, np.inf, pool.relative_bound).reshape(_CANDIDATES, ROWS)
    fine = bounds < _WELL_CONDITIONED
    candidate = np.where(fine.any(axis=0), fine.argmax(axis=0), bounds.argmin(axis=0))
    chosen = candidate * ROWS + np.arange(ROWS)
    tolerance = float(bounds.ravel()[chosen].max())
    if not tolerance < _LARGEST_TOLERANCE:
        raise ModelError(
            f"float32 would change the layer energies by up to {100 * tolerance:.0f} %: the flow "
            "is too steep to be run in single precision; train it longer, or with fewer bins"
        )
    return Parity(
        incident_energy=tuple(pool.incident_energy[chosen].tolist()),
        eta=tuple(pool.eta[chosen].tolist()),
        z_energy=tuple(map(tuple, pool.z_energy[chosen].tolist())),
        quantum=tuple(map(tuple, pool.quantum[chosen].tolist())) if served else None,
        layer_energy=tuple(map(tuple, pool.layer_energy[chosen].tolist())),
        relative_tolerance=tolerance,
        absolute_tolerance=absolute_tolerance(flow),
    )
