"""Files of showers of any kind, ROOT too, read in chunks through one interface."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.data import ShowerFile, open_showers
from fastcaloq_infer.data import particle as particle_of
from fastcaloq_infer.data.metadata import Stated
from fastcaloq_infer.data.particles import agree
from fastcaloq_infer.data.raw_chunk import RawChunk
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.output.reading import read_binning, read_columns, read_provenance
from fastcaloq_infer.output.schema import TREE_NAME, VOXELS, layer_column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from fastcaloq_infer.data import Binning

__all__ = ["RootFile", "open_any"]


def open_any(
    path: Path | str,
    binning: Binning | str | Path | None = None,
    *,
    particle: str | int | None = None,
    eta: float | None = None,
) -> ShowerFile:
    """Open a shower file of any dialect: those of `data.open_showers`, and ROOT of our own.

    Arguments as of `data.open_showers`; ROOT files state all of them, and are held to what is
    stated here.

    Raises
    ------
    InputError
        As `data.open_showers`; or a ROOT file that ``fastcaloq sample`` did not write.
    """
    path = Path(path)
    if path.suffix != ".root":
        return open_showers(path, binning, particle=particle, eta=eta)
    return RootFile(path, Stated(binning, particle, eta))


class RootFile(ShowerFile):
    """A ROOT file that ``fastcaloq sample`` wrote: TTree or RNTuple, with or without voxels."""

    dialect = "ROOT of fastcaloq sample"

    def __init__(self, path: Path, stated: Stated) -> None:
        # Nothing of the base's reading of HDF5 applies; what it says of the rows does.
        self.path = path
        self._provenance = read_provenance(path)
        self.eta, self._eta_key = None, "eta"
        self._hdf5_rows = 1
        self._binning = self._find_binning(stated)
        self.deposits_are_voxels = self._binning is not None
        known = ("the file", particle_of(self._provenance.pdg_id))
        given = stated.particle
        self.particle = agree(
            [known] if given is None else [known, ("the caller", particle_of(given))]
        )
        if stated.eta is not None:
            raise InputError(
                f"{path}: eta was given as {stated.eta:g} but the file has one per shower; leave "
                "out the given one"
            )
        self.n_showers = len(self.incident_energies())

    @property
    def layer_ids(self) -> tuple[int, ...]:
        """The L layer numbers."""
        return self._provenance.layers if self._binning is None else self._binning.layer_ids

    @property
    def has_voxels(self) -> bool:
        """Whether the file holds voxels."""
        return self._binning is not None

    @property
    def attributes(self) -> dict[str, str]:
        """Where the showers come from, as text."""
        return {
            key: str(value)
            for key, value in self._provenance.model_dump(exclude_none=True).items()
            if key not in ("pdg_id", "units", "binning", "layers", "n_showers")
        }

    def incident_energies(self) -> NDArray[np.float64]:
        """Read all incident energies, (N,) float64 MeV, unchecked."""
        import uproot

        with self._whole(), uproot.open(self.path) as file:
            values = file[TREE_NAME]["incident_energy"].array(library="np")
            return np.asarray(values, dtype=np.float64)

    def raw_chunks(self, chunk: int | None = None) -> Iterator[RawChunk]:
        """Read consecutive rows as stored, unchecked."""
        start = 0
        with self._whole():
            for columns in read_columns(self.path, self.chunk_rows(chunk)):
                layers = np.column_stack([columns[layer_column(k)] for k in self.layer_ids])
                voxels = columns.get(VOXELS)
                yield RawChunk(
                    self,
                    start,
                    columns["incident_energy"],
                    columns["eta"].astype(np.float64),
                    layers if voxels is None else voxels,
                    None if voxels is None else layers,
                )
                start += len(layers)

    def describe_deposit(self, position: int) -> str:
        """Name a voxel or layer by its column."""
        if self._binning is None:
            return f"layer {self.layer_ids[position]}"
        layer, alpha, r = self._binning.voxel_coordinates(position)
        return f"voxel {position} (layer {layer}, alpha bin {alpha}, r bin {r})"

    def sum_layers(self, deposits: NDArray[np.floating]) -> NDArray[np.float64]:
        """Sum deposits to layer energies (n, L), MeV."""
        if self._binning is None:
            return deposits.astype(np.float64)
        return self._binning.layer_energies(deposits)

    def close(self) -> None:
        """Do nothing: the file is open only while it is read."""

    def _find_binning(self, stated: Stated) -> Binning | None:
        found, given = read_binning(self.path), stated.given_binning()
        if given is not None and found is not None and given.layers != found.layers:
            raise InputError(
                f"{self.path}: its voxels are of binning {found.name!r}, not {given.name!r}; leave "
                "the binning out, the file describes its own"
            )
        return found

    def _deposits(self, rows: slice, incident: NDArray[np.floating]) -> NDArray[np.floating]:
        raise NotImplementedError  # `raw_chunks` reads all columns at once

    def _width(self) -> int:
        return len(self.layer_ids) if self._binning is None else self._binning.n_voxels

    @contextmanager
    def _whole(self) -> Iterator[None]:
        try:
            yield
        except InputError:
            raise
        except Exception as error:  # uproot raises whatever a damaged byte leads it to
            raise InputError(
                f"cannot read {self.path}: the ROOT file is damaged "
                f"({' '.join(str(error).split())[:200]}); make it again"
            ) from error
