"""Fixed permutations between coupling blocks, so that every coordinate gets transformed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from fastcaloq_infer.flow.transform import Transform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = ["Permutation", "coupling_permutations"]


class Permutation(Transform):
    """z[:, j] = x[:, permutation[j]]; volume is kept."""

    permutation: Tensor

    def __init__(self, permutation: Sequence[int]) -> None:
        super().__init__()
        self.register_buffer("permutation", torch.tensor(permutation, dtype=torch.int64))

    def forward(self, x: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Permute the columns."""
        del context
        return x[:, self.permutation], x.new_zeros(x.shape[0])

    def inverse(self, z: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Put the columns back."""
        del context
        return z[:, torch.argsort(self.permutation)], z.new_zeros(z.shape[0])


def coupling_permutations(
    features: int, passive: int, n_blocks: int, seed: int
) -> list[tuple[int, ...]]:
    """One permutation per block such that what was passive in a block is active in the next.

    Among those, the choice is drawn once from ``seed``; it is a constant of the model.
    """
    random = np.random.default_rng(seed)
    permutations = [tuple(range(features))]
    for _ in range(1, n_blocks):
        was_active = random.permutation(np.arange(passive, features))
        now_active = random.permutation(np.concatenate([was_active[passive:], np.arange(passive)]))
        permutations.append((*map(int, was_active[:passive]), *map(int, now_active)))
    return permutations
