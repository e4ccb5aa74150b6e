"""Maximum mean discrepancy: how far apart two samples are in the eyes of a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from fastcaloq_infer.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = ["BANDWIDTHS", "gaussian_kernel", "mmd_squared"]

#: Widths in standard deviations of a coordinate: from its peaks to the whole sample.
BANDWIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)


def gaussian_kernel(
    first: Tensor, second: Tensor, bandwidths: Sequence[float] = BANDWIDTHS
) -> Tensor:
    r"""Mean of Gaussian kernels, :math:`k(x, y) = \frac1S \sum_s \exp(-|x - y|^2 / 2\sigma_s^2)`.

    Parameters
    ----------
    first, second
        Rows (N, D) and (M, D) in the same unit.
    bandwidths
        :math:`\sigma_s` in that unit, at least one.

    Returns
    -------
    Tensor
        (N, M), in [0, 1].
    """
    squared = (
        first.square().sum(dim=1)[:, None]
        + second.square().sum(dim=1)[None, :]
        - 2.0 * first @ second.T
    ).clamp(min=0.0)  # rounding puts equal rows a little below 0
    kernels = [torch.exp(squared * (-0.5 / width**2)) for width in bandwidths]
    return torch.stack(kernels).mean(dim=0)


def mmd_squared(
    first: Tensor,
    second: Tensor,
    bandwidths: Sequence[float] = BANDWIDTHS,
    *,
    unbiased: bool = True,
) -> Tensor:
    r"""Squared maximum mean discrepancy of two samples, differentiable in both.

    .. math:: E\,k(x, x') + E\,k(y, y') - 2 E\,k(x, y)

    is 0 if and only if the two distributions are equal, as Gaussian kernels are characteristic
    (Gretton et al. 2012, JMLR 13, 723, lemma 6 and theorem 5). The unbiased estimate (their eq. 3)
    leaves out a row's product with itself and may be below 0; the biased one (eq. 5) is never
    below 0 and exactly 0 for equal samples.

    Parameters
    ----------
    first, second
        Samples (N, D) and (M, D) in the same unit, of two rows or more.
    bandwidths
        Widths of the Gaussian kernels whose mean is taken, in that unit.
    unbiased
        Which estimate.

    Returns
    -------
    Tensor
        A number without unit.

    Raises
    ------
    InputError
        A sample has a single row, whose spread the unbiased estimate cannot know, or none.
    """
    fewest = 2 if unbiased else 1
    if min(len(first), len(second)) < fewest:
        raise InputError(
            f"the maximum mean discrepancy of {len(first)} and {len(second)} rows has no estimate; "
            f"give at least {fewest} of each"
        )
    across = gaussian_kernel(first, second, bandwidths).mean()
    return (
        _mean_within(first, bandwidths, unbiased)
        + _mean_within(second, bandwidths, unbiased)
        - 2.0 * across
    )


def _mean_within(rows: Tensor, bandwidths: Sequence[float], unbiased: bool) -> Tensor:
    """Mean of k over pairs of rows; unbiased: over pairs of different rows."""
    kernel = gaussian_kernel(rows, rows, bandwidths)
    if not unbiased:
        return kernel.mean()
    n = len(rows)
    return (kernel.sum() - kernel.diagonal().sum()) / (n * (n - 1))
