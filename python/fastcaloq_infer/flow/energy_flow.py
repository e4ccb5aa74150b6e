"""EnergyFlow: the density of the layer energies given the incident particle."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn

from fastcaloq_infer.flow.blocks import coupling_blocks
from fastcaloq_infer.flow.condition import ConditionScaling, Validity

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from fastcaloq_infer.conditioning import Conditioner
    from fastcaloq_infer.flow.config import FlowConfig
    from fastcaloq_infer.flow.coupling import CouplingBlock
    from fastcaloq_infer.preprocessing.energies import EnergyPreprocessing

__all__ = ["EnergyFlow"]

_LOG_2PI = math.log(2.0 * math.pi)


class EnergyFlow(nn.Module):
    """p(layer energies | E_inc, eta), a density in MeV, and its sampler.

    Energies are in MeV; (N, L) for the layers, (N,) for incident energy and eta.  Works in the
    dtype it was moved to (``.float()``, ``.double()``).

    Parameters
    ----------
    config
        Blocks and subnets.
    preprocessing
        The bijection between layer energies and coordinates.
    validity
        Range of incident energies and eta, scales the condition.
    conditioner
        Module mapping the scaled condition (N, 2) to features (N, Q).
    """

    def __init__(
        self,
        config: FlowConfig,
        preprocessing: EnergyPreprocessing,
        validity: Validity,
        conditioner: Conditioner,
    ) -> None:
        super().__init__()
        self.config = config
        self.preprocessing = preprocessing
        self.condition = ConditionScaling(validity)
        self.conditioner = conditioner
        self.blocks = coupling_blocks(config, preprocessing.n_layers, 2 + conditioner.n_features)

    @property
    def n_layers(self) -> int:
        """Number of calorimeter layers L."""
        return self.preprocessing.n_layers

    @property
    def coupling_blocks(self) -> list[CouplingBlock]:
        """The blocks in forward order."""
        return list(self.blocks.transforms)  # type: ignore[arg-type]

    def context(self, incident_energy: Tensor, eta: Tensor) -> Tensor:
        """Return what every subnet sees besides its passive half: (N, 2 + Q)."""
        condition = self.condition(incident_energy, eta)
        return torch.cat([condition, self.conditioner(condition)], dim=1)

    def forward(
        self,
        layer_energy: Tensor,
        incident_energy: Tensor,
        eta: Tensor,
        generator: Generator | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Latents (N, L) and log|det dz/dE| (N,) of layer energies in MeV.

        ``generator`` places the zeros (see :mod:`fastcaloq_infer.preprocessing.energies`).
        """
        x, log_abs_det = self.preprocessing(layer_energy, incident_energy, generator)
        z, log_abs_det_flow = self.blocks(x, self.context(incident_energy, eta))
        return z, log_abs_det + log_abs_det_flow

    def inverse(self, z: Tensor, incident_energy: Tensor, eta: Tensor) -> Tensor:
        """Layer energies (N, L) in MeV of latents (N, L)."""
        x, _ = self.blocks.inverse(z, self.context(incident_energy, eta))
        return self.preprocessing.inverse(x, incident_energy)

    def log_prob(
        self,
        layer_energy: Tensor,
        incident_energy: Tensor,
        eta: Tensor,
        generator: Generator | None = None,
    ) -> Tensor:
        """Log density (N,) in nats, with respect to dE (MeV) + delta(E) in every layer.

        For showers with empty layers this is the variational lower bound of uniform
        dequantisation (Theis et al., arXiv:1511.01844, section 3.1), exact where none is empty.
        """
        z, log_abs_det = self.forward(layer_energy, incident_energy, eta, generator)
        return log_abs_det - 0.5 * (z.square() + _LOG_2PI).sum(dim=1)

    @torch.no_grad()
    def sample(
        self, incident_energy: Tensor, eta: Tensor, generator: Generator | None = None
    ) -> Tensor:
        """Draw layer energies (N, L) in MeV with torch's own random numbers.

        For productions use :class:`fastcaloq_infer.Sampler`: counter-based and far faster.
        """
        z = torch.randn(
            (incident_energy.shape[0], self.n_layers),
            generator=generator,
            dtype=incident_energy.dtype,
            device=incident_energy.device,
        )
        return self.inverse(z, incident_energy, eta)

    @torch.no_grad()
    def initialise(
        self,
        layer_energy: Tensor,
        incident_energy: Tensor,
        eta: Tensor,
        generator: Generator | None = None,
    ) -> None:
        """Set every activation normalisation from one large batch, block by block.

        Layer energies (N, L) and incident energies (N,) in MeV, eta (N,).
        """
        x, _ = self.preprocessing(layer_energy, incident_energy, generator)
        context = self.context(incident_energy, eta)
        for block in self.coupling_blocks:
            block.actnorm.initialise(x)
            x, _ = block(x, context)
