"""Choosing some of the showers so that their spectrum of incident energies is that of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def equal_in_spectrum(
    incident_energy: NDArray[np.floating], order: NDArray[np.int64], number: int
) -> NDArray[np.bool_]:
    """Choose ``number`` of N showers, evenly spaced in ascending incident energy.

    The likelihood in MeV differs by some 20 nats between the ends of the spectrum: a part with a
    spectrum of its own, of a few thousand showers, would lie tenths of a nat beside the whole.

    Parameters
    ----------
    incident_energy
        (N,) MeV.
    order
        (N,) a random permutation; among equal energies it decides.
    number
        At most N.

    Returns
    -------
    NDArray[np.bool_]
        (N,) true for the chosen.
    """
    ascending = order[np.argsort(incident_energy[order], kind="stable")]
    places = ((np.arange(number) + 0.5) * len(order) / max(number, 1)).astype(np.int64)
    chosen = np.zeros(len(order), dtype=np.bool_)
    chosen[ascending[places]] = True
    return chosen
