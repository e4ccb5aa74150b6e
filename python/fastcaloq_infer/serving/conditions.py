"""Conditions as keys: what a service is asked for, exactly, in 64 bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.artefact.sections import Condition, Ranges

#: Well below 2^-24, the last bit of a scaled condition near 1 in float32.
_NOTHING = 1e-12


def condition_keys(
    incident_energy: NDArray[np.float32], eta: NDArray[np.float32], eta_everywhere: float | None
) -> NDArray[np.uint64]:
    """Bits of the float32 numbers (E_inc/MeV, abs(eta)), (N,) each, as one number per row.

    ``eta_everywhere`` stands for every eta where the model does not depend on it.

    Model files take float32, so nothing finer exists: what is equal here is equal for the model,
    and a remembered feature is the very one that the service would be asked for again.
    """
    pairs = np.empty((len(incident_energy), 2), dtype=np.float32)
    pairs[:, 0] = incident_energy
    if eta_everywhere is None:
        np.abs(eta, out=pairs[:, 1])
    else:
        pairs[:, 1] = eta_everywhere
    return pairs.view(np.uint64)[:, 0]


def eta_everywhere(condition: Condition, ranges: Ranges) -> float | None:
    """Return one abs(eta) that stands for all, if the model does not depend on eta; else None.

    Such a model's card has a half width in eta against which its range of eta is nothing: the
    scaled eta is 0 to the last bit of float32.
    """
    low, high = ranges.eta
    if max(abs(low - condition.eta_center), high - condition.eta_center) < (
        _NOTHING * condition.eta_half_width
    ):
        return low
    return None


def conditions_of(
    keys: NDArray[np.uint64],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return E_inc [MeV] and abs(eta), (N,) float32 each, from their keys."""
    pairs = np.ascontiguousarray(keys).view(np.float32).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def scaled(
    condition: Condition, incident_energy: NDArray[np.float32], eta: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return the condition c (N, 2) in [-1, 1] from E_inc [MeV] and abs(eta), (N,) each."""
    log_energy = np.log(incident_energy.astype(np.float64))
    return np.stack(
        [
            (log_energy - condition.log_energy_center) / condition.log_energy_half_width,
            (eta.astype(np.float64) - condition.eta_center) / condition.eta_half_width,
        ],
        axis=1,
    )
