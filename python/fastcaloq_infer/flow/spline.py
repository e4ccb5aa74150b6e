"""Monotonic rational-quadratic splines with linear tails.

Durkan, Bekasov, Murray, Papamakarios, "Neural Spline Flows", arXiv:1906.04032: equation 4 for the
map, 5 for its derivative, 6 to 8 and the following quadratic for the inverse.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch.nn import functional

from fastcaloq_infer.flow.univariate import Univariate

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["RationalQuadraticSpline"]


class _Bin(NamedTuple):
    """The bin each element falls into, all (N, A)."""

    x: Tensor  # left knot
    width: Tensor
    y: Tensor  # lower knot
    height: Tensor
    slope: Tensor  # height / width
    left: Tensor  # derivative at the left knot
    right: Tensor  # derivative at the right knot


class RationalQuadraticSpline(Univariate):
    """K bins on [-tail_bound, tail_bound], the identity outside, slopes equal to 1 at both ends.

    Per element 3K - 1 raw parameters: K widths and K heights (through a softmax), K - 1 inner
    derivatives (through a softplus shifted such that 0 gives slope 1).
    """

    def __init__(
        self,
        bins: int = 8,
        tail_bound: float = 6.0,
        min_bin_width: float = 1e-3,
        min_bin_height: float = 1e-3,
        min_derivative: float = 1e-3,
    ) -> None:
        self.bins = bins
        self.tail_bound = tail_bound
        self.min_bin_width = min_bin_width
        self.min_bin_height = min_bin_height
        self.min_derivative = min_derivative
        self.n_parameters = 3 * bins - 1
        self.groups = (bins, bins, bins - 1)
        self._derivative_offset = math.log(math.expm1(1.0 - min_derivative))

    def _knots(self, raw: Tensor, minimum: float) -> Tensor:
        """Return the K + 1 knots (N, K+1, A) from K raw sizes; both ends are exact."""
        sizes = minimum + (1.0 - minimum * self.bins) * functional.softmax(raw, dim=1)
        inner = (2.0 * self.tail_bound) * sizes[:, :-1].cumsum(dim=1) - self.tail_bound
        end = torch.full_like(inner[:, :1], self.tail_bound)
        return torch.cat([-end, inner, end], dim=1)

    def _bin(self, value: Tensor, parameters: Tensor, *, by_height: bool) -> _Bin:
        """Find the bin of ``value`` (N, A) among the widths' knots, or the heights'."""
        k = self.bins
        raw_widths, raw_heights = parameters[:, :k], parameters[:, k : 2 * k]
        raw_derivatives = parameters[:, 2 * k :]
        xs = self._knots(raw_widths, self.min_bin_width)
        ys = self._knots(raw_heights, self.min_bin_height)
        inner = (ys if by_height else xs)[:, 1:-1]
        index = (value.unsqueeze(1) >= inner).sum(dim=1, keepdim=True)
        x, x_next = (xs.gather(1, index + side).squeeze(1) for side in (0, 1))
        y, y_next = (ys.gather(1, index + side).squeeze(1) for side in (0, 1))
        # Softplus only where it is needed: two derivatives per element instead of K - 1.
        raw = functional.pad(raw_derivatives, (0, 0, 1, 1))
        left, right = (
            self.min_derivative
            + functional.softplus(raw.gather(1, index + side).squeeze(1) + self._derivative_offset)
            for side in (0, 1)
        )
        width, height = x_next - x, y_next - y
        return _Bin(x, width, y, height, height / width, left, right)

    def forward(self, x: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate the spline."""
        inside = x.abs() < self.tail_bound
        x_in = torch.where(inside, x, 0.0)
        b = self._bin(x_in, parameters, by_height=False)
        theta = ((x_in - b.x) / b.width).clamp(0.0, 1.0)
        y = b.y + b.height * _ratio(b, theta)
        log_slope = _log_slope(b, theta)
        return torch.where(inside, y, x), torch.where(inside, log_slope, 0.0)

    def inverse(self, y: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Solve the quadratic of the bin by its numerically stable root."""
        inside = y.abs() < self.tail_bound
        y_in = torch.where(inside, y, 0.0)
        b = self._bin(y_in, parameters, by_height=True)
        rise = (y_in - b.y).clamp(min=0.0)
        curvature = b.left + b.right - 2.0 * b.slope
        quadratic = b.height * (b.slope - b.left) + rise * curvature
        linear = b.height * b.left - rise * curvature
        constant = -b.slope * rise
        discriminant = (linear.square() - 4.0 * quadratic * constant).clamp(min=0.0)
        theta = (2.0 * constant / (-linear - discriminant.sqrt())).clamp(0.0, 1.0)
        x = b.x + theta * b.width
        return torch.where(inside, x, y), torch.where(inside, -_log_slope(b, theta), 0.0)


def _denominator(b: _Bin, theta: Tensor) -> Tensor:
    return b.slope + (b.left + b.right - 2.0 * b.slope) * theta * (1.0 - theta)


def _ratio(b: _Bin, theta: Tensor) -> Tensor:
    """Fraction of the bin's height reached at ``theta`` in [0, 1] (equation 4)."""
    numerator = b.slope * theta.square() + b.left * theta * (1.0 - theta)
    return numerator / _denominator(b, theta)


def _log_slope(b: _Bin, theta: Tensor) -> Tensor:
    """Logarithm of the spline's derivative at ``theta`` (equation 5)."""
    numerator = (
        b.right * theta.square()
        + 2.0 * b.slope * theta * (1.0 - theta)
        + b.left * (1.0 - theta).square()
    )
    return 2.0 * b.slope.log() + numerator.log() - 2.0 * _denominator(b, theta).log()
