"""Cubic interpolation on the uniform grid of a precomputed conditioner, in NumPy alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.artefact.architecture import Table

_NODES = 4


def lagrange_weights(place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights (N, 4) of the cubic through nodes 0, 1, 2, 3 at ``place`` (N,) in node steps."""
    f = place[:, None] - np.arange(_NODES)
    return np.stack(
        [
            -f[:, 1] * f[:, 2] * f[:, 3] / 6,
            f[:, 0] * f[:, 2] * f[:, 3] / 2,
            -f[:, 0] * f[:, 1] * f[:, 3] / 2,
            f[:, 0] * f[:, 1] * f[:, 2] / 6,
        ],
        axis=1,
    )


def neighbours(
    value: NDArray[np.float64], bounds: tuple[float, float], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Nodes (N, 4) around each value (N,) on an axis of ``count`` nodes, and their weights (N, 4).

    An axis of one node has it as its only column: (N, 1) each.
    """
    if count == 1:
        return np.zeros((len(value), 1), dtype=np.int64), np.ones((len(value), 1))
    s = (value - bounds[0]) / ((bounds[1] - bounds[0]) / (count - 1))
    cell = np.clip(np.floor(s).astype(np.int64) - 1, 0, count - _NODES)
    return cell[:, None] + np.arange(_NODES), lagrange_weights(s - cell)


def interpolate_rows(
    values: NDArray[np.floating],
    card: Table,
    log_energy: NDArray[np.float64],
    eta: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Features (N, Q) of the conditions (log(E_inc/MeV), abs(eta)), (N,) each, in float64.

    ``values`` [n_energy, n_eta, Q] are the nodes that ``card`` describes.
    """
    i, by_energy = neighbours(log_energy, card.log_energy, card.n_energy)
    j, by_eta = neighbours(eta, card.eta, card.n_eta)
    nodes = values[i[:, :, None], j[:, None, :]].astype(np.float64)
    weights = by_energy[:, :, None] * by_eta[:, None, :]
    result: NDArray[np.float64] = (nodes * weights[..., None]).sum(axis=(1, 2))
    return result
