"""Read back what the writers wrote: provenance and columns, in chunks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import ValidationError

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.output.destination import format_of
from fastcaloq_infer.output.schema import (
    PROVENANCE_NAME,
    TREE_NAME,
    Provenance,
    column_types,
    layer_column,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["read_columns", "read_provenance"]


def read_provenance(path: Path | str) -> Provenance:
    """Return where a file of showers comes from.

    Raises
    ------
    InputError
        The file is missing or damaged, or was not written by this package.
    """
    path = Path(path)
    try:
        text = _provenance_text(path)
        return Provenance.model_validate_json(text)
    except (OSError, KeyError, ValueError, ValidationError) as error:
        raise InputError(
            f"{path} is missing, damaged or no file of generated showers "
            f"({type(error).__name__}); give files that 'fastcaloq sample' wrote"
        ) from error


def _provenance_text(path: Path) -> str:
    if format_of(path) == "root":
        import uproot

        with uproot.open(path) as file:
            return str(file[PROVENANCE_NAME])
    import h5py

    with h5py.File(path) as file:
        return str(file.attrs[PROVENANCE_NAME])


def read_columns(path: Path | str, chunk: int) -> Iterator[dict[str, NDArray[Any]]]:
    """Yield the columns of :mod:`~fastcaloq_infer.output.schema`, ``chunk`` rows at a time.

    Parameters
    ----------
    path
        A file that ``fastcaloq sample`` wrote: TTree, RNTuple or HDF5.
    chunk
        Rows (showers) per step.

    Raises
    ------
    InputError
        As `read_provenance`.
    """
    path = Path(path)
    provenance = read_provenance(path)
    types = column_types(provenance.layers)
    read = _root_columns if format_of(path) == "root" else _hdf5_columns
    for columns in read(path, provenance, chunk):
        yield {
            name: np.ascontiguousarray(columns[name], dtype=dtype) for name, dtype in types.items()
        }


def _root_columns(
    path: Path, provenance: Provenance, chunk: int
) -> Iterator[dict[str, NDArray[Any]]]:
    import uproot

    with uproot.open(path) as file:
        rows = file[TREE_NAME]
        for start in range(0, rows.num_entries, chunk):
            yield rows.arrays(entry_start=start, entry_stop=start + chunk, library="np")


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
            yield {
                "event": file["event"][part],
                "particle": np.full(rows, provenance.particle_number),
                "seed": np.full(rows, provenance.seed, np.uint64),
                "pdg_id": np.full(rows, provenance.pdg_id),
                "incident_energy": file["incident_energies"][part, 0],
                "eta": file["eta"][part],
                "total_energy": layers.sum(axis=1, dtype=np.float64),
            } | {layer_column(k): layers[:, i] for i, k in enumerate(provenance.layers)}
