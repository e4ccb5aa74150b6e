"""The law every invertible transformation obeys, and their composition.

A :class:`Transform` f maps data x to latents z given a context h and reports the volume it
creates. For every x of shape (N, D) and context (N, C)::

    z, log_abs_det = f.forward(x, h)          log_abs_det = log|det dz/dx|   (N,)
    x', minus      = f.inverse(z, h)          x' = x,  minus = -log_abs_det  (N,)

``tests/python/flow/test_laws.py`` holds all of them to it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

__all__ = ["Composition", "Transform"]


class Transform(nn.Module, ABC):
    """An invertible map of (N, D) tensors with an exact log-abs-det."""

    @abstractmethod
    def forward(self, x: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Map data (N, D) to latents (N, D); also log|det dz/dx| (N,)."""

    @abstractmethod
    def inverse(self, z: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Map latents (N, D) to data (N, D); also log|det dx/dz| (N,)."""


class Composition(Transform):
    """Transformations one after the other: forward in order, inverse backwards."""

    def __init__(self, transforms: Iterable[Transform]) -> None:
        super().__init__()
        self.transforms = nn.ModuleList(transforms)

    def forward(self, x: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Apply every transform in order."""
        total = x.new_zeros(x.shape[0])
        for transform in self.transforms:
            x, log_abs_det = transform(x, context)
            total = total + log_abs_det
        return x, total

    def inverse(self, z: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Undo every transform, the last one first."""
        total = z.new_zeros(z.shape[0])
        for transform in reversed(self.transforms):
            assert isinstance(transform, Transform)  # noqa: S101  nn.ModuleList forgets the type
            z, log_abs_det = transform.inverse(z, context)
            total = total + log_abs_det
        return z, total
