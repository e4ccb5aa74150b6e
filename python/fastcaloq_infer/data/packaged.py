"""The Geant4 showers that come with the package (see ``samples/PROVENANCE.md``)."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Literal, get_args

from fastcaloq_infer.errors import InputError

Sample = Literal["showers", "train", "heldout", "heldout_photons", "heldout_pions"]

_FILES: dict[str, str] = {
    "showers": "geant4_photons.hdf5",
    "train": "geant4_photons_layers_train.hdf5",
    "heldout": "geant4_photons_layers_heldout.hdf5",
    "heldout_photons": "geant4_photons_heldout.hdf5",
    "heldout_pions": "geant4_pions_heldout.hdf5",
}


def packaged_sample(which: Sample = "showers") -> Path:
    """Return the path of a packaged file of Geant4 showers.

    Parameters
    ----------
    which
        ``showers``: voxels of a few thousand photons of the training run; ``train``: the layer
        energies of all of it; ``heldout``: those of an independent run, never to be trained on;
        ``heldout_photons``, ``heldout_pions``: voxels of showers of independent runs, likewise.

    Raises
    ------
    InputError
        No such sample.
    """
    if which not in _FILES:
        raise InputError(f"no packaged sample {which!r}: give one of {', '.join(get_args(Sample))}")
    # The package is installed unpacked (it holds a compiled module), so this is a real path.
    return Path(str(files("fastcaloq_infer.data").joinpath("samples", _FILES[which])))
