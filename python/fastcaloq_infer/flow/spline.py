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
    from collections.abc import Callable

    from torch import Tensor

__all__ = ["RationalQuadraticSpline"]


class _Bin(NamedTuple):
    """The bin each element falls into, all (M,)."""

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
        self._sums: dict[tuple[float, torch.dtype, torch.device], tuple[Tensor, Tensor]] = {}

    def _partial_sums(self, minimum: float, like: Tensor) -> tuple[Tensor, Tensor]:
        """Matrix (K-1, K) and offsets (K-1, 1) that make inner knots of sizes that sum to 1."""
        key = (minimum, like.dtype, like.device)
        if key not in self._sums:
            span = 2.0 * self.tail_bound
            below = torch.ones(self.bins - 1, self.bins, dtype=torch.float64).tril()
            smallest = minimum * torch.arange(1, self.bins, dtype=torch.float64)[:, None]
            matrix = span * (1.0 - minimum * self.bins) * below
            self._sums[key] = (matrix.to(like), (span * smallest - self.tail_bound).to(like))
        return self._sums[key]

    def _knots(self, raw: Tensor, minimum: float) -> Tensor:
        """Return the K + 1 knots (K+1, M) from K raw sizes (K, M); both ends are exact."""
        matrix, offsets = self._partial_sums(minimum, raw)
        inner = torch.addmm(offsets, matrix, functional.softmax(raw, dim=0))
        end = torch.full_like(raw[:1], self.tail_bound)
        return torch.cat([-end, inner, end])

    def _bin(self, value: Tensor, parameters: Tensor, *, by_height: bool) -> _Bin:
        """Find the bin of ``value`` (M,) among the widths' knots, or the heights'.

        One parameter of all elements is a row of ``parameters`` (3K - 1, M): steps along the
        parameters then take whole rows, which halves their time.
        """
        k = self.bins
        xs = self._knots(parameters[:k], self.min_bin_width)
        ys = self._knots(parameters[k : 2 * k], self.min_bin_height)
        index = (value >= (ys if by_height else xs)[1:-1]).sum(dim=0, keepdim=True)
        ends = torch.cat([index, index + 1])
        x, x_next = xs.gather(0, ends)
        y, y_next = ys.gather(0, ends)
        # Softplus only where it is needed: two derivatives per element instead of K - 1.
        raw = functional.pad(parameters[2 * k :], (0, 0, 1, 1)).gather(0, ends)
        left, right = self.min_derivative + functional.softplus(raw + self._derivative_offset)
        width, height = x_next - x, y_next - y
        return _Bin(x, width, y, height, height / width, left, right)

    def forward(self, x: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate the spline."""
        return _elementwise(self._forward, x, parameters)

    def inverse(self, y: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Solve the quadratic of the bin by its numerically stable root."""
        return _elementwise(self._inverse, y, parameters)

    def _forward(self, x: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Elements (M,) and their parameters (3K - 1, M)."""
        inside = x.abs() < self.tail_bound
        x_in = torch.where(inside, x, 0.0)
        b = self._bin(x_in, parameters, by_height=False)
        theta = ((x_in - b.x) / b.width).clamp(0.0, 1.0)
        y = b.y + b.height * _ratio(b, theta)
        log_slope = _log_slope(b, theta)
        return torch.where(inside, y, x), torch.where(inside, log_slope, 0.0)

    def _inverse(self, y: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Elements (M,) and their parameters (3K - 1, M)."""
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


def _elementwise(
    act: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]], value: Tensor, parameters: Tensor
) -> tuple[Tensor, Tensor]:
    """Lay the elements of (N, A) in one row, their parameters (N, P, A) in P rows, and ``act``."""
    rows, active = value.shape
    by_parameter = parameters.movedim(0, -1)
    results = act(value.T.reshape(-1), by_parameter.reshape(len(by_parameter), rows * active))
    first, second = (result.reshape(active, rows).T for result in results)
    return first, second


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
