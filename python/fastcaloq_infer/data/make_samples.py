"""Cut the packaged samples from the full files: the recipe behind ``samples/``.

``python -m fastcaloq_infer.data.make_samples geant4_photons_1.hdf5 geant4_photons_2.hdf5
geant4_pions_2.hdf5 FOLDER``
"""

from __future__ import annotations

import sys
from pathlib import Path

import h5py
import numpy as np

from fastcaloq_infer.data.reading import open_showers, read_layer_energies
from fastcaloq_infer.data.writing import write_layer_energies, write_showers
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.files import sha256_file

SHOWERS_PER_ENERGY = 350
"""Voxel showers kept of each incident energy, half as many of the highest: 2.4 MB in all."""
HELD_OUT_PER_ENERGY = 200
"""The same of the runs that nothing was trained on: 1.4 MB of photons, 1.1 MB of pions."""


def _attributes(source: Path) -> dict[str, str]:
    with h5py.File(source) as file:
        generator = str(file.attrs["generator"])
    return {"generator": generator, "source": source.name, "source_sha256": sha256_file(source)}


def cut_showers(source: Path, target: Path, per_energy: int = SHOWERS_PER_ENERGY) -> None:
    """Keep the first ``per_energy`` showers of each incident energy (half of the highest)."""
    with open_showers(source) as file:
        if file.binning is None:
            raise InputError(f"{source}: holds no voxels")
        energy = file.incident_energies()
        values = np.unique(energy)
        wanted = [per_energy // 2 if value == values[-1] else per_energy for value in values]
        keep = np.sort(
            np.concatenate(
                [np.flatnonzero(energy == v)[:n] for v, n in zip(values, wanted, strict=True)]
            )
        )
        with write_showers(
            target, file.binning, eta=file.eta, attributes=_attributes(source), compression=9
        ) as out:
            for batch in file.iterate():
                rows = keep[(keep >= batch.first_row) & (keep < batch.first_row + len(batch))]
                rows = rows - batch.first_row
                out.append(batch.incident_energy[rows], batch.showers[rows])


def cut_layer_energies(source: Path, target: Path) -> None:
    """Keep the layer energies of every shower, summed in float64 and stored as float32."""
    energies = read_layer_energies(source)
    if energies.binning is None:
        raise InputError(f"{source}: holds no voxels")
    with write_layer_energies(
        target,
        energies.binning,
        eta=float(energies.eta[0]),
        attributes=_attributes(source),
        compression=9,
    ) as out:
        out.append(energies.incident_energy, energies.layer_energy)


def main(train: str, heldout: str, pions: str, folder: str) -> None:
    """Write the samples into a folder."""
    cut_showers(Path(train), Path(folder) / "geant4_photons.hdf5")
    cut_layer_energies(Path(train), Path(folder) / "geant4_photons_layers_train.hdf5")
    cut_layer_energies(Path(heldout), Path(folder) / "geant4_photons_layers_heldout.hdf5")
    for source, name in ((heldout, "photons"), (pions, "pions")):
        cut_showers(Path(source), Path(folder) / f"geant4_{name}_heldout.hdf5", HELD_OUT_PER_ENERGY)


if __name__ == "__main__":
    main(*sys.argv[1:5])
