r"""The high-level features of the CaloChallenge, for any binning.

For shower n with voxel energies E_v (MeV), voxel centres (r_v, alpha_v) in polar coordinates and
transverse position x_v = r_v cos(alpha_v) ("eta", mm), y_v = r_v sin(alpha_v) ("phi", mm), per
layer l with V_l voxels:

=============== =============================================== =====================
feature         formula                                         defined
=============== =============================================== =====================
E_tot           sum_v E_v / E_inc                               always
E_l             sum_{v in l} E_v                                always
centre_eta_l    <x> = sum E_v x_v / sum E_v                     where the layer holds energy
width_eta_l     sqrt(<x^2> - <x>^2)                             where the layer holds energy
centre_phi_l    as for eta, with y
width_phi_l     as for eta, with y
centre_r_l      as for eta, with r
width_r_l       as for eta, with r
sparsity_l      share of the layer's voxels without energy      always
=============== =============================================== =====================

A ring's r_v is the middle of its edges, a sector's alpha_v the middle of its range, the first
sector beginning at -pi. Layers with one sector have no centre in eta and phi.

Source: CaloChallenge, arXiv:2410.21611, section 5; the formulas are those of its script
(https://github.com/CaloChallenge/homepage, ``code/HighLevelFeatures.py``). There a centre or width
of an empty layer is 0; here it is undefined (NaN), since 0 is also the most probable centre of a
layer that does hold energy. Histograms give the undefined values a bin of their own, distances
leave them out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.data import LayerBinning
    from fastcaloq_infer.evaluation.samples.sample import Sample

    Array = NDArray[np.float64]

ROWS = 4096
"""Showers converted to float64 at once: 12 MB of photons of data set 1."""


@dataclass(frozen=True)
class Features:
    """High-level features of N showers.

    Attributes
    ----------
    names
        F names, e.g. ``centre_eta_2`` (layer 2).
    labels
        The same in mathtext, for pictures.
    units
        ``MeV``, ``mm`` or empty for a pure number.
    values
        Shape (N, F), float64; NaN where undefined.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    units: tuple[str, ...]
    values: NDArray[np.float64]

    def column(self, name: str) -> NDArray[np.float64]:
        """Return one feature, shape (N,)."""
        return self.values[:, self.names.index(name)]


def high_level_features(sample: Sample) -> Features:
    """Return all features that a sample allows, in float64.

    Of a sample without voxels these are E_tot and the energies of the layers.

    Parameters
    ----------
    sample
        Showers; voxels as they shall count, that is after the challenge's cut of 1 MeV in data
        set 1 (``Sample.cut``).

    Returns
    -------
    Features
        E_tot, the layer energies, then for all layers centre_eta, centre_phi, width_eta, width_phi
        (layers with several sectors), centre_r, width_r, sparsity.
    """
    ids = sample.layer_ids or tuple(range(sample.n_layers))
    if sample.binning is not None:
        ids = sample.binning.layer_ids
    named: list[tuple[str, str, str]] = [
        ("E_tot", r"$E_\mathrm{tot}/E_\mathrm{inc}$", ""),
        *((f"E_{i}", rf"$E$ of layer {i}", "MeV") for i in ids),
    ]
    columns: list[Array] = [sample.total_energy / sample.incident_energy, *sample.layer_energy.T]
    if sample.binning is not None and sample.voxel_energy is not None:
        shapes: dict[str, Array] = {}
        for layer, part in zip(sample.binning.layers, sample.binning.layer_slices, strict=True):
            shapes |= _layer_shapes(layer, sample.voxel_energy[:, part])
        for kind, (label, unit) in _KINDS.items():
            for i in ids:
                if f"{kind}_{i}" in shapes:
                    named.append((f"{kind}_{i}", f"{label} in layer {i}", unit))
                    columns.append(shapes[f"{kind}_{i}"])
    names, labels, units = zip(*named, strict=True)
    return Features(names, labels, units, np.column_stack(columns))


_KINDS = {
    "centre_eta": (r"$\langle\eta\rangle$", "mm"),
    "centre_phi": (r"$\langle\phi\rangle$", "mm"),
    "width_eta": (r"$\sigma_\eta$", "mm"),
    "width_phi": (r"$\sigma_\phi$", "mm"),
    "centre_r": (r"$\langle r\rangle$", "mm"),
    "width_r": (r"$\sigma_r$", "mm"),
    "sparsity": ("sparsity", ""),
}


def voxel_centres(layer: LayerBinning) -> tuple[Array, Array]:
    """Return r (mm) and alpha (radians) of a layer's voxels, shape (V_l,), r running fastest."""
    edges = np.asarray(layer.r_edges)
    alpha = -np.pi + (np.arange(layer.n_alpha) + 0.5) * 2 * np.pi / layer.n_alpha
    return (
        np.tile((edges[1:] + edges[:-1]) / 2, layer.n_alpha),
        np.repeat(alpha, layer.n_r),
    )


def _layer_shapes(layer: LayerBinning, voxels: NDArray[np.float32]) -> dict[str, Array]:
    """Return centres, widths and sparsity of one layer, (N,) each; voxels (N, V_l)."""
    r, alpha = voxel_centres(layer)
    places = {"r": r}
    if layer.n_alpha > 1:
        places |= {"eta": r * np.cos(alpha), "phi": r * np.sin(alpha)}
    # One matrix product per chunk gives all sums: of E, of E x and of E x^2 for every x.
    weights = np.column_stack([np.ones_like(r), *places.values(), *(x**2 for x in places.values())])
    sums = np.empty((len(voxels), weights.shape[1]))
    for start in range(0, len(voxels), ROWS):
        rows = slice(start, start + ROWS)
        sums[rows] = voxels[rows].astype(np.float64) @ weights
    energy = np.where(sums[:, 0] > 0, sums[:, 0], np.nan)
    shapes = {f"sparsity_{layer.id}": 1 - np.count_nonzero(voxels, axis=1) / layer.n_voxels}
    for k, axis in enumerate(places, start=1):
        mean, square = sums[:, k] / energy, sums[:, k + len(places)] / energy
        variance = square - mean**2
        # Rounding leaves some 1e-16 of <x^2> where all energy is in one place; that width is 0.
        variance = np.where(variance > 1e-13 * square, variance, 0.0 * energy)
        shapes[f"centre_{axis}_{layer.id}"] = mean
        shapes[f"width_{axis}_{layer.id}"] = np.sqrt(variance)
    return shapes
