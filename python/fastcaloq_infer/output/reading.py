"""Read back what the writers wrote: provenance, binning and columns, in chunks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from fastcaloq_infer.data import parse_binning
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.output.destination import format_of
from fastcaloq_infer.output.schema import (
    BINNING_NAME,
    PROVENANCE_NAME,
    TREE_NAME,
    VOXELS,
    Provenance,
    column_types,
    layer_column,
)
from fastcaloq_infer.output.voxels import to_dense

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from fastcaloq_infer.data import Binning

__all__ = ["read_binning", "read_columns", "read_provenance"]


def read_provenance(path: Path | str) -> Provenance:
    """Return where a file of showers comes from.

    Raises
    ------
    InputError
        The file is missing or damaged, or was not written by this package.
    """
    path = Path(path)
    try:
        text = _text(path, PROVENANCE_NAME)
        return Provenance.model_validate_json(text)
    except (OSError, KeyError, ValueError, ValidationError) as error:
        raise InputError(
            f"{path} is missing, damaged or no file of generated showers "
            f"({type(error).__name__}); give files that 'fastcaloq sample' wrote"
        ) from error


def read_binning(path: Path | str) -> Binning | None:
    """Return the binning of a file of generated showers, or None where it holds no voxels.

    Raises
    ------
    InputError
        As `read_provenance`; or the binning is missing.
    """
    path = Path(path)
    provenance = read_provenance(path)
    if provenance.voxels == "none":
        return None
    try:
        text = _text(path, BINNING_NAME)
    except (OSError, KeyError, ValueError) as error:
        raise InputError(
            f"{path} holds voxels but not their binning, so they cannot be assigned to layers: "
            "the file is damaged; make it again"
        ) from error
    return parse_binning(text, name=provenance.binning or "from file")


def _text(path: Path, name: str) -> str:
    """Return a text that lies beside the rows."""
    if format_of(path) == "root":
        import uproot

        with uproot.open(path) as file:
            return str(file[name])
    import h5py

    with h5py.File(path) as file:
        return str(file.attrs[name])


def read_columns(path: Path | str, chunk: int) -> Iterator[dict[str, NDArray[Any]]]:
    """Yield the columns of :mod:`~fastcaloq_infer.output.schema`, ``chunk`` rows at a time.

    Parameters
    ----------
    path
        A file that ``fastcaloq sample`` wrote: TTree, RNTuple or HDF5.
    chunk
        Rows (showers) per step.

    Yields
    ------
    dict
        Columns (n,), and `schema.VOXELS` (n, V) float32 where the file has voxels, in either form.

    Raises
    ------
    InputError
        As `read_binning`; or voxels do not match their binning.
    """
    path = Path(path)
    provenance = read_provenance(path)
    binning = read_binning(path)
    types = column_types(provenance.layers)
    read = _root_columns if format_of(path) == "root" else _hdf5_columns
    for columns in read(path, provenance, chunk):
        found = {
            name: np.ascontiguousarray(columns[name], dtype=dtype) for name, dtype in types.items()
        }
        if binning is not None:
            found[VOXELS] = _voxels(path, columns, binning.n_voxels)
        yield found


def _voxels(path: Path, columns: dict[str, Any], n_voxels: int) -> NDArray[np.float32]:
    """Return (n, V) from the columns of either form."""
    if VOXELS in columns:
        dense: NDArray[np.float32] = np.ascontiguousarray(columns[VOXELS], np.float32)
        if dense.ndim != 2 or dense.shape[1] != n_voxels:
            raise InputError(
                f"{path}: showers of shape {dense.shape} do not fit their binning of {n_voxels} "
                "voxels; make the file again"
            )
        return dense
    offsets, index = _flat(columns["voxel_index"])
    _, energy = _flat(columns["voxel_energy"])
    try:
        return to_dense(offsets, index, energy, n_voxels)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _flat(jagged: Any) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return offsets (n + 1,) and content of an awkward array of lists."""
    import awkward

    counts = awkward.to_numpy(awkward.num(jagged, axis=1))
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=offsets[1:])
    return offsets, awkward.to_numpy(awkward.flatten(jagged, axis=1))


def _root_columns(path: Path, provenance: Provenance, chunk: int) -> Iterator[dict[str, Any]]:
    import uproot

    names = [*column_types(provenance.layers)]
    with uproot.open(path) as file:
        rows = file[TREE_NAME]
        for start in range(0, rows.num_entries, chunk):
            part = {"entry_start": start, "entry_stop": start + chunk}
            found = rows.arrays(names, library="np", **part)
            if provenance.voxels == "dense":
                found[VOXELS] = rows[VOXELS].array(library="np", **part)
            elif provenance.voxels == "sparse":
                for name in ("voxel_index", "voxel_energy"):
                    found[name] = rows[name].array(**part)
            yield found


def _hdf5_columns(
    path: Path, provenance: Provenance, chunk: int
) -> Iterator[dict[str, NDArray[Any]]]:
    import h5py

    with h5py.File(path) as file:
        n = len(file["event"])
        for start in range(0, n, chunk):
            part = slice(start, min(start + chunk, n))
            rows = part.stop - part.start
            layers = file["layer_energies"][part]
            voxels = {VOXELS: file["showers"][part]} if "showers" in file else {}
            yield (
                voxels
                | {
                    "event": file["event"][part],
                    "particle": np.full(rows, provenance.particle_number),
                    "seed": np.full(rows, provenance.seed, np.uint64),
                    "pdg_id": np.full(rows, provenance.pdg_id),
                    "incident_energy": file["incident_energies"][part, 0],
                    "eta": file["eta"][part],
                    "total_energy": layers.sum(axis=1, dtype=np.float64),
                }
                | {layer_column(k): layers[:, i] for i, k in enumerate(provenance.layers)}
            )
