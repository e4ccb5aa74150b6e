"""Fitting the constants of the energy preprocessing to a sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.preprocessing.config import PreprocessingConfig

__all__ = ["FittedConstants", "fit_constants"]

#: More distinct incident energies than this are a continuous spectrum: the knots are its quantiles.
_MOST_DISCRETE_ENERGIES = 32
_CONTINUOUS_KNOTS = 12
#: Values a knot needs for its own mean and scale; knots with fewer take their neighbours'.
_FEWEST_VALUES = 30


@dataclass(frozen=True)
class FittedConstants:
    """Constants of :class:`~fastcaloq_infer.preprocessing.energies.EnergyPreprocessing`.

    L layers, K knots; float64.  ``lower`` is -inf and ``upper`` +inf where no zero was seen.
    """

    layer_order: NDArray[np.int64]  # (L,)
    n_absolute: int  # the first so many of the chain stand alone
    energy_threshold: float  # MeV
    zero_width: float
    zero_gap: float
    knots: NDArray[np.float64]  # (K,) log(E_inc / MeV), ascending
    mean: NDArray[np.float64]  # (L, K)
    scale: NDArray[np.float64]  # (L, K), positive
    lower: NDArray[np.float64]  # (L,)
    upper: NDArray[np.float64]  # (L,)
    ceiling: NDArray[np.float64]  # (L,), +inf where there is none
    sharpness: NDArray[np.float64]  # (L,)


def energy_knots(log_energy: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Knots (K,) and for every shower the knot nearest to it."""
    distinct = np.unique(log_energy)
    if len(distinct) > _MOST_DISCRETE_ENERGIES:
        distinct = np.unique(np.quantile(log_energy, np.linspace(0.02, 0.98, _CONTINUOUS_KNOTS)))
    nearest = np.abs(log_energy[:, None] - distinct[None, :]).argmin(axis=1)
    return distinct, nearest


def _moments(
    t: NDArray[np.float64], nearest: NDArray[np.int64], knots: NDArray[np.float64], what: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and scale of the values ``t`` at every knot; poor knots are interpolated."""
    counts = np.bincount(nearest, minlength=len(knots))
    good = np.flatnonzero(counts >= _FEWEST_VALUES)
    if len(good) == 0:
        msg = (
            f"{what} has fewer than {_FEWEST_VALUES} non-zero values at every incident energy: "
            "too few to standardise; use more showers or leave the layer out"
        )
        raise InputError(msg)
    mean = np.array([t[nearest == k].mean() for k in good])
    deviation = np.array([t[nearest == k].std() for k in good])
    scale = np.maximum(deviation, 1e-6)
    return np.interp(knots, knots[good], mean), np.interp(knots, knots[good], scale)


def _order(energy: NDArray[np.float64], absolute: tuple[int, ...]) -> tuple[NDArray[np.int64], int]:
    """Order of the chain: layers that stand alone, then the others, most often empty first."""
    n_layers = energy.shape[1]
    alone = sorted({layer for layer in absolute if layer < n_layers - 1})
    by_emptiness = np.argsort(-(energy == 0).mean(axis=0), kind="stable")
    shared = [int(layer) for layer in by_emptiness if layer not in alone]
    return np.array([*alone, *shared], dtype=np.int64), len(alone)


def fit_constants(
    layer_energy: NDArray[np.floating],
    incident_energy: NDArray[np.floating],
    config: PreprocessingConfig,
) -> FittedConstants:
    """Fit to layer energies (N, L) and incident energies (N,), both in MeV.

    Raises
    ------
    InputError
        If a layer holds too few showers to be standardised.
    """
    energy = np.where(layer_energy > config.energy_threshold, layer_energy, 0.0).astype(np.float64)
    order, n_absolute = _order(energy, config.absolute_layers)
    energy = energy[:, order]
    log_energy = np.log(np.asarray(incident_energy, dtype=np.float64))
    knots, nearest = energy_knots(log_energy)
    n_layers = energy.shape[1]
    mean, scale = np.zeros((n_layers, len(knots))), np.ones((n_layers, len(knots)))
    lower, upper, ceiling = (np.full(n_layers, edge) for edge in (-np.inf, np.inf, np.inf))
    after = energy[:, ::-1].cumsum(axis=1)[:, ::-1]
    for k in range(n_layers):
        if k == 0:
            here, rest, what = after[:, n_absolute], np.exp(log_energy), "the shared energy"
        else:
            here = energy[:, k - 1]
            rest = np.exp(log_energy) if k <= n_absolute else after[:, k]
            what = f"layer at position {order[k - 1]}"
        valued = (here > 0) & (rest > 0)
        t = np.log(here[valued]) - np.log(rest[valued])
        mean[k], scale[k] = _moments(t, nearest[valued], knots, what)
        at = log_energy[valued]
        y = (t - np.interp(at, knots, mean[k])) / np.interp(at, knots, scale[k])
        if (here == 0).any():
            lower[k] = np.quantile(y, config.tail_quantile) - config.zero_margin
        if k > 0 and ((here > 0) & (rest == 0)).any():
            upper[k] = np.quantile(y, 1 - config.tail_quantile) + config.zero_margin
        else:
            ceiling[k] = y.max() + config.ceiling_margin
    return FittedConstants(
        layer_order=order,
        n_absolute=n_absolute,
        energy_threshold=config.energy_threshold,
        zero_width=config.zero_width,
        zero_gap=config.zero_gap,
        knots=knots,
        mean=mean,
        scale=scale,
        lower=lower,
        upper=upper,
        ceiling=ceiling,
        sharpness=np.full(n_layers, config.sharpness),
    )
