r"""CouplingShapeFlow: coupling blocks over all voxels at once, as CaloINN does it.

After Ernst, Favaro, Krause, Plehn and Shih, "Normalizing Flows for High-Dimensional Detector
Simulations" (CaloINN), arXiv:2312.09290: voxels as fractions of their layer's energy, uniform noise
in place of zeros, a regularised logit, spline couplings of four linear layers, a threshold when
drawing.  There the layer energies are coordinates of the flow; here they are given, as for every
:class:`~.voxel_flow.VoxelFlow`, so that the two kinds can be compared with the same ones.

A voxel of energy E in a layer of energy E_l is, with the width b of the noise and u uniform,

.. math::
    f = E / E_l \; (E \ge b E_l), \quad f = b u \; \text{otherwise}, \qquad
    x = \mathrm{logit}(\alpha + (1 - 2 \alpha) f).

Drawing turns this around: fractions below b are zero, the others are scaled to sum to one.  The
scaling is no part of the density: fractions the flow draws need not sum to one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

import torch
from torch.nn import functional

from fastcaloq_infer.flow.blocks import coupling_blocks
from fastcaloq_infer.flow.shape.voxel_flow import VoxelFlow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Generator, Tensor

    from fastcaloq_infer.conditioning import Conditioner
    from fastcaloq_infer.flow.condition import Validity
    from fastcaloq_infer.flow.coupling import CouplingBlock, Subnet
    from fastcaloq_infer.flow.shape.config import CouplingShapeConfig
    from fastcaloq_infer.flow.shape.grid import Layer

__all__ = ["CouplingShapeFlow"]

_LOG_2PI = math.log(2.0 * math.pi)
_ENERGY_SCALE = 0.1  # MeV, as the other kind sees the layer energies by default


class CouplingShapeFlow(VoxelFlow):
    """Density of noisy voxels given the layer energies, E_inc and eta, and their sampler.

    The density is one of all V voxels after noise, in MeV.  It is not comparable in nats with that
    of :class:`~.shape_flow.ShapeFlow`, in which zeros are outcomes with a probability and the
    voxels of a layer have the layer's sum.

    Parameters
    ----------
    config
        Blocks, subnets and noise.
    layers
        Edges of the rings in mm and number of bins in alpha of every layer.
    validity
        Range of incident energies and eta, scales the condition.
    conditioner
        Module mapping the scaled condition (N, 2) to features (N, Q).
    """

    noisy = True

    def __init__(
        self,
        config: CouplingShapeConfig,
        layers: Sequence[Layer],
        validity: Validity,
        conditioner: Conditioner,
    ) -> None:
        super().__init__(layers, validity, conditioner, _ENERGY_SCALE)
        self.config: CouplingShapeConfig = config
        self.blocks = coupling_blocks(config, self.n_voxels, self.n_condition)

    @property
    def n_latents(self) -> int:
        """Number of voxels V."""
        return self.n_voxels

    @property
    def coupling_blocks(self) -> list[CouplingBlock]:
        """The blocks in forward order."""
        return [cast("CouplingBlock", block) for block in self.blocks.transforms]

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of the matrix products per shower, without the conditioner's."""
        subnets = [cast("Subnet", block.coupling.subnet) for block in self.coupling_blocks]
        return sum(linear.weight.numel() for subnet in subnets for linear in subnet.linears)

    def prepare(
        self,
        voxels: Tensor,
        incident_energy: Tensor,
        eta: Tensor,
        generator: Generator | None = None,
    ) -> tuple[Tensor, ...]:
        """Return all that :meth:`nll` needs and no weight decides, one row per shower.

        In the dtype of the weights, computed in float64: coordinates (N, V), log|det dx/dE| (N,),
        scaled condition (N, 2), encoded layer energies (N, 2L). ``generator`` draws the noise.
        """
        parts = [
            self._prepare(generator, *rows) for rows in self._rows(voxels, incident_energy, eta)
        ]
        return tuple(torch.cat(columns) for columns in zip(*parts, strict=True))

    def _prepare(
        self, generator: Generator | None, voxels: Tensor, incident_energy: Tensor, eta: Tensor
    ) -> tuple[Tensor, ...]:
        dtype = self.coupling_blocks[0].actnorm.shift.dtype
        voxels, incident_energy, eta = voxels.double(), incident_energy.double(), eta.double()
        layer_energy = self.layer_energies(voxels)
        # An empty layer is noise of any unit; this one leaves the density as it is.
        unit = self._per_voxel(torch.where(layer_energy > 0, layer_energy, 1.0))
        noise = torch.rand(
            voxels.shape, generator=generator, dtype=torch.float64, device=voxels.device
        )
        fraction = voxels / unit
        fraction = torch.where(fraction < self.config.noise, self.config.noise * noise, fraction)
        inside = self.config.alpha + (1.0 - 2.0 * self.config.alpha) * fraction.clamp(max=1.0)
        slope = math.log1p(-2.0 * self.config.alpha) - inside.log() - (-inside).log1p()
        return (
            torch.logit(inside).to(dtype),
            (slope - unit.log()).sum(dim=1).to(dtype),
            self.condition(incident_energy, eta).to(dtype),
            self._layers(layer_energy, incident_energy).to(dtype),
        )

    def _per_voxel(self, layer: Tensor) -> Tensor:
        """Repeat what belongs to layers (N, L) for each of their voxels, (N, V)."""
        sizes = torch.tensor(self.layer_sizes, device=layer.device)
        return layer.repeat_interleave(sizes, dim=1)

    def nll(self, *prepared: Tensor) -> Tensor:
        """Negative log likelihood (N,) in nats of prepared showers, a density in MeV."""
        x, log_volume, condition, layers = prepared
        z, log_abs_det = self.blocks(x, self._condition(condition, layers))
        prior = 0.5 * (z.square().sum(dim=1) + _LOG_2PI * z.shape[1])
        nll: Tensor = prior - log_abs_det - log_volume
        return nll

    def log_prob(
        self,
        voxels: Tensor,
        incident_energy: Tensor,
        eta: Tensor,
        generator: Generator | None = None,
    ) -> Tensor:
        """Log density (N,) in nats, in dE (MeV) of all voxels (N, V) after noise.

        Not comparable with :meth:`ShapeFlow.log_prob`: see the class.
        """
        parts = [
            -self.nll(*self._prepare(generator, *rows))
            for rows in self._rows(voxels, incident_energy, eta)
        ]
        return torch.cat(parts)

    def inverse(
        self, z: Tensor, layer_energy: Tensor, incident_energy: Tensor, eta: Tensor
    ) -> Tensor:
        """Voxels (N, V) in MeV of latents (N, V); they sum to their layers' energies."""
        condition = self._condition(
            self.condition(incident_energy, eta), self._layers(layer_energy, incident_energy)
        )
        x, _ = self.blocks.inverse(z[:, : self.n_voxels], condition)
        fraction = (x.sigmoid() - self.config.alpha) / (1.0 - 2.0 * self.config.alpha)
        layers = torch.split(layer_energy, 1, dim=1)
        parts = torch.split(fraction, self.layer_sizes, dim=1)
        return torch.cat([self._share(*pair) for pair in zip(layers, parts, strict=True)], dim=1)

    def _share(self, energy: Tensor, fraction: Tensor) -> Tensor:
        """Divide a layer's energy (N, 1) as the fractions (N, V_l) say, those below noise none."""
        if fraction.shape[1] == 0:
            return fraction
        kept = torch.where(fraction < self.config.noise, 0.0, fraction)
        largest = functional.one_hot(fraction.argmax(dim=1), fraction.shape[1]).to(fraction.dtype)
        kept = torch.where((kept > 0).any(dim=1, keepdim=True), kept, largest)
        return energy * (kept / kept.sum(dim=1, keepdim=True))

    def latents(
        self,
        voxels: Tensor,
        incident_energy: Tensor,
        eta: Tensor,
        generator: Generator | None = None,
    ) -> Tensor:
        """Latents (N, V) of voxels (N, V) MeV after noise, which ``generator`` draws."""
        x, _, condition, layers = self.prepare(voxels, incident_energy, eta, generator)
        z: Tensor = self.blocks(x, self._condition(condition, layers))[0]
        return z

    @torch.no_grad()
    def initialise(self, voxels: Tensor, incident_energy: Tensor, eta: Tensor) -> None:
        """Set the first activation normalisation from voxels (N, V) MeV.

        The couplings start as the identity, so that all later blocks see normalised coordinates.
        """
        noise = torch.Generator(voxels.device).manual_seed(0)
        x, *_ = self.prepare(voxels, incident_energy, eta, noise)
        self.coupling_blocks[0].actnorm.initialise(x)
