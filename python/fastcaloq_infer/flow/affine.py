"""Affine elements (Dinh, Sohl-Dickstein, Bengio, RealNVP, arXiv:1605.08803, equation 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from fastcaloq_infer.flow.univariate import Univariate

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Affine"]


class Affine(Univariate):
    """Y = x * exp(s) + t with |s| below ``log_scale_bound`` by a soft clamp (a tanh)."""

    n_parameters = 2
    groups = (1, 1)

    def __init__(self, log_scale_bound: float = 3.0) -> None:
        self.log_scale_bound = log_scale_bound

    def _split(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        raw, shift = parameters.unbind(dim=1)
        return self.log_scale_bound * torch.tanh(raw / self.log_scale_bound), shift

    def forward(self, x: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Scale and shift."""
        log_scale, shift = self._split(parameters)
        return x * log_scale.exp() + shift, log_scale

    def inverse(self, y: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Shift back and unscale."""
        log_scale, shift = self._split(parameters)
        return (y - shift) * (-log_scale).exp(), -log_scale
