"""What the readers hand out: batches of voxel showers, and layer energies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fastcaloq_infer.data.voxelisation import Binning


@dataclass(frozen=True)
class ShowerBatch:
    """Some consecutive rows of a shower file.

    Attributes
    ----------
    incident_energy
        (n,) float32 MeV.
    showers
        (n, V) float32 MeV, r fastest, then alpha, then layer.
    eta
        (n,) float64, or None where the file does not say and none was given.
    first_row
        Row number of the batch's first shower in the file.
    """

    incident_energy: NDArray[np.float32]
    showers: NDArray[np.float32]
    eta: NDArray[np.float64] | None = None
    first_row: int = 0

    def __len__(self) -> int:
        return len(self.incident_energy)


@dataclass(frozen=True)
class LayerEnergies:
    """The energies deposited in every layer, shower by shower.

    Attributes
    ----------
    incident_energy
        (N,) float32 MeV.
    eta
        (N,) float64 pseudorapidity.
    layer_energy
        (N, L) float64 MeV, columns in the order of `layer_ids`.
    layer_ids
        The L layer numbers, ascending.
    particle, pdg_id
        Name and Particle Data Group number.
    binning
        The voxelisation the energies come from, or None if it is not known.
    """

    incident_energy: NDArray[np.float32]
    eta: NDArray[np.float64]
    layer_energy: NDArray[np.float64]
    layer_ids: tuple[int, ...]
    particle: str
    pdg_id: int
    binning: Binning | None = None

    def __len__(self) -> int:
        return len(self.incident_energy)
