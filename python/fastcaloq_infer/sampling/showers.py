"""What a sampler returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Showers:
    """A batch of N showers in L layers and, where they were asked for, V voxels; energies in MeV.

    Attributes
    ----------
    incident_energy
        (N,) float32 MeV: the energies the showers were drawn for, after clipping where asked.
    eta
        (N,) float32: likewise.
    layer_energy
        (N, L) float32 MeV, in the order of the card's layers; exactly 0 for an empty layer.
    event
        (N,) uint64 event numbers: with the seed they name each shower's random numbers.
    n_out_of_range
        Showers asked for outside the model's range of validity.
    voxel_energy
        (N, V) float32 MeV, layer after layer, in a layer alpha after alpha, r fastest; those of a
        layer add up to its energy. None where only energies were asked for.
    """

    incident_energy: NDArray[np.float32]
    eta: NDArray[np.float32]
    layer_energy: NDArray[np.float32]
    event: NDArray[np.uint64]
    n_out_of_range: int
    voxel_energy: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        """Return the number of showers."""
        return len(self.layer_energy)

    @property
    def total_energy(self) -> NDArray[np.float64]:
        """Energy in all layers, (N,) float64 MeV."""
        total: NDArray[np.float64] = self.layer_energy.sum(axis=1, dtype=np.float64)
        return total
