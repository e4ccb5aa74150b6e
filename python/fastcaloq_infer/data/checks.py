"""Checks of shower rows: energies are finite, incident ones positive, deposits not negative."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def bad_rows(
    incident_energy: NDArray[np.floating],
    deposits: NDArray[np.floating],
    eta: NDArray[np.floating] | None = None,
) -> NDArray[np.bool_]:
    """Mark rows that cannot be showers.

    Parameters
    ----------
    incident_energy
        (N,) MeV; must be finite and positive.
    deposits
        (N, M) MeV, voxels or layers; must be finite and not negative.
    eta
        (N,) pseudorapidity; must be finite.

    Returns
    -------
    (N,) bool, True where a row is bad.
    """
    bad: NDArray[np.bool_] = ~(np.isfinite(incident_energy) & (incident_energy > 0))
    if eta is not None:
        bad |= ~np.isfinite(eta)
    if deposits.size:
        # Two reductions cost a tenth of the element-wise test below and nearly always suffice.
        with np.errstate(invalid="ignore"):
            clean = deposits.min() >= 0 and deposits.max() < np.inf
        if not clean:
            bad |= ~((deposits >= 0) & (deposits < np.inf)).all(axis=1)
    return bad


LAYER_TOLERANCE = 1e-5
"""How far a file's layer energies may be from the sums of its voxels, relative to the larger.

A generated layer is shared out by products in float32 (up to 4e-6 along the longest chain) and both
numbers are rounded to float32 (6e-8 each); other energies differ by more than that.
"""


def differing_layers(sums: NDArray[np.float64], stated: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Mark layers (N, L) whose stated energy is not the sum of their voxels, both in MeV."""
    with np.errstate(invalid="ignore"):
        distance = np.abs(sums - stated)
        differs: NDArray[np.bool_] = distance > LAYER_TOLERANCE * np.maximum(sums, stated)
    return differs


def why_bad(
    incident_energy: float,
    deposits: NDArray[np.floating],
    eta: float | None,
    describe: Callable[[int], str],
) -> str:
    """Say in one sentence why `bad_rows` marked a row.

    Parameters
    ----------
    incident_energy, deposits, eta
        The row: MeV, (M,) MeV, pseudorapidity.
    describe
        Names the deposit at a position, e.g. ``voxel 7 (layer 0, alpha bin 0, r bin 7)``.
    """
    if not (np.isfinite(incident_energy) and incident_energy > 0):
        return f"the incident energy is {incident_energy:g} MeV, must be finite and positive"
    if eta is not None and not np.isfinite(eta):
        return f"eta is {eta:g}, must be finite"
    position = int(np.argmax(~((deposits >= 0) & (deposits < np.inf))))
    return f"{describe(position)} holds {deposits[position]:g} MeV, must be finite and not negative"
