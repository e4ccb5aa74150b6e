"""EnergyFlow: the density of the layer energies given the incident particle, as a flow."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from fastcaloq_infer.flow.energy_model import EnergyModel

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from fastcaloq_infer.conditioning import Conditioner
    from fastcaloq_infer.flow.condition import Validity
    from fastcaloq_infer.flow.config import FlowConfig
    from fastcaloq_infer.flow.coupling import CouplingBlock
    from fastcaloq_infer.flow.transform import Composition
    from fastcaloq_infer.preprocessing.energies import EnergyPreprocessing

__all__ = ["EnergyFlow", "standard_normal_log_prob"]

_LOG_2PI = math.log(2.0 * math.pi)


def standard_normal_log_prob(z: Tensor) -> Tensor:
    """Log density (N,) in nats of latents (N, L)."""
    return -0.5 * (z.square() + _LOG_2PI).sum(dim=1)


class EnergyFlow(EnergyModel):
    """Preprocessing and invertible blocks that see the condition and the conditioner's features.

    Parameters
    ----------
    config
        Blocks and subnets.
    blocks
        The chain from coordinates (N, L) and context (N, 2 + Q) to latents (N, L).
    preprocessing, validity, conditioner
        As of `EnergyModel`.
    """

    def __init__(
        self,
        config: FlowConfig,
        blocks: Composition,
        preprocessing: EnergyPreprocessing,
        validity: Validity,
        conditioner: Conditioner | None = None,
    ) -> None:
        super().__init__(preprocessing, validity, conditioner)
        self.config = config
        self.blocks = blocks

    @property
    def coupling_blocks(self) -> list[CouplingBlock]:
        """The blocks in forward order."""
        return list(self.blocks.transforms)  # type: ignore[arg-type]

    def context(self, incident_energy: Tensor, eta: Tensor) -> Tensor:
        """Return what every subnet sees besides its passive half: (N, 2 + Q)."""
        return self._context(self.condition(incident_energy, eta))

    def _context(self, condition: Tensor) -> Tensor:
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

    def coordinate_log_prob(self, x: Tensor, condition: Tensor) -> Tensor:
        """Log density (N,) by the change of variables to a standard normal latent."""
        z, log_abs_det = self.blocks(x, self._context(condition))
        log_prob: Tensor = log_abs_det + standard_normal_log_prob(z)
        return log_prob

    def draw_coordinates(self, condition: Tensor, generator: Generator | None = None) -> Tensor:
        """Map standard normal latents (N, L) back; differentiable in the weights."""
        z = torch.randn(
            (condition.shape[0], self.n_layers),
            generator=generator,
            dtype=condition.dtype,
            device=condition.device,
        )
        x: Tensor = self.blocks.inverse(z, self._context(condition))[0]
        return x

    def initialise_coordinates(self, x: Tensor, condition: Tensor) -> None:
        """Set every activation normalisation, block by block."""
        context = self._context(condition)
        for block in self.coupling_blocks:
            block.actnorm.initialise(x)
            x, _ = block(x, context)
