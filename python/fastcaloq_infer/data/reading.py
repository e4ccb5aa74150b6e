"""Open shower files of any known dialect; read layer energies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np

from fastcaloq_infer.data.atlas import ENERGY_KEY, AtlasFile
from fastcaloq_infer.data.calochallenge import CaloChallengeFile, LayerEnergyFile
from fastcaloq_infer.data.metadata import Stated
from fastcaloq_infer.data.showers import LayerEnergies
from fastcaloq_infer.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastcaloq_infer.data.shower_file import ShowerFile
    from fastcaloq_infer.data.voxelisation import Binning


def open_showers(
    path: Path | str,
    binning: Binning | str | Path | None = None,
    *,
    particle: str | int | None = None,
    eta: float | None = None,
) -> ShowerFile:
    """Open a shower file; the dialect is recognised by its datasets.

    Parameters
    ----------
    path
        CaloChallenge HDF5 (voxels, or layer energies only) or ATLAS voxel HDF5.
    binning
        A `Binning`, the name of a built-in one, or an XML file. May be left out where the file
        says (attributes ``binning``, ``binning_xml``; ATLAS: bin datasets), or where only one
        built-in binning of the particle has the file's number of voxels.
    particle
        Name or PDG number; may be left out where the file or the binning says.
    eta
        Pseudorapidity of all showers; may be left out where the file says, or is not needed.

    Returns
    -------
    ShowerFile
        To be used as a context manager.

    Raises
    ------
    InputError
        The file cannot be opened, datasets are missing or do not fit each other, or what the
        caller states contradicts it.

    Examples
    --------
    >>> from fastcaloq_infer.data import open_showers, packaged_sample
    >>> with open_showers(packaged_sample()) as showers:
    ...     batch = next(showers.iterate(chunk=10))
    >>> batch.showers.shape
    (10, 368)
    """
    path = Path(path)
    if not path.is_file():
        if path.is_dir():
            raise InputError(f"cannot read {path}: it is a folder; give a file in it")
        raise InputError(f"cannot read {path}: there is no such file; check the path")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise InputError(
            f"cannot read {path}: not an HDF5 file, or a damaged or incomplete one "
            f"({' '.join(str(error).split())}); fetch or make it again"
        ) from error
    try:
        return _dialect(file)(path, file, Stated(binning, particle, eta))
    except InputError as error:
        file.close()
        raise InputError(f"{path}: {error}") from error
    except BaseException:
        file.close()
        raise


def _dialect(file: h5py.File) -> type[CaloChallengeFile | LayerEnergyFile | AtlasFile]:
    keys = {key for key in file if isinstance(file.get(key), h5py.Dataset)}
    if "incident_energies" in keys and "showers" in keys:
        return CaloChallengeFile
    if "incident_energies" in keys and "layer_energies" in keys:
        return LayerEnergyFile
    if "incident_energy" in keys and any(ENERGY_KEY.fullmatch(key) for key in keys):
        return AtlasFile
    found = ", ".join(sorted(keys)) or "nothing"
    if keys & {"showers", "layer_energies"}:
        missing = "'incident_energies' is missing"
    elif "incident_energies" in keys:
        missing = "'showers' (or 'layer_energies') is missing"
    elif "incident_energy" in keys:
        missing = "'energy_layer_<l>' is missing"
    else:
        missing = "neither CaloChallenge ('incident_energies', 'showers') nor ATLAS datasets"
    raise InputError(f"{missing}, so it cannot be read as showers; it holds: {found}")


def read_layer_energies(
    path: Path | str,
    binning: Binning | str | Path | None = None,
    *,
    particle: str | int | None = None,
    eta: float | None = None,
    chunk: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> LayerEnergies:
    """Read the energy of every layer of every shower, checking every row.

    Voxels are read in chunks and summed in float64, so a file may be larger than memory; the
    result takes ``8 (L + 1) + 4`` bytes a shower.

    Parameters
    ----------
    path, binning, particle, eta
        As in `open_showers`.
    chunk
        Showers read at once; by default about 32 MiB of voxels.
    progress
        Called with (showers done, showers in all) after every chunk.

    Raises
    ------
    InputError
        As in `open_showers`; or eta is not known, or a row is bad (the first one is named).
    """
    with open_showers(path, binning, particle=particle, eta=eta) as file:
        if not file.has_eta:
            raise InputError(
                f"{path}: eta is not stated in the file (attribute 'eta' or a dataset); the model "
                "is conditioned on it, so give it (eta=..., --eta)"
            )
        n, n_layers = file.n_showers, len(file.layer_ids)
        incident_energy = np.empty(n, np.float32)
        etas = np.empty(n, np.float64)
        layer_energy = np.empty((n, n_layers), np.float64)
        done = 0
        for energy, eta_chunk, layers in file.iterate_layer_energies(chunk):
            rows = slice(done, done + len(energy))
            incident_energy[rows], layer_energy[rows] = energy, layers
            if eta_chunk is not None:
                etas[rows] = eta_chunk
            done = rows.stop
            if progress is not None:
                progress(done, n)
        return LayerEnergies(
            incident_energy,
            etas,
            layer_energy,
            file.layer_ids,
            file.particle.name,
            file.particle.pdg_id,
            file.binning,
        )
