"""Voxels in files of generated showers: which form they take, and how the forms become each other.

Two forms hold the same numbers. ``dense``: every voxel of every shower, empty ones as 0; what
CaloChallenge files (HDF5) are. ``sparse``: only the voxels with energy, their number differing from
shower to shower; the default in ROOT files, where at 256 MeV nine voxels in ten are empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from fastcaloq_infer.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.artefact import Card
    from fastcaloq_infer.data import Binning

VoxelForm = Literal["none", "sparse", "dense"]

#: Voxel numbers and layer numbers are 16 bits wide in sparse files.
MOST_VOXELS = 1 << 16


@dataclass(frozen=True)
class VoxelStorage:
    """How a file holds voxels: their ``binning``, and whether ``sparse`` or ``dense``."""

    binning: Binning
    form: Literal["sparse", "dense"]

    def __post_init__(self) -> None:
        """Refuse what does not fit 16 bits.

        Raises
        ------
        InputError
            Too many voxels for the sparse form.
        """
        if self.form == "sparse" and self.binning.n_voxels > MOST_VOXELS:
            raise InputError(
                f"binning {self.binning.name!r} has {self.binning.n_voxels:,} voxels, more than "
                f"the {MOST_VOXELS:,} that a sparse file can number; store them dense "
                "(--voxels dense)"
            )


def choose_form(asked: VoxelForm | None, n_voxels: int, suffix: str) -> VoxelForm:
    """Return how a file shall hold voxels; by default all that the model has.

    Parameters
    ----------
    asked
        What the user wants, or None.
    n_voxels
        Voxels of a shower, 0 for a model of layer energies alone.
    suffix
        Of the file: ``.root``, ``.hdf5`` or ``.h5``.

    Raises
    ------
    InputError
        Voxels of a model that has none, or sparse ones in HDF5.
    """
    if n_voxels == 0:
        if asked in ("sparse", "dense"):
            raise InputError(
                f"--voxels {asked} asks for voxels, but this model draws layer energies only; "
                "take a model of whole showers, or leave the option out"
            )
        return "none"
    if asked is None:
        return "sparse" if suffix == ".root" else "dense"
    if asked == "sparse" and suffix != ".root":
        raise InputError(
            "--voxels sparse is for ROOT files; an HDF5 file in the CaloChallenge's format holds "
            "every voxel: take --voxels dense, or a .root file"
        )
    return asked


def voxel_binning(card: Card) -> Binning:
    """Return the binning of a model's voxels; layers without voxels are left out.

    Raises
    ------
    InputError
        No layer has voxels.
    """
    from fastcaloq_infer.data import BINNINGS, Binning, LayerBinning, binning

    name = card.binning.name
    found = Binning(
        name,
        card.particle,
        card.pdg_id,
        tuple(
            LayerBinning(layer.id, layer.r_edges, layer.n_alpha)
            for layer in card.binning.layers
            if layer.r_edges
        ),
    )
    if name in BINNINGS and (binning(name).layers, binning(name).pdg_id) == (
        found.layers,
        found.pdg_id,
    ):
        return binning(name)  # which also knows the range of eta
    return found


def layer_of_voxel(binning: Binning) -> NDArray[np.uint16]:
    """Return the layer number of every voxel, (V,)."""
    ids = np.array(binning.layer_ids, np.uint16)
    return np.repeat(ids, [layer.n_voxels for layer in binning.layers])


def to_sparse(
    dense: NDArray[np.float32],
) -> tuple[NDArray[np.int64], NDArray[np.uint16], NDArray[np.float32]]:
    """Return the voxels of (N, V) that are not 0.

    Returns
    -------
    offsets
        (N + 1,): shower n has the entries ``offsets[n]`` to ``offsets[n + 1] - 1``.
    index
        (K,) number of the voxel in its shower, ascending.
    energy
        (K,) MeV.
    """
    n, n_voxels = dense.shape
    occupied = dense.reshape(-1) != 0
    # One long row and few passes: three times faster than masks and nonzero() on two axes.
    place = np.flatnonzero(occupied)
    offsets = np.zeros(n + 1, np.int64)
    counts = occupied.reshape(n, n_voxels).sum(axis=1, dtype=np.int32)
    np.cumsum(counts, out=offsets[1:])
    energy = dense.reshape(-1)[place]
    place -= np.repeat(np.arange(n, dtype=np.int64) * n_voxels, counts)
    return offsets, place.astype(np.uint16), energy


def to_dense(
    offsets: NDArray[np.integer],
    index: NDArray[np.integer],
    energy: NDArray[np.float32],
    n_voxels: int,
) -> NDArray[np.float32]:
    """Return (N, V) from what `to_sparse` gives.

    Raises
    ------
    InputError
        A voxel that the binning does not have.
    """
    if len(index) and not 0 <= int(index.min()) <= int(index.max()) < n_voxels:
        raise InputError(
            f"voxel {int(index.max())} is not one of the {n_voxels} of its binning: the file does "
            "not match its binning; make it again"
        )
    counts = np.diff(offsets)
    dense = np.zeros((len(counts), n_voxels), np.float32)
    rows = np.repeat(np.arange(len(counts), dtype=np.int64) * n_voxels, counts)
    dense.reshape(-1)[rows + index] = energy
    return dense
