"""The Geant4 photon showers that come with the package (see ``samples/PROVENANCE.md``)."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Literal, get_args

from fastcaloq_infer.errors import InputError

Sample = Literal["showers", "train", "heldout"]

_FILES: dict[str, str] = {
    "showers": "geant4_photons.hdf5",
    "train": "geant4_photons_layers_train.hdf5",
    "heldout": "geant4_photons_layers_heldout.hdf5",
}


def packaged_sample(which: Sample = "showers") -> Path:
    """Return the path of a packaged file of Geant4 photon showers.

    Parameters
    ----------
    which
        ``showers``: voxels of a few thousand showers; ``train``: the layer energies of the
        training run; ``heldout``: those of an independent run, never to be trained on.

    Raises
    ------
    InputError
        No such sample.
    """
    if which not in _FILES:
        raise InputError(f"no packaged sample {which!r}: give one of {', '.join(get_args(Sample))}")
    # The package is installed unpacked (it holds a compiled module), so this is a real path.
    return Path(str(files("fastcaloq_infer.data").joinpath("samples", _FILES[which])))
