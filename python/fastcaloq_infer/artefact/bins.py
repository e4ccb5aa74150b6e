"""The bins file beside a model for ATLAS FastCaloSim: where the voxels of its output lie."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import h5py
import numpy as np

from fastcaloq_infer.errors import ModelError

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

    from numpy.typing import NDArray

    from fastcaloq_infer.artefact.card import Card
    from fastcaloq_infer.artefact.sections import BinningLayer

FIELDS = ("binstart_radius", "binsize_radius", "binstart_alpha", "binsize_alpha")
_MODEL, _DIGEST = "fastcaloq.model", "fastcaloq.sha256"


def layer_bins(layer: BinningLayer) -> dict[str, NDArray[np.float32]]:
    """Return start and size of every voxel in r [mm] and alpha [rad], in the order of files.

    That is alpha by alpha with r the fastest.
    """
    edges = np.array(layer.r_edges)
    width = 2.0 * math.pi / layer.n_alpha
    columns = (
        np.tile(edges[:-1], layer.n_alpha),
        np.tile(np.diff(edges), layer.n_alpha),
        np.repeat(width * np.arange(layer.n_alpha), layer.n_rings),
        np.full(layer.n_voxels, width),
    )
    return {name: column.astype(np.float32) for name, column in zip(FIELDS, columns, strict=True)}


def input_shapes(card: Card) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return what ``TFCSMLCalorimeterSimulator::setInputShapes`` wants: boundaries and layers.

    The boundaries are the index of every layer's first voxel, and the number of voxels.
    """
    boundaries = np.cumsum([0, *(layer.n_voxels for layer in card.binning.layers)])
    return tuple(int(b) for b in boundaries), card.layer_ids


def write_bins(path: Path, card: Card, digest: str) -> None:
    """Write the bins of a model to ``path``; ``digest`` is that of the model file."""
    with h5py.File(path, "w") as file:
        file.attrs[_MODEL], file.attrs[_DIGEST] = card.name, digest
        for layer in card.binning.layers:
            for name, values in layer_bins(layer).items():
                file.create_dataset(f"{name}_layer_{layer.id}", data=values, track_times=False)


def check_bins(path: str | PathLike[str], card: Card, digest: str) -> None:
    """Check that a bins file belongs to a model.

    Parameters
    ----------
    path
        The bins file.
    card, digest
        Those of the model file (see `fastcaloq_infer.export.fastcalosim.read_fastcalosim`).

    Raises
    ------
    ModelError
        It cannot be read, is of another model, or its bins are not those of the card.
    """
    try:
        with h5py.File(path, "r") as file:
            model, found = file.attrs.get(_MODEL), file.attrs.get(_DIGEST)
            datasets = {name: np.asarray(file[name]) for name in file}
    except (OSError, TypeError, ValueError) as error:
        raise ModelError(
            f"cannot read the bins {path} ({str(error).splitlines()[0]}): give the file that was "
            "written beside the model"
        ) from None
    if found != digest:
        raise ModelError(
            f"the bins {path} belong to another model ({model or 'of unknown name'}) than "
            f"{card.name}: hits would land in wrong places; use the file written beside the model"
        )
    wanted = {
        f"{name}_layer_{layer.id}": values
        for layer in card.binning.layers
        for name, values in layer_bins(layer).items()
    }
    wrong = sorted(datasets.keys() ^ wanted.keys()) or [
        name for name, values in wanted.items() if not np.array_equal(datasets[name], values)
    ]
    if wrong:
        raise ModelError(
            f"the bins {path} are not those of {card.name} ({wrong[0]}): the file was changed; "
            "export the model again"
        )
