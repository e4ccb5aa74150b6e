"""Sliced Wasserstein distance: two samples compared along random directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from fastcaloq_infer.errors import InputError

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["random_directions", "sliced_wasserstein"]


def random_directions(
    number: int, dimension: int, generator: Generator | None, like: Tensor
) -> Tensor:
    """Draw unit vectors (number, dimension), uniform, in the dtype and place of ``like``."""
    vectors = torch.randn(
        (number, dimension), generator=generator, dtype=like.dtype, device=like.device
    )
    directions: Tensor = vectors / vectors.norm(dim=1, keepdim=True)
    return directions


def sliced_wasserstein(
    first: Tensor, second: Tensor, directions: Tensor, *, order: int = 1
) -> Tensor:
    r"""Mean over directions of :math:`W_p^p` of the projections, differentiable in both samples.

    On a line the optimal transport pairs the values by rank, so
    :math:`W_p^p = \frac1N \sum_i |x_{(i)} - y_{(i)}|^p` (Bonneel et al. 2015, J. Math. Imaging
    Vis. 51, 22, section 2).

    Parameters
    ----------
    first, second
        Samples (N, D) of equal size, in the same unit.
    directions
        (K, D), each of length 1.
    order
        p; for 1 the result is in the samples' unit, for 2 in its square.

    Returns
    -------
    Tensor
        A number, 0 for equal samples.

    Raises
    ------
    InputError
        The samples differ in size, or are empty.
    """
    if first.shape != second.shape or not len(first):
        raise InputError(
            f"samples of shapes {tuple(first.shape)} and {tuple(second.shape)} cannot be paired by "
            "rank; give two of the same size"
        )
    sorted_first, sorted_second = (
        (sample @ directions.T).sort(dim=0).values for sample in (first, second)
    )
    apart = sorted_first - sorted_second
    return (apart.abs() if order == 1 else apart.square()).mean()
