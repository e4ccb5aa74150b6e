"""A sampler of whole showers that hands out packaged Geant4 ones, to test writing by itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcaloq_infer.data import binning, open_showers, packaged_sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINNING = binning("dataset-1-photons")


@cache
def voxels_of_geant4() -> NDArray[np.float32]:
    """Return (1000, V) MeV of all incident energies."""
    with open_showers(packaged_sample()) as file:
        (batch,) = file.iterate(10_000)
    return batch.showers[::2][:1000]


@dataclass
class WholeShowers:
    """What `sampling.Sampler` is for a model with voxels; event e gets Geant4 shower e mod 1000."""

    digest: str = "cd" * 32
    n_voxels: int = BINNING.n_voxels

    def __post_init__(self) -> None:
        self.asked: list[bool] = []
        valid = SimpleNamespace(incident_energy=(256.0, 65536.0), eta=(0.2, 0.2))
        self.card: Any = SimpleNamespace(
            name="whole",
            particle="photon",
            pdg_id=22,
            layer_ids=BINNING.layer_ids,
            binning=BINNING,
            validity=valid,
            extrapolation=valid,
        )

    def sample(
        self,
        incident_energies: NDArray[np.float32],
        *,
        eta: NDArray[np.float32],
        seed: int,
        first_event: int,
        out_of_range: str,
        voxels: bool,
    ) -> SimpleNamespace:
        self.asked.append(voxels)
        event = np.uint64(first_event) + np.arange(len(incident_energies), dtype=np.uint64)
        energy = voxels_of_geant4()[event % np.uint64(1000)]
        return SimpleNamespace(
            incident_energy=incident_energies,
            eta=eta,
            event=event,
            layer_energy=BINNING.layer_energies(energy).astype(np.float32),
            voxel_energy=energy if voxels else None,
            n_out_of_range=0,
        )
