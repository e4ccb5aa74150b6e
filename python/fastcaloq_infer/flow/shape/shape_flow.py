"""ShapeFlow: the density of the voxels given the energies of the layers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from fastcaloq_infer.flow.shape.chain import ALL, NOTHING, PART, encode, to_chain
from fastcaloq_infer.flow.shape.density import FractionDensity
from fastcaloq_infer.flow.shape.grid import turned
from fastcaloq_infer.flow.shape.network import ShapeNetwork
from fastcaloq_infer.flow.shape.order import Cell, VoxelOrder
from fastcaloq_infer.flow.shape.voxel_flow import VoxelFlow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Generator, Tensor

    from fastcaloq_infer.conditioning import Conditioner
    from fastcaloq_infer.flow.condition import Validity
    from fastcaloq_infer.flow.shape.config import ShapeConfig
    from fastcaloq_infer.flow.shape.grid import Layer

__all__ = ["ShapeFlow"]


class ShapeFlow(VoxelFlow):
    """p(voxels | layer energies, E_inc, eta), a density in MeV, and its sampler.

    An autoregressive flow over fractions (see :mod:`~.order` and :mod:`~.density`): the likelihood
    is exact, empty voxels are exactly zero, and voxels sum to the energy of their layer.

    Energies are in MeV; (N, V) for voxels, (N, L) for layers, (N,) for incident energy and eta.
    Works in the dtype it was moved to.

    Parameters
    ----------
    config
        Order and widths.
    layers
        Edges of the rings in mm and number of bins in alpha of every layer.
    validity
        Range of incident energies and eta, scales the condition.
    conditioner
        Module mapping the scaled condition (N, 2) to features (N, Q).
    """

    def __init__(
        self,
        config: ShapeConfig,
        layers: Sequence[Layer],
        validity: Validity,
        conditioner: Conditioner,
    ) -> None:
        super().__init__(layers, validity, conditioner, config.energy_scale)
        self.config: ShapeConfig = config
        self.noisy = config.symmetry != "none"  # empty voxels need none: they are outcomes
        grid = [(layer.n_rings, layer.n_alpha) for layer in self.layers]
        self.order = VoxelOrder.of(grid, config.stride, config.offset)
        self.density = FractionDensity(config)
        self.network = ShapeNetwork(config, self.order, self.layers, self.n_condition)

    @property
    def n_latents(self) -> int:
        """Number of coordinates C."""
        return self.order.n_coordinates

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of the matrix products per shower, without the conditioner's."""
        return self.network.multiply_adds

    def prepare(
        self,
        voxels: Tensor,
        incident_energy: Tensor,
        eta: Tensor,
        generator: Generator | None = None,
    ) -> tuple[Tensor, ...]:
        """Return all that :meth:`nll` needs and no weight decides, one row per shower.

        In the dtype of the weights, computed in float64: encoded known energies (N, M), their
        shares of layers (N, M), encoded totals (N, C), states (N, C) int8, logits (N, C), log
        volume (N,), scaled condition (N, 2), encoded layer energies (N, 2L).  Given a
        ``generator``, showers are turned at random where the configuration says that they may be.
        """
        if generator is not None and self.noisy:
            voxels = turned(voxels, self.layers, generator)
        parts = [self._prepare(*rows) for rows in self._rows(voxels, incident_energy, eta)]
        return tuple(torch.cat(columns) for columns in zip(*parts, strict=True))

    def _prepare(self, voxels: Tensor, incident_energy: Tensor, eta: Tensor) -> tuple[Tensor, ...]:
        chain = to_chain(voxels, self.order)
        scale = self.config.energy_scale
        dtype = self.network.head1.dtype
        incident_energy, eta = incident_energy.double(), eta.double()
        return (
            encode(chain.known, scale).to(dtype),
            (chain.known * self._inverse(chain.layer_energy)).to(dtype),
            encode(chain.total, scale).to(dtype),
            chain.state,
            chain.logit.to(dtype),
            chain.log_volume.to(dtype),
            self.condition(incident_energy, eta).to(dtype),
            self._layers(chain.layer_energy, incident_energy).to(dtype),
        )

    def nll(self, *prepared: Tensor) -> Tensor:
        """Negative log likelihood (N,) in nats of prepared showers, a density in MeV."""
        known, share, total, state, logit, log_volume, condition, layers = prepared
        parameters = self.network(known, share, total, self._condition(condition, layers))
        # Under autocast the network answers in half precision; the likelihood is never in it.
        return -self.density.log_prob(parameters.to(logit.dtype), state, logit) - log_volume

    def log_prob(self, voxels: Tensor, incident_energy: Tensor, eta: Tensor) -> Tensor:
        """Log density (N,) in nats of voxels (N, V) MeV given the energies of their layers.

        Exact, with respect to dE (MeV) of the voxels that are not empty, one per layer left out
        as the sum is given; added to ``EnergyFlow.log_prob`` it is that of the whole shower.
        """
        parts = [
            -self.nll(*self._prepare(*rows)) for rows in self._rows(voxels, incident_energy, eta)
        ]
        return torch.cat(parts)

    def inverse(
        self, z: Tensor, layer_energy: Tensor, incident_energy: Tensor, eta: Tensor
    ) -> Tensor:
        """Voxels (N, V) in MeV of latents (N, C or more): one number per coordinate is used."""
        order, scale = self.order, self.config.energy_scale
        condition = self._condition(
            self.condition(incident_energy, eta), self._layers(layer_energy, incident_energy)
        )
        steps = self.network.steps(condition)
        known = z.new_zeros(z.shape[0], len(order.known))
        share = torch.zeros_like(known)
        inverse = self._inverse(layer_energy)
        energy: dict[Cell, Tensor] = {}
        left = self._whole_chains(layer_energy)
        for group, which in enumerate(order.groups):
            coordinates = [order.coordinates[k] for k in which]
            chains = [_chain(c.cell) for c in coordinates]
            total = torch.stack([left[chain] for chain in chains], dim=1)
            parameters = steps.parameters(group, which, known, share, encode(total, scale))
            state, t = self.density.quantile(parameters, z[:, which.start : which.stop])
            taken = torch.where(state == PART, total * t.sigmoid(), (state == ALL) * total)
            after = torch.where(state == PART, total * (-t).sigmoid(), (state == NOTHING) * total)
            for i, (coordinate, chain) in enumerate(zip(coordinates, chains, strict=True)):
                left[chain] = after[:, i]
                for cell, value in ((coordinate.cell, taken[:, i]), (coordinate.rest, after[:, i])):
                    if cell is not None:
                        energy[cell] = value
                        place = order.place[cell]
                        known[:, place] = encode(value, scale)
                        share[:, place] = value * inverse[:, place]
                        if cell.alpha is None:
                            left[(cell.layer, cell.ring)] = value
        columns = [
            layer_energy[:, layer] if cell is None else energy[cell] for layer, cell in order.voxels
        ]
        return torch.stack(columns, dim=1)

    def _inverse(self, layer_energy: Tensor) -> Tensor:
        """Return, for every known value, one over the energy of its layer, (N, M) in 1 / MeV."""
        index = torch.tensor([cell.layer for cell in self.order.known], device=layer_energy.device)
        return 1.0 / layer_energy.clamp(min=_LEAST_ENERGY)[:, index]

    def _whole_chains(self, layer_energy: Tensor) -> dict[tuple[int, int | None], Tensor]:
        """Return what every chain of rings starts from; a layer's only ring has all its energy."""
        left: dict[tuple[int, int | None], Tensor] = {}
        for layer in range(self.n_layers):
            left[(layer, None)] = left[(layer, 0)] = layer_energy[:, layer]
        return left

    def latents(
        self,
        voxels: Tensor,
        incident_energy: Tensor,
        eta: Tensor,
        generator: Generator | None = None,
    ) -> Tensor:
        """Latents (N, C) of voxels (N, V) MeV, standard normal where the model is right.

        ``generator`` places the atoms inside their quantiles.
        """
        known, share, total, state, logit, _, condition, layers = self.prepare(
            voxels, incident_energy, eta
        )
        parameters = self.network(known, share, total, self._condition(condition, layers))
        return self.density.latent(parameters, state, logit, generator)

    @torch.no_grad()
    def initialise(self, voxels: Tensor, incident_energy: Tensor, eta: Tensor) -> None:
        """Start every coordinate from the frequencies and the spread that it has in (N, V) MeV."""
        _, _, _, state, logit, *_ = self.prepare(voxels, incident_energy, eta)
        bias = self.network.head2_bias
        part = state == PART
        counts = torch.stack([(state == s).sum(dim=0) for s in (PART, NOTHING, ALL)]) + 0.5
        bias[:, 0, 0] = (counts[1] / counts[0]).log()
        bias[:, 0, 1] = (counts[2] / counts[0]).log()
        number = part.sum(dim=0).clamp(min=1)
        mean = (logit * part).sum(dim=0) / number
        variance = ((logit - mean).square() * part).sum(dim=0) / number
        few = part.sum(dim=0) < 20  # too few for a spread
        scale = torch.where(few, 1.0, variance.sqrt().clamp(min=1e-2) / _LOGISTIC_SIGMA)
        bound = self.config.log_scale_bound
        inside = (scale.log() / bound).clamp(-0.9, 0.9)
        bias[:, 0, 2] = torch.where(few, 0.0, mean)
        bias[:, 0, 3] = bound * torch.atanh(inside)


_LEAST_ENERGY = 1e-9  # MeV; of an empty layer every share is zero
_LOGISTIC_SIGMA = math.pi / math.sqrt(3.0)


def _chain(cell: Cell) -> tuple[int, int | None]:
    """Return the name of the chain a coordinate belongs to: a layer's rings, or a ring's bins."""
    return (cell.layer, None if cell.alpha is None else cell.ring)
