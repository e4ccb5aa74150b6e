"""Resampling of whole showers within their group of incident energy.

Samples of equal counts are ordered by group, and the number of showers per group is a choice, not a
random number: a bootstrap that let it fluctuate would add the spread of the incident energy to the
error of every quantity that grows with it (a hundredfold for the energy of a layer).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Strata:
    """Groups of consecutive rows.

    Parameters
    ----------
    counts
        Rows per group, shape (G,).
    """

    def __init__(self, counts: NDArray[np.intp]) -> None:
        self.n = int(counts.sum())
        self._size = np.repeat(counts, counts)
        self._start = np.repeat(np.cumsum(counts) - counts, counts)

    def bootstrap(self, rng: np.random.Generator) -> NDArray[np.intp]:
        """Draw as many rows of every group as it has, with replacement, shape (N,)."""
        # A double has room for 2^53 places: no row is preferred.
        drawn: NDArray[np.intp] = self._start + (rng.random(self.n) * self._size).astype(np.intp)
        return drawn

    def exchange(self, rng: np.random.Generator) -> NDArray[np.bool_]:
        """Say which rows of two samples change places, shape (N,).

        Row i of both is in the same group. Under equal distributions the labels of a pair mean
        nothing, so this is a permutation test within groups.
        """
        swapped: NDArray[np.bool_] = rng.random(self.n) < 0.5
        return swapped
