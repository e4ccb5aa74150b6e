"""How near a generator's spectrum of E_tot is to that of held-out showers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.preprocessing.fit import energy_knots

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TotalSpectrum"]

_SHOWERS_PER_BIN = 25
_MOST_BINS = 40
_MULTIPLE = 4  # showers drawn per held-out one, so that the draw's own fluctuation counts little


class TotalSpectrum:
    r"""Histograms of E_tot/E_inc of held-out showers, one per incident energy.

    .. math:: \chi^2 = \sum_k \frac{(g_k / m - h_k)^2}{g_k / m^2 + h_k}

    with h the held-out counts, g those of m times as many generated showers; the sum over all bins
    of all energies, divided by its degrees of freedom.

    Parameters
    ----------
    total, incident_energy
        Held-out showers, (N,) MeV each.
    """

    def __init__(self, total: NDArray[np.float64], incident_energy: NDArray[np.float64]) -> None:
        _, group = energy_knots(np.log(incident_energy))
        self.incident_energy = self.tile(incident_energy)
        self._rows = [np.flatnonzero(np.tile(group, _MULTIPLE) == g) for g in np.unique(group)]
        ratio = total / incident_energy
        parts = [ratio[group == g] for g in np.unique(group)]
        self._edges = [_edges(part) for part in parts]
        self._counts = [_histogram(p, e) for p, e in zip(parts, self._edges, strict=True)]

    @staticmethod
    def tile(values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a condition (N,) as often as showers are drawn at it, (m N,)."""
        return np.tile(values, _MULTIPLE)

    def chi2(self, total: NDArray[np.float64]) -> float:
        """Return chi2/ndf of totals (m N,) in MeV drawn at :attr:`incident_energy`.

        NaN where one of them is not finite.
        """
        if not np.isfinite(total).all():
            return float("nan")
        ratio = total / self.incident_energy
        value, bins = 0.0, 0
        for rows, edges, held_out in zip(self._rows, self._edges, self._counts, strict=True):
            drawn = _histogram(ratio[rows], edges) / _MULTIPLE
            variance = drawn / _MULTIPLE + held_out
            filled = variance > 0
            value += float(((drawn - held_out)[filled] ** 2 / variance[filled]).sum())
            bins += int(filled.sum()) - 1
        return value / max(bins, 1)


def _edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inner edges of bins with equally many of the values (N,); the outer bins are open."""
    bins = int(np.clip(len(values) // _SHOWERS_PER_BIN, 2, _MOST_BINS))
    return np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1]))


def _histogram(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
    return counts.astype(np.float64)
