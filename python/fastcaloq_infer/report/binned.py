"""Histograms as they are drawn: edges chosen by the reference, contents with their errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SHOWERS_PER_BIN = 60
_LOG_SPAN = 15.0  # 1 % to 99 % quantile: wider distributions are drawn on a logarithmic axis
_MAX_BINS = 36
_MAX_LATTICE = 1000
_ON_LATTICE = 1e-4  # of a step: float32 inputs put the points of a lattice this close to it


@dataclass(frozen=True)
class Binned:
    """A weighted histogram as fractions of all showers.

    Attributes
    ----------
    fraction, error
        Shape (B,), fraction of the showers per bin and its Poisson error sqrt(sum w^2).
    """

    fraction: NDArray[np.float64]
    error: NDArray[np.float64]


def bin_showers(
    values: NDArray[np.float64],
    edges: NDArray[np.float64],
    weights: NDArray[np.float64] | None = None,
) -> Binned:
    """Count values (N,) between edges (B + 1,), relative to all N showers; NaN is in no bin."""
    weights = np.ones(len(values)) if weights is None else weights
    total = weights.sum() or 1.0
    known = np.isfinite(values)
    values, weights = values[known], weights[known]
    sums, _ = np.histogram(values, edges, weights=weights)
    squares, _ = np.histogram(values, edges, weights=weights**2)
    return Binned(sums / total, np.sqrt(squares) / total)


@dataclass(frozen=True)
class Edges:
    """Bin edges (B + 1,), and whether they are those of a logarithmic axis."""

    values: NDArray[np.float64]
    logarithmic: bool = False

    @property
    def middles(self) -> NDArray[np.float64]:
        """Shape (B,), geometric means on a logarithmic axis."""
        low, high = self.values[:-1], self.values[1:]
        middles: NDArray[np.float64] = np.sqrt(low * high) if self.logarithmic else (low + high) / 2
        return middles


def choose_edges(reference: NDArray[np.float64], *, tail: float = 0.002) -> Edges:
    """Choose bin edges for the reference's values (N,); NaN does not count.

    The range is that between the quantiles ``tail`` and 1 - ``tail``, widened a little; what lies
    beyond is not drawn (the figures of the evaluation count it). Values that only occur at
    multiples of one number (a count of voxels over their number) get bins of as many of them each:
    others would draw a comb.
    """
    values = reference[np.isfinite(reference)]
    if len(values) < 2:
        return Edges(np.array([0.5, 1.0, 2.0]))
    n_bins = int(np.clip(len(values) // _SHOWERS_PER_BIN, 6, _MAX_BINS))
    low, first, last, high = np.quantile(values, [tail, 0.01, 0.99, 1 - tail])
    step = _lattice_step(values)
    if step is not None:
        start, stop = round(low / step), round(high / step)
        per_bin = -(-(stop - start + 1) // n_bins)
        count = -(-(stop - start + 1) // per_bin)
        return Edges(step * (start - 0.5 + per_bin * np.arange(count + 1)))
    if first > 0 and last / first > _LOG_SPAN:
        low = max(low, values[values > 0].min())
        return Edges(np.geomspace(low / 1.3, high * 1.3, n_bins + 1), logarithmic=True)
    margin = 0.08 * (high - low) or 0.05 * abs(high) or 0.5
    start = low - margin if values.min() < 0 else max(low - margin, 0.0)
    return Edges(np.linspace(start, high + margin, n_bins + 1))


def _lattice_step(values: NDArray[np.float64]) -> float | None:
    """Return the number that all values are multiples of, or None."""
    if len(values) <= _MAX_LATTICE and len(np.unique(values)) == len(values):
        return None
    distinct = np.unique(values)
    if not 2 <= len(distinct) <= _MAX_LATTICE:
        return None
    step = float(np.diff(distinct).min())
    multiples = distinct / step
    if np.abs(multiples).max() * _ON_LATTICE > 0.1:  # so far apart that anything would fit
        return None
    on_it = np.abs(multiples - np.rint(multiples)) < _ON_LATTICE * np.maximum(np.abs(multiples), 1)
    return step if on_it.all() else None
