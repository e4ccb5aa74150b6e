"""Whole showers every engine must reproduce, and how far float32 may be from float64.

The bound is measured: the float64 flow is run again with every number it uses moved by what float32
may do to it (weights and latents by a few roundings, tabulated features by their interpolation
error), and the largest change of a shower's voxels, times a safety factor, is its bound. So
rounding is carried through all steps, of which each sees the results of those before. Layer
energies have a bound of their own, which is no estimate and needs no such factor: they are moved by
that much less. They matter most: voxels follow them ten times over.

A latent whose quantile lies at the edge of an atom decides by rounding whether a voxel is empty,
and with it the rest of the shower. Edges move with the other numbers: a shower is excused where
one of its quantiles is no farther from an edge than that edge may move.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from fastcaloq_infer.artefact.shape import ShapeParity
from fastcaloq_infer.errors import ModelError
from fastcaloq_infer.export.parity import UNIT, Reference, draw
from fastcaloq_infer.export.quantiles import Recorder

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from fastcaloq_infer.artefact.sections import Ranges
    from fastcaloq_infer.flow import EnergyFlow
    from fastcaloq_infer.flow.shape.shape_flow import ShapeFlow

ROWS = 4
_SEED = 20_252
_CANDIDATES = 16
_WELL_CONDITIONED = 1e-3
_LARGEST_TOLERANCE = 0.1
_RUNS = 4  # with everything moved
_MOVE = 4.0 * UNIT
_SAFETY = 8.0
_LAYERS = 2.0 / _SAFETY  # of their bound; the 2 because few random signs are tried
_NUDGE = 1e-3  # parity vectors keep their quantiles this far from the edges of atoms


@dataclass(frozen=True)
class ShapeReference:
    """Whole showers in float64 with the bound of a float32 engine; N showers.

    ``quantum`` (N, Q) are the features of energies and shape, rounded to float32.
    ``relative_bound`` (N,) holds for every voxel beside the absolute tolerance. Where
    ``near_edge`` (N,) is set, rounding may decide whether a layer or a voxel is empty.
    """

    energy: Reference
    z_shape: NDArray[np.float32]
    quantum: NDArray[np.float32]
    voxel_energy: NDArray[np.float64]
    relative_bound: NDArray[np.float64]
    near_edge: NDArray[np.bool_]

    def excess(self, voxel_energy: NDArray[np.floating], floor: float) -> NDArray[np.float64]:
        """Deviation of an engine's (N, V) over the bound, (N,); 1 is the limit, edges count 0.

        ``floor`` [MeV] is the absolute tolerance. A voxel that is empty in one alone is infinitely
        far off.
        """
        found = voxel_energy.astype(np.float64)
        deviation = np.abs(found - self.voxel_energy)
        allowed = floor + self.relative_bound[:, None] * self.voxel_energy
        excess = (deviation / allowed).max(axis=1)
        excess[((found == 0) != (self.voxel_energy == 0)).any(axis=1)] = np.inf
        return np.where(self.near_edge, 0.0, excess)


def shape_floor(flow: ShapeFlow) -> float:
    """Return the absolute tolerance of voxels, MeV: below it the flow tells no energies apart."""
    return 1e-3 * flow.config.energy_scale


def draw_showers(
    flows: tuple[EnergyFlow, ShapeFlow],
    validity: Ranges,
    place: NDArray[np.float64],
    seed: int,
    feature_errors: tuple[float, float],
    *,
    nudge: float = 0.0,
) -> ShapeReference:
    """Draw whole reference showers; see `fastcaloq_infer.export.parity.draw`.

    With ``nudge`` the latents are moved until their quantiles are that far from all edges.
    """
    flow, shape = flows
    energy = draw(flow, validity, place, seed, feature_errors[0])
    random = torch.Generator().manual_seed(seed)
    z = torch.randn((len(place), shape.n_voxels), generator=random).double()
    energies, etas, layers = (
        torch.from_numpy(values.astype(np.float64))
        for values in (energy.incident_energy, energy.eta, energy.layer_energy)
    )
    recorder = Recorder(shape.density, nudge)
    with torch.no_grad():
        voxels = recorder.run(shape, z, layers, energies, etas)
        z[:, : shape.order.n_coordinates] = recorder.latents
        features = shape.conditioner(shape.condition(energies, etas))
        bound = _LAYERS * torch.from_numpy(energy.relative_bound)
        change = voxels.new_zeros(len(place))
        moved_edges = torch.full_like(recorder.margins, 2.0 * UNIT)
        for _ in range(_RUNS):
            again = Recorder(shape.density)
            other = again.run(
                _moved(shape, feature_errors[1], random),
                z * (1.0 + _MOVE * _normal(z, random)),
                layers * (1.0 + bound.unsqueeze(1) * (2.0 * _uniform(layers, random) - 1.0)),
                energies * (1.0 + UNIT * _normal(energies, random)),
                etas,
            )
            size = (other - voxels).abs() / (voxels + shape_floor(shape))
            change = torch.maximum(change, size.amax(dim=1))
            edges = (again.margins - recorder.margins).abs()
            moved_edges = torch.maximum(moved_edges, edges)
    near = (recorder.margins.abs() < _SAFETY * moved_edges).flatten(1).any(dim=1)
    return ShapeReference(
        energy,
        z.numpy().astype(np.float32),
        np.hstack([energy.quantum, features.numpy().astype(np.float32)]),
        voxels.numpy(),
        _SAFETY * change.numpy(),
        near.numpy() | energy.near_edge,
    )


def shape_parity(
    flows: tuple[EnergyFlow, ShapeFlow],
    validity: Ranges,
    feature_errors: tuple[float, float],
    *,
    served: bool = False,
) -> ShapeParity:
    """Choose `ROWS` showers over the range of validity and state the tolerance they need.

    Of several candidates at each energy the first well-conditioned one is taken.

    Raises
    ------
    ModelError
        If the flow is so steep that float32 cannot represent it.
    """
    place = np.tile(np.linspace(0.0, 1.0, ROWS), _CANDIDATES)
    pool = draw_showers(flows, validity, place, _SEED, feature_errors, nudge=_NUDGE)
    bounds = np.where(pool.near_edge, np.inf, pool.relative_bound).reshape(_CANDIDATES, ROWS)
    fine = bounds < _WELL_CONDITIONED
    candidate = np.where(fine.any(axis=0), fine.argmax(axis=0), bounds.argmin(axis=0))
    chosen = candidate * ROWS + np.arange(ROWS)
    tolerance = float(bounds.ravel()[chosen].max())
    if not tolerance < _LARGEST_TOLERANCE:
        raise ModelError(
            f"float32 would change the voxels by up to {100 * tolerance:.0f} %: the shape flow is "
            "too steep to be run in single precision; train it longer, or with fewer bins"
        )

    def rows(values: NDArray[np.floating]) -> tuple[tuple[float, ...], ...]:
        return tuple(map(tuple, values[chosen].tolist()))

    energy = pool.energy
    return ShapeParity(
        incident_energy=tuple(energy.incident_energy[chosen].tolist()),
        eta=tuple(energy.eta[chosen].tolist()),
        z_energy=rows(energy.z_energy),
        z_shape=rows(pool.z_shape),
        quantum=rows(pool.quantum) if served else None,
        layer_energy=rows(energy.layer_energy),
        voxel_energy=rows(pool.voxel_energy),
        relative_tolerance=tolerance,
        absolute_tolerance=shape_floor(flows[1]),
    )


class _Inexact(nn.Module):
    """A conditioner whose features are off by up to ``error``."""

    def __init__(self, exact: nn.Module, error: float, random: torch.Generator) -> None:
        super().__init__()
        self._exact, self._error, self._random = exact, error, random

    def forward(self, c: Tensor) -> Tensor:
        features: Tensor = self._exact(c)
        return features + self._error * (2.0 * _uniform(features, self._random) - 1.0)


def _moved(flow: ShapeFlow, feature_error: float, random: torch.Generator) -> ShapeFlow:
    """Return a copy of a flow with all weights moved by a few roundings."""
    moved = copy.deepcopy(flow)
    for parameter in moved.network.parameters():
        parameter.mul_(1.0 + _MOVE * _normal(parameter, random))
    moved.conditioner = _Inexact(moved.conditioner, feature_error + UNIT, random)  # type: ignore[assignment]
    return moved


def _normal(like: Tensor, random: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=random, dtype=like.dtype)


def _uniform(like: Tensor, random: torch.Generator) -> Tensor:
    return torch.rand(like.shape, generator=random, dtype=like.dtype)
