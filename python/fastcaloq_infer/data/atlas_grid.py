"""Voxel positions of the ATLAS format as rings and sectors, and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.data.voxelisation import ALPHA_START, LayerBinning
from fastcaloq_infer.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Positions are float32: at 2000 mm their spacing is 1.2e-4 mm, at pi rad 2.4e-7.
_MM = 1e-3
_RAD = 1e-5


def grid_of_layer(
    number: int,
    r_start: NDArray[np.float64],
    r_size: NDArray[np.float64],
    alpha_start: NDArray[np.float64],
    alpha_size: NDArray[np.float64],
) -> tuple[LayerBinning, NDArray[np.intp]]:
    """Find the rings and sectors of a layer from its voxels' positions.

    Parameters
    ----------
    number
        Layer number.
    r_start, r_size, alpha_start, alpha_size
        (V_l,) in mm and radians.

    Returns
    -------
    The layer's binning, and (V_l,) the column of each voxel in the order r fastest, then alpha.

    Raises
    ------
    InputError
        The voxels are not a full grid of rings times equal sectors that begin at -pi.
    """
    where = f"the voxels of layer {number} are not a grid of rings and equal sectors"
    values = np.stack([r_start, r_size, alpha_start, alpha_size])
    if not np.isfinite(values).all() or (r_size <= 0).any() or (alpha_size <= 0).any():
        raise InputError(f"{where}: a position is not finite or a size is not positive")
    edges = _distinct(np.concatenate([r_start, r_start + r_size]), _MM)
    n_alpha = round(2 * math.pi / float(alpha_size[0]))
    n_r = len(edges) - 1
    if n_alpha < 1 or n_r * n_alpha != len(r_start):
        raise InputError(f"{where}: {len(r_start)} voxels, {n_r} rings, {n_alpha} sectors")
    width = 2 * math.pi / n_alpha
    i_r = np.abs(edges[None, :] - r_start[:, None]).argmin(axis=1)
    turns = (alpha_start - ALPHA_START) / width
    # One sector is the whole circle wherever it begins.
    i_alpha = np.zeros(len(turns), int) if n_alpha == 1 else np.rint(turns).astype(int) % n_alpha
    if n_alpha > 1 and np.abs(turns - np.rint(turns)).max() * width > _RAD:
        raise InputError(f"{where}: sectors do not begin at -pi")
    if np.abs(alpha_size - width).max() > _RAD:
        raise InputError(f"{where}: sectors differ in width")
    if i_r.max() >= n_r or np.abs(np.diff(edges)[i_r] - r_size).max() > _MM:
        raise InputError(f"{where}: rings overlap")
    position = i_alpha * n_r + i_r
    if len(np.unique(position)) != len(position):
        raise InputError(f"{where}: two voxels share a place")
    # float32 positions such as 4.650000095 mean 4.65
    return (
        LayerBinning(number, tuple(round(float(edge), 4) for edge in edges), n_alpha),
        np.argsort(position),
    )


def _distinct(values: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
    ordered = np.sort(values)
    distinct: NDArray[np.float64] = ordered[np.append(True, np.diff(ordered) > tolerance)]
    return distinct


def same_grid(a: LayerBinning, b: LayerBinning) -> bool:
    """Whether two layers have the same rings and sectors, within the precision of the format."""
    return (
        a.n_alpha == b.n_alpha
        and a.n_r == b.n_r
        and all(abs(x - y) <= _MM for x, y in zip(a.r_edges, b.r_edges, strict=True))
    )


def positions_of_layer(layer: LayerBinning) -> dict[str, NDArray[np.float32]]:
    """Return the format's four arrays of a layer, each (V_l,) float32, r fastest, then alpha."""
    edges = np.asarray(layer.r_edges)
    width = 2 * math.pi / layer.n_alpha
    sectors = ALPHA_START + width * np.arange(layer.n_alpha)
    columns = {
        "binstart_radius": np.tile(edges[:-1], layer.n_alpha),
        "binsize_radius": np.tile(np.diff(edges), layer.n_alpha),
        "binstart_alpha": np.repeat(sectors, layer.n_r),
        "binsize_alpha": np.full(layer.n_voxels, width),
    }
    return {name: column.astype(np.float32) for name, column in columns.items()}
