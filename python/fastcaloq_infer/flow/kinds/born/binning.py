"""Bins of the preprocessed coordinates: the real line cut into 2^bits pieces with a density each.

The interval in which the preprocessing puts empty layers is a bin of its own, and so is that of
an empty rest; inside, the density is uniform as the zeros are, so the likelihood of a shower with
empty layers is exact. The values between them share the other bins: uniform inside, but
where nothing bounds the coordinate the outermost bin is a half-line with an exponential density

    f(x) = exp(-|x - e| / s) / s,    e its edge, s the mean distance of the training's values to e,

so every shower that the preprocessing can map has a finite likelihood. Every bin's density
integrates to 1.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from fastcaloq_infer.errors import ConfigError, InputError

if TYPE_CHECKING:
    from fastcaloq_infer.preprocessing.energies import EnergyPreprocessing

__all__ = ["CoordinateBins"]

#: A zero may leave its interval by the rounding of float32 (edges are of order 10).
_SLACK = 1e-5
#: Relative to the spread of the values; two edges nearer than this are one.
_NARROWEST = 1e-6


class CoordinateBins(nn.Module):
    """Bins of L coordinates; the constants are buffers, so part of a checkpoint.

    Parameters
    ----------
    registers
        Qubits of every coordinate; a coordinate has 2**qubits bins, in ascending order.
    preprocessing
        Gives the intervals of the zeros.

    Attributes
    ----------
    borders
        Where bins meet, (L, largest number of bins - 1), rows filled up with 0.
    anchor, width, tail
        Of every bin (L, largest number of bins): [anchor, anchor + width] where tail is 0; where it
        is +1 or -1 the half-line from anchor upwards or downwards, with an exponential density of
        scale ``width``.

    Raises
    ------
    ConfigError
        A coordinate has fewer bins than its zeros and its values need.
    """

    borders: Tensor
    anchor: Tensor
    width: Tensor
    tail: Tensor

    def __init__(self, registers: tuple[int, ...], preprocessing: EnergyPreprocessing) -> None:
        super().__init__()
        self.counts = tuple(1 << n for n in registers)
        self.lower = preprocessing.lower.tolist()
        self.upper = preprocessing.upper.tolist()
        self.zero_gap, self.zero_width = preprocessing.zero_gap, preprocessing.zero_width
        for k, count in enumerate(self.counts):
            if self._n_values(k) < 1:
                raise ConfigError(
                    f"quantum.bits gives coordinate {k} {count} bins, but an empty layer, an empty "
                    "rest and the values between need one each: give it more bits"
                )
        shape = (len(self.counts), max(self.counts))
        self.register_buffer("borders", torch.zeros(shape[0], shape[1] - 1))
        self.register_buffer("anchor", torch.zeros(shape))
        self.register_buffer("width", torch.ones(shape))
        self.register_buffer("tail", torch.zeros(shape))

    def has_zeros(self, k: int) -> tuple[bool, bool]:
        """Whether the first and the last bin of coordinate k hold empty layers, and empty rests."""
        return self.lower[k] > -torch.inf, self.upper[k] < torch.inf

    def _n_values(self, k: int) -> int:
        below, above = self.has_zeros(k)
        return self.counts[k] - int(below) - int(above)

    def fit(self, x: Tensor, edges: Literal["quantiles", "uniform"]) -> None:
        """Set the edges from coordinates (N, L).

        Raises
        ------
        InputError
            A coordinate has too few different values for its bins.
        """
        for k in range(len(self.counts)):
            inside = x[:, k].double()
            inside = inside[(inside > self.lower[k]) & (inside < self.upper[k])]
            cuts = self._cuts(k, inside, edges)
            self._fill(k, inside, cuts)

    def _cuts(self, k: int, values: Tensor, edges: str) -> Tensor:
        """Return the edges between the bins of values, (n - 1,)."""
        n = self._n_values(k)
        if len(values) >= n:
            low, high = float(values.min()), float(values.max())
            start = max(self.lower[k], low) if self.lower[k] == -torch.inf else self.lower[k]
            stop = min(self.upper[k], high) if self.upper[k] == torch.inf else self.upper[k]
            if edges == "uniform":
                cuts = torch.linspace(start, stop, n + 1, dtype=values.dtype)[1:-1]
            else:
                order = values.sort().values
                place = torch.arange(1, n, dtype=values.dtype) * ((len(order) - 1) / n)
                below = place.long()
                weight = place - below
                cuts = torch.lerp(
                    order[below], order[(below + 1).clamp(max=len(order) - 1)], weight
                )
            apart = torch.cat([values.new_tensor([low]), cuts.cpu(), values.new_tensor([high])])
            if n == 1 or bool((apart.diff() > _NARROWEST * (stop - start)).all()):
                return cuts
        raise InputError(
            f"coordinate {k} of the showers has too few different values for {n} bins "
            f"({len(values)} showers have one); give it fewer 'quantum.bits' or more showers"
        )

    def _fill(self, k: int, values: Tensor, cuts: Tensor) -> None:
        gap, width = self.zero_gap, self.zero_width
        below, above = self.has_zeros(k)
        edges = [self.lower[k], *cuts.tolist(), self.upper[k]]
        borders = cuts.tolist()
        pieces: list[tuple[float, float, float]] = []  # anchor, width, tail
        for low, high in pairwise(edges):
            if low == -torch.inf:
                pieces.append((high, float((high - values[values < high]).mean()), -1.0))
            elif high == torch.inf:
                pieces.append((low, float((values[values >= low] - low).mean()), 1.0))
            else:
                pieces.append((low, high - low, 0.0))
        if below:
            pieces.insert(0, (self.lower[k] - gap - width, width, 0.0))
            borders.insert(0, self.lower[k] - 0.5 * gap)
        if above:
            pieces.append((self.upper[k] + gap, width, 0.0))
            borders.append(self.upper[k] + 0.5 * gap)
        self.borders[k, : len(borders)] = self.borders.new_tensor(borders)
        for row, column in zip(
            (self.anchor, self.width, self.tail), zip(*pieces, strict=True), strict=True
        ):
            row[k, : len(column)] = row.new_tensor(column)

    def locate(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Bins of coordinates (N, L): their number among all (N,), and log densities inside (N,).

        The number counts coordinate 0 slowest. The density is that inside the bin, in nats; -inf
        in the gaps beside the zeros, where no shower lies.
        """
        number = torch.zeros(len(x), dtype=torch.int64, device=x.device)
        log_density = torch.zeros(len(x), dtype=x.dtype, device=x.device)
        for k, count in enumerate(self.counts):
            column = x[:, k].contiguous()
            index = torch.bucketize(column, self.borders[k, : count - 1], right=True)
            anchor, width, tail = (part[k][index] for part in (self.anchor, self.width, self.tail))
            distance = (column - anchor) / width
            log_inside = torch.where(tail == 0, 0.0, -distance.abs())
            off = (tail == 0) & ((distance - 0.5).abs() * width > 0.5 * width + _SLACK)
            log_density = log_density + torch.where(off, -torch.inf, log_inside - width.log())
            number = number * count + index
        return number, log_density

    def draw(self, number: Tensor, uniform: Tensor) -> Tensor:
        """Place coordinates (N, L) in bins (N,) with uniform numbers (N, L) in [0, 1)."""
        # The ends of a bin belong to its neighbours, and the logarithm to no number.
        tiny = torch.finfo(uniform.dtype).eps
        uniform = uniform.clamp(tiny, 1.0 - tiny)
        columns = []
        for k in reversed(range(len(self.counts))):
            index = number % self.counts[k]
            number = number // self.counts[k]
            anchor, width, tail = (part[k][index] for part in (self.anchor, self.width, self.tail))
            step = torch.where(tail == 0, uniform[:, k], -tail * torch.log1p(-uniform[:, k]))
            columns.append(anchor + width * step)
        return torch.stack(columns[::-1], dim=1)
