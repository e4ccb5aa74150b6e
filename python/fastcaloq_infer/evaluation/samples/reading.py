"""Read a file of showers as the figures need them, voxels and all.

Besides the shower files of ``fastcaloq_infer.data`` (voxels, or layer energies only), the files
that ``fastcaloq sample`` writes are read: HDF5, and ROOT with a TTree or an RNTuple.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.progress import silent
from fastcaloq_infer.evaluation.samples.sample import Sample
from fastcaloq_infer.output.root_file import open_any

if TYPE_CHECKING:
    from fastcaloq_infer.data import Binning
    from fastcaloq_infer.data.shower_file import ShowerFile
    from fastcaloq_infer.evaluation.progress import Progress


def read_sample(
    path: Path | str,
    binning: Binning | str | Path | None = None,
    *,
    particle: str | int | None = None,
    eta: float | None = None,
    progress: Progress = silent,
) -> Sample:
    """Read all showers of a file, every row checked, in chunks.

    Voxels take 4 bytes each in memory: 31 MB for 21,000 photons of data set 1.

    Parameters
    ----------
    path
        CaloChallenge or ATLAS voxels, layer energies, or showers written by ``fastcaloq sample``.
    binning, particle, eta
        As in ``open_showers``; ROOT files state all that is needed.
    progress
        Called after every chunk.

    Raises
    ------
    InputError
        The file cannot be read, or a row is bad (the first one is named).
    """
    path = Path(path)
    eta = None if path.suffix == ".root" else eta  # such files have one per shower
    with open_any(path, binning, particle=particle, eta=eta) as file:
        read = _read_voxels if file.has_voxels else _read_layers
        sample = replace(read(file, progress), layer_ids=file.layer_ids, name=path.name)
        generator = file.attributes.get("generator", "").split()
        # "Geant4 11.4.0": legends have room for the name.
        return replace(sample, simulation=generator[0]) if generator else sample


def _read_voxels(file: ShowerFile, progress: Progress) -> Sample:
    binning = file.binning
    if binning is None:  # cannot happen: a file that has voxels knows them
        raise InputError(f"{file.path}: the binning of the voxels is not known; give it")
    n = file.n_showers
    energy, eta = np.empty(n), np.empty(n)
    voxels = np.empty((n, binning.n_voxels), np.float32)
    for batch in file.iterate():
        rows = slice(batch.first_row, batch.first_row + len(batch))
        energy[rows], voxels[rows] = batch.incident_energy, batch.showers
        if batch.eta is not None:
            eta[rows] = batch.eta
        progress(f"read {file.path.name}", rows.stop / n)
    return Sample(
        energy,
        binning.layer_energies(voxels),
        eta=eta if file.has_eta else None,
        voxel_energy=voxels,
        binning=binning,
    )


def _read_layers(file: ShowerFile, progress: Progress) -> Sample:
    n, done = file.n_showers, 0
    energy, eta = np.empty(n), np.empty(n)
    layers = np.empty((n, len(file.layer_ids)))
    for energies, etas, layer_energies in file.iterate_layer_energies():
        rows = slice(done, done + len(energies))
        energy[rows], layers[rows] = energies, layer_energies
        if etas is not None:
            eta[rows] = etas
        done = rows.stop
        progress(f"read {file.path.name}", done / n)
    return Sample(energy, layers, eta=eta if file.has_eta else None)
