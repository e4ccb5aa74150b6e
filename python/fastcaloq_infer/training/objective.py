"""What a training minimises: maximum likelihood of the layer energies.

The part of the likelihood that has no weights (the preprocessing) is computed once per epoch for
all showers at once, in float64; a step then costs the flow and the conditioner alone.
"""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Protocol, Self

import torch
from torch import nn

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from fastcaloq_infer.flow.energy_flow import EnergyFlow
    from fastcaloq_infer.training.data import ShowerTensors

__all__ = ["MaximumLikelihood", "Objective", "Prepared"]

Prepared = tuple["Tensor", ...]
"""Tensors with one row per shower, made from the data once per epoch."""

_LOG_2PI = math.log(2.0 * math.pi)


class Objective(Protocol):
    """A loss over showers, split into what depends on the weights and what does not."""

    def prepare(self, showers: ShowerTensors, generator: Generator | None) -> Prepared:
        """Return what a step needs, one row per shower; ``generator`` draws all noise."""
        ...

    def __call__(self, *batch: Tensor) -> Tensor:
        """Return the loss (B,) of a batch of prepared rows, in nats per shower."""
        ...


class MaximumLikelihood(nn.Module):
    """Negative log likelihood in nats per shower, of a density in MeV.

    Equal to ``-flow.log_prob``; a test holds them together.

    Parameters
    ----------
    flow
        The flow to train, in the dtype of the training.
    """

    def __init__(self, flow: EnergyFlow) -> None:
        super().__init__()
        self.flow = flow
        # A double of its own: the logits of fractions near 0 and 1 lose digits in float32. In a
        # list, so that it is neither moved nor saved with the weights.
        self._preprocessing = [copy.deepcopy(flow.preprocessing).double()]

    @torch.no_grad()
    def prepare(self, showers: ShowerTensors, generator: Generator | None) -> Prepared:
        """Return coordinates (N, L), scaled condition (N, 2) and log|det| (N,)."""
        x, log_abs_det = self._preprocessing[0](
            showers.layer_energy, showers.incident_energy, generator
        )
        condition = self.flow.condition(showers.incident_energy, showers.eta)
        dtype = next(self.flow.blocks.parameters()).dtype
        return x.to(dtype), condition.to(dtype), log_abs_det.to(dtype)

    def forward(self, x: Tensor, condition: Tensor, log_abs_det: Tensor) -> Tensor:
        """Return the negative log likelihood (B,) of prepared rows."""
        context = torch.cat([condition, self.flow.conditioner(condition)], dim=1)
        z, log_abs_det_flow = self.flow.blocks(x, context)
        prior = 0.5 * (z.square().sum(dim=1) + _LOG_2PI * z.shape[1])
        nll: Tensor = prior - log_abs_det - log_abs_det_flow
        return nll

    def to_device(self, device: torch.device) -> Self:
        """Move the weights and the float64 preprocessing beside the data."""
        self._preprocessing[0].to(device)
        return self.to(device)
