"""Write shower files: atomically, in chunks, in the dialects that are read."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Literal

import h5py
import numpy as np

from fastcaloq_infer.data.atlas_grid import positions_of_layer
from fastcaloq_infer.data.binning_xml import format_binning
from fastcaloq_infer.data.columns import Columns
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.files import atomic_path
from fastcaloq_infer.recording_sink import RecordingSink

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import ArrayLike

    from fastcaloq_infer.data.voxelisation import Binning


class ShowerWriter:
    """Appends voxel showers to an open file; made by `write_showers`."""

    def __init__(self, columns: Columns, *, atlas: bool) -> None:
        self._columns = columns
        self._atlas = atlas

    def append(
        self, incident_energy: ArrayLike, showers: ArrayLike, eta: ArrayLike | None = None
    ) -> None:
        """Append rows.

        Parameters
        ----------
        incident_energy
            (n,) or (n, 1) MeV.
        showers
            (n, V) MeV, r fastest, then alpha, then layer; stored as float32.
        eta
            (n,), only where the file has no single eta.

        Raises
        ------
        InputError
            Shapes do not fit, or a row is bad (it is named); nothing of the file is kept then.
        """
        binning = self._columns.binning
        energy, values = self._columns.append(incident_energy, showers, binning.n_voxels, eta)
        if self._atlas:
            self._columns.extend("incident_energy", energy.astype(np.float32))
            for layer, voxels in zip(binning.layers, binning.layer_slices, strict=True):
                fractions = values[:, voxels] / energy[:, None]
                self._columns.extend(f"energy_layer_{layer.id}", fractions.astype(np.float32))
        else:
            self._columns.extend("incident_energies", energy[:, None].astype(np.float32))
            self._columns.extend("showers", values.astype(np.float32))
        self._columns.finish_rows(len(energy))


class LayerEnergyWriter:
    """Appends layer energies to an open file; made by `write_layer_energies`."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def append(
        self, incident_energy: ArrayLike, layer_energy: ArrayLike, eta: ArrayLike | None = None
    ) -> None:
        """Append rows: (n,) or (n, 1) MeV, (n, L) MeV, and (n,) eta as in `ShowerWriter.append`."""
        n_layers = self._columns.binning.n_layers
        energy, values = self._columns.append(incident_energy, layer_energy, n_layers, eta)
        self._columns.extend("incident_energies", energy[:, None].astype(np.float32))
        self._columns.extend("layer_energies", values.astype(np.float32))
        self._columns.finish_rows(len(energy))


@contextmanager
def write_showers(
    path: Path | str,
    binning: Binning,
    *,
    dialect: Literal["calochallenge", "atlas"] = "calochallenge",
    eta: float | None = None,
    attributes: Mapping[str, Any] | None = None,
    compression: int = 4,
) -> Iterator[ShowerWriter]:
    """Write voxel showers to an HDF5 file that appears under its name only when it is whole.

    Parameters
    ----------
    path
        File to write; its folder must exist.
    binning
        Voxelisation; it, its particle and the units are written as attributes.
    dialect
        ``calochallenge`` (`fastcaloq_infer.data.calochallenge`) or ``atlas``
        (`fastcaloq_infer.data.atlas`).
    eta
        Pseudorapidity of all showers; leave it out to give it with the rows, or not at all.
    attributes
        Further attributes, e.g. the generator.
    compression
        gzip level, 0 to 9.

    Yields
    ------
    ShowerWriter

    Raises
    ------
    InputError
        A batch does not fit or a row is bad.
    OutputError
        The file cannot be written; nothing is left under its name.

    Examples
    --------
    >>> with write_showers("out.hdf5", binning("dataset-1-photons"), eta=0.2) as out:
    ...     out.append([1000.0], np.zeros((1, 368)))  # doctest: +SKIP
    """
    atlas = dialect == "atlas"
    with _open(path, binning, eta, attributes, compression) as columns:
        writer = ShowerWriter(columns, atlas=atlas)
        yield writer
        if atlas:
            for layer in binning.layers:
                for kind, position in positions_of_layer(layer).items():
                    columns.file[f"{kind}_layer_{layer.id}"] = position
        if columns.n_showers == 0:
            writer.append(np.empty(0), np.empty((0, binning.n_voxels)))


@contextmanager
def write_layer_energies(
    path: Path | str,
    binning: Binning,
    *,
    eta: float | None = None,
    attributes: Mapping[str, Any] | None = None,
    compression: int = 4,
) -> Iterator[LayerEnergyWriter]:
    """Write layer energies without voxels; otherwise as `write_showers`.

    Yields
    ------
    LayerEnergyWriter
    """
    with _open(path, binning, eta, attributes, compression) as columns:
        writer = LayerEnergyWriter(columns)
        yield writer
        if columns.n_showers == 0:
            writer.append(np.empty(0), np.empty((0, binning.n_layers)))
        columns.file["layer_energies"].attrs["layer_ids"] = np.array(binning.layer_ids)


@contextmanager
def _open(
    path: Path | str,
    binning: Binning,
    eta: float | None,
    attributes: Mapping[str, Any] | None,
    level: int,
) -> Iterator[Columns]:
    if not 0 <= level <= 9:
        raise InputError(f"gzip level {level} does not exist; give 0 (fast) to 9 (small)")
    if eta is not None and not np.isfinite(eta):
        raise InputError(f"eta is {eta}, must be finite")
    # HDF5 gets a sink that cannot fail: on a full disk it would crash while closing.
    with (
        atomic_path(path) as temporary,
        closing(RecordingSink(temporary)) as sink,
    ):
        with h5py.File(sink, "w") as file:
            yield _begin(Columns(file, binning, eta, level, sink.check), attributes)
        sink.check()


def _begin(columns: Columns, attributes: Mapping[str, Any] | None) -> Columns:
    """Write what the file says about itself."""
    which = columns.binning
    columns.file.attrs.update(
        {
            "particle": which.particle,
            "pdg_id": which.pdg_id,
            "units": "MeV",
            "binning": which.name,
            "binning_xml": format_binning(which),
        }
    )
    if columns.eta is not None:
        columns.file.attrs["eta"] = columns.eta
    columns.file.attrs.update(attributes or {})
    return columns
