"""The precomputed conditioner: a table over (log energy, abs(eta)) and its measured error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from fastcaloq_infer.artefact.architecture import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fastcaloq_infer.artefact.sections import Ranges
    from fastcaloq_infer.flow import EnergyModel
    from fastcaloq_infer.flow.shape.shape_flow import ShapeFlow

    Conditioned = EnergyModel | ShapeFlow

TARGET = 1e-6  # of the feature range
_ENERGY_NODES = tuple(2**k + 1 for k in range(4, 13))
_ETA_NODES = tuple(2**k + 1 for k in range(2, 10))
_OFF_GRID = (0.2, 0.5, 0.8)  # where in a cell the error is measured
_CHUNK = 65_536


@dataclass(frozen=True)
class FeatureTable:
    """``values`` [n_energy, n_eta, Q] float32 and what the card says about them."""

    values: NDArray[np.float32]
    card: Table

    @property
    def relative_error(self) -> float:
        """Largest interpolation error over the feature range (0 for constant features)."""
        scale = self.card.feature_range
        return self.card.max_error / scale if scale > 0 else 0.0

    @property
    def meets_target(self) -> bool:
        """Whether the interpolation error is below `TARGET` of the feature range."""
        return self.relative_error < TARGET


def lagrange_weights(place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights (N, 4) of the cubic through nodes 0, 1, 2, 3 at ``place`` (N,) in node steps."""
    f = place[:, None] - np.arange(4)
    return np.stack(
        [
            -f[:, 1] * f[:, 2] * f[:, 3] / 6,
            f[:, 0] * f[:, 2] * f[:, 3] / 2,
            -f[:, 0] * f[:, 1] * f[:, 3] / 2,
            f[:, 0] * f[:, 1] * f[:, 2] / 6,
        ],
        axis=1,
    )


def _axis_weights(
    value: NDArray[np.float64], bounds: tuple[float, float], count: int
) -> NDArray[np.float64]:
    """Row per value with the weight of each of the ``count`` nodes."""
    weights = np.zeros((len(value), count))
    if count == 1:
        weights[:] = 1.0
        return weights
    s = (value - bounds[0]) / ((bounds[1] - bounds[0]) / (count - 1))
    cell = np.clip(np.floor(s).astype(np.int64) - 1, 0, count - 4)
    columns = cell[:, None] + np.arange(4)
    np.put_along_axis(weights, columns, lagrange_weights(s - cell), axis=1)
    return weights


def interpolate(
    values: NDArray[np.floating],
    card: Table,
    log_energy: NDArray[np.float64],
    eta: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Features on the grid spanned by ``log_energy`` (N,) and ``eta`` (M,): (N, M, Q), float64."""
    by_energy = _axis_weights(log_energy, card.log_energy, card.n_energy)
    by_eta = _axis_weights(eta, card.eta, card.n_eta)
    result: NDArray[np.float64] = np.einsum(
        "ni,ijq,mj->nmq", by_energy, values.astype(np.float64), by_eta, optimize=True
    )
    return result


def exact_features(
    flow: Conditioned, log_energy: NDArray[np.float64], eta: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Evaluate the conditioner itself on such a grid, (N, M, Q), all in float64."""
    grid = np.stack(np.meshgrid(log_energy, eta, indexing="ij"), axis=-1).reshape(-1, 2)
    scaling = flow.condition
    centre, half_width = (t.double().cpu().numpy() for t in (scaling.centre, scaling.half_width))
    condition = torch.from_numpy((grid - centre) / half_width)
    with torch.no_grad():
        features = torch.cat([flow.conditioner(part) for part in torch.split(condition, _CHUNK)])
    return features.numpy().reshape(len(log_energy), len(eta), -1)


def _nodes(bounds: tuple[float, float], count: int) -> NDArray[np.float64]:
    return np.linspace(bounds[0], bounds[1], count)


def _between(bounds: tuple[float, float], count: int) -> NDArray[np.float64]:
    if count == 1:
        return np.array(bounds[:1])
    step = (bounds[1] - bounds[0]) / (count - 1)
    places: NDArray[np.float64] = np.arange(count - 1)[:, None] + np.array(_OFF_GRID)
    return bounds[0] + step * places.ravel()


def _tabulate(
    flow: Conditioned, log_energy: tuple[float, float], eta: tuple[float, float], n: int, m: int
) -> FeatureTable:
    nodes = exact_features(flow, _nodes(log_energy, n), _nodes(eta, m))
    values = nodes.astype(np.float32)
    empty = Table(
        log_energy=log_energy, eta=eta, n_energy=n, n_eta=m, max_error=0.0, feature_range=0.0
    )
    at_energy, at_eta = _between(log_energy, n), _between(eta, m)
    exact = exact_features(flow, at_energy, at_eta)
    error = float(np.abs(interpolate(values, empty, at_energy, at_eta) - exact).max())
    feature_range = float(np.ptp(exact, axis=(0, 1)).max())
    return FeatureTable(
        values, empty.model_copy(update={"max_error": error, "feature_range": feature_range})
    )


def build_table(flow: Conditioned, reach: Ranges, target: float = TARGET) -> FeatureTable:
    """Tabulate the conditioner of ``flow`` (float64) finely enough for ``target``.

    Parameters
    ----------
    flow : EnergyModel or ShapeFlow
        In float64, with at least one feature.
    reach : Ranges
        Incident energies [MeV] and abs(eta) the table must cover.
    target : float
        Largest interpolation error allowed, over the feature range. Measured between the nodes
        against the conditioner itself in float64, the nodes rounded to float32.

    Returns
    -------
    FeatureTable
        With the fewest nodes (2^k + 1 per axis) that meet the target; if none do (features that
        hardly change are limited by float32, wild ones by the size of the table), the best
        table, whose `FeatureTable.relative_error` tells.
    """
    log_energy = (math.log(reach.incident_energy[0]), math.log(reach.incident_energy[1]))
    if log_energy[0] == log_energy[1]:  # one energy: an axis needs an extent
        log_energy = (log_energy[0] - 1.0, log_energy[1] + 1.0)
    # Each axis alone first: the error of both is at most 5/4 of one plus the other.
    share = 0.4 * target
    constant = reach.eta[0] == reach.eta[1] or not flow.condition.validity.eta_dependent
    at_eta = np.linspace(*reach.eta, 1 if constant else 17)
    n_energy = _count(_ENERGY_NODES, log_energy, lambda at: exact_features(flow, at, at_eta), share)
    if len(at_eta) == 1:
        n_eta = 1
    else:
        at_energy = np.linspace(*log_energy, 33)
        n_eta = _count(
            _ETA_NODES,
            reach.eta,
            lambda at: exact_features(flow, at_energy, at).swapaxes(0, 1),
            share,
        )
    return _tabulate(flow, log_energy, reach.eta, n_energy, n_eta)


def _count(
    counts: tuple[int, ...],
    bounds: tuple[float, float],
    features: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    target: float,
) -> int:
    """Nodes one axis needs; ``features`` (N, M, Q) of N places on the axis, M on the other."""
    best, smallest = counts[0], math.inf
    for count in counts:
        nodes = features(_nodes(bounds, count)).astype(np.float32)
        places = _between(bounds, count)
        exact = features(places)
        weights = _axis_weights(places, bounds, count)
        error = float(np.abs(np.tensordot(weights, nodes.astype(np.float64), 1) - exact).max())
        if error > 0.5 * smallest:
            break  # finer is no better: what is left is the rounding of the nodes
        best, smallest = count, error
        if error < target * np.ptp(exact, axis=(0, 1)).max():
            break
    return best
