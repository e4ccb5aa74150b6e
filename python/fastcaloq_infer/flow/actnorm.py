"""Activation normalisation (Kingma and Dhariwal, Glow, arXiv:1807.03039, section 3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from fastcaloq_infer.flow.transform import Transform

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ActNorm"]


class ActNorm(Transform):
    """z = (x + shift) * exp(log_scale), per coordinate; independent of the context.

    Starts as the identity; :meth:`initialise` sets it so that a given batch leaves with zero mean
    and unit variance, which is done once before training.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(features))
        self.log_scale = nn.Parameter(torch.zeros(features))

    @torch.no_grad()
    def initialise(self, x: Tensor) -> None:
        """Normalise the batch ``x`` (N, D); a constant coordinate keeps scale 1."""
        self.shift.copy_(-x.mean(dim=0))
        deviation = x.std(dim=0)
        self.log_scale.copy_(torch.where(deviation > 0, -deviation.clamp(min=1e-6).log(), 0.0))

    def forward(self, x: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Shift and scale."""
        del context
        z = (x + self.shift) * self.log_scale.exp()
        return z, self.log_scale.sum().expand(x.shape[0])

    def inverse(self, z: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Undo scale and shift."""
        del context
        x = z * (-self.log_scale).exp() - self.shift
        return x, -self.log_scale.sum().expand(z.shape[0])
