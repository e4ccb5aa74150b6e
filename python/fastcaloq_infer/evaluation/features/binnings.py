"""Which of the challenge's data sets a binning belongs to, and what its script fixes for it.

Source: CaloChallenge, arXiv:2410.21611, and its evaluation script
(https://github.com/CaloChallenge/homepage, ``code/evaluate.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.data import BINNINGS, binning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.data import Binning

_CUTS = {1: 1.0, 2: 0.5e-3 / 0.033, 3: 0.5e-3 / 0.033}


def data_set(which: Binning | None) -> int | None:
    """Return 1, 2 or 3 if the layers are those of a data set of the challenge, else None."""
    for name in BINNINGS:
        if which is not None and binning(name).layers == which.layers:
            return int(name.split("-")[1])
    return None


def voxel_cut(which: Binning | None) -> float:
    """Return the energy in MeV below which the challenge sets a voxel to zero.

    1 MeV for data set 1; 0.5 keV over the sampling fraction 0.033 for data sets 2 and 3 (the
    smallest energy that a read-out could tell from nothing); 0 for other binnings.
    """
    return _CUTS.get(data_set(which) or 0, 0.0)


_FAR = (12, 13)
"""Layers of data set 1 whose voxels reach 2 m; 14 has one sector only."""


def feature_edges(
    feature: str, reference: NDArray[np.float64], which: Binning | None, cut: float
) -> NDArray[np.float64]:
    """Return the edges in which the challenge histograms a feature, shape (B + 1,).

    ================ ============================= ============================= ==============
    feature          data set 1                    data sets 2 and 3             bins
    ================ ============================= ============================= ==============
    E_tot            0.5 to 1.5                    0.5 to 1.5                    100
    E_layer          cut to the reference's        cut to the reference's        39, log
                     largest                       largest
    centre_eta, phi  +-100 mm; layers 12, 13       +-30 mm                       100
                     +-500 mm
    width_eta, phi   0 to 100 mm; layers 12, 13    0 to 30 mm                    100
                     0 to 400 mm
    centre_r         0 to 500 mm; layers 12-14     0 to 42 mm                    100
                     0 to 1500 mm
    width_r          as centre_r                   0 to 20 mm                    100
    sparsity         0 to 1                        0 to 1                        20
    voxel_energy     cut to the reference's        cut to the reference's        49, log
                     largest                       largest
    ================ ============================= ============================= ==============

    For other binnings, and where the challenge's range holds less than half of the reference (its
    E_tot of pions at low energy, say, does not): 100 equal bins between the 0.1 % and 99.9 %
    quantiles of the reference, and for energies logarithmic ones from its 1 % quantile.

    Parameters
    ----------
    feature
        Name as in ``high_level``, or ``voxel_energy``.
    reference
        The reference's values, shape (N,), in the feature's unit; NaN where undefined.
    which
        The voxelisation, or None.
    cut
        The energy in MeV below which a voxel is zero.
    """
    kind, _, number = feature.rpartition("_")
    layer = int(number) if number.isdigit() else -1
    if not number.isdigit():
        kind = feature
    known = reference[np.isfinite(reference)]
    if kind in ("E", "voxel_energy"):
        return _logarithmic(known[known > 0], cut, 50 if kind == "voxel_energy" else 40)
    if kind == "sparsity":
        return np.linspace(0.0, 1.0, 21)
    low, high = _range(kind, layer, data_set(which))
    inside = ((known >= low) & (known <= high)).sum()
    if inside < 0.5 * max(len(known), 1):
        low, high = np.quantile(known, [0.001, 0.999]) if len(known) else (0.0, 1.0)
        if low == high:
            low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, 101)


def _range(kind: str, layer: int, number: int | None) -> tuple[float, float]:
    """Return the challenge's range; an empty one (1, 0) where it has none."""
    if kind == "E_tot":
        return 0.5, 1.5
    if number is None:
        return 1.0, 0.0
    if number > 1:
        largest = {"centre_eta": 30.0, "centre_phi": 30.0, "centre_r": 42.0, "width_r": 20.0}
        high = largest.get(kind, 30.0)
    elif kind in ("centre_r", "width_r"):
        high = 1500.0 if layer in (*_FAR, 14) else 500.0
    elif kind in ("centre_eta", "centre_phi"):
        high = 500.0 if layer in _FAR else 100.0
    else:
        high = 400.0 if layer in _FAR else 100.0
    return (-high, high) if kind in ("centre_eta", "centre_phi") else (0.0, high)


def _logarithmic(positive: NDArray[np.float64], cut: float, edges: int) -> NDArray[np.float64]:
    if len(positive) == 0:
        return np.array([1.0, 10.0])
    low = cut if cut > 0 else float(np.quantile(positive, 0.01))
    high = float(positive.max())
    if high <= low * (1 + 1e-9):
        low, high = low / 2, high * 2
    return np.logspace(np.log10(low), np.log10(high), edges)
