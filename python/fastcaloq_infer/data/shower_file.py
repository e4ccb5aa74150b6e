"""A shower file read in chunks, so that it may be larger than memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

import numpy as np

from fastcaloq_infer.data.metadata import check_units, find_eta, find_particle, text_attribute
from fastcaloq_infer.data.raw_chunk import RawChunk
from fastcaloq_infer.data.showers import ShowerBatch
from fastcaloq_infer.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import h5py
    from numpy.typing import NDArray

    from fastcaloq_infer.data.metadata import Stated
    from fastcaloq_infer.data.particles import Particle
    from fastcaloq_infer.data.voxelisation import Binning

CHUNK_BYTES = 32 << 20
"""Default size of a chunk in memory; larger ones no longer read faster."""


class ShowerFile(ABC):
    """An open shower file; use it as a context manager.

    Open one with `fastcaloq_infer.data.open_showers`.

    Attributes
    ----------
    path
        Where the file is.
    n_showers
        Number of showers (N).
    particle
        Name and Particle Data Group number.
    eta
        The one eta of all showers, or None (see `has_eta`).
    """

    dialect: str
    """Name of the file format, for people."""
    deposits_are_voxels = True
    """Whether a row holds voxels, or layer energies only."""

    def __init__(
        self, path: Path, file: h5py.File, stated: Stated, energy_key: str, deposit_keys: list[str]
    ) -> None:
        self.path = path
        self._file = file
        check_units(file)
        self._incident = file[energy_key]
        if self._incident.ndim not in (1, 2) or self._incident.shape[1:] not in ((), (1,)):
            raise InputError(
                f"{energy_key!r} has shape {self._incident.shape}, expected (N, 1) or (N,)"
            )
        self.n_showers = int(self._incident.shape[0])
        for key in [energy_key, *deposit_keys]:
            if file[key].dtype.kind not in "fiu":
                raise InputError(f"{key!r} holds {file[key].dtype}, expected numbers")
        for key in deposit_keys:
            shape = file[key].shape
            if len(shape) != 2:
                raise InputError(f"{key!r} has shape {shape}, expected (N, number of voxels)")
            if shape[0] != self.n_showers:
                raise InputError(
                    f"{key!r} has {shape[0]} rows but {energy_key!r} has {self.n_showers}: showers "
                    "and incident energies cannot be paired; the file is incomplete"
                )
        self.eta, self._eta_key = find_eta(file, stated, self.n_showers)
        self._hdf5_rows = (file[deposit_keys[0]].chunks or (1,))[0]
        self._binning = self._find_binning(stated)
        self.particle: Particle = find_particle(file, stated, self._binning)

    # what a dialect must say

    @property
    @abstractmethod
    def layer_ids(self) -> tuple[int, ...]:
        """The L layer numbers, ascending."""

    @property
    @abstractmethod
    def has_voxels(self) -> bool:
        """Whether `iterate` can hand out voxels in the order of `binning`."""

    def why_no_voxels(self) -> str:
        """Say why `iterate` cannot be used, where it cannot."""
        return "holds layer energies only, no voxels; read it with read_layer_energies"

    @abstractmethod
    def _find_binning(self, stated: Stated) -> Binning | None:
        """Find the binning; called once while opening."""

    @abstractmethod
    def _deposits(self, rows: slice, incident: NDArray[np.floating]) -> NDArray[np.floating]:
        """Read rows as voxels (n, V) or, without voxels, layers (n, L), in MeV."""

    @abstractmethod
    def sum_layers(self, deposits: NDArray[np.floating]) -> NDArray[np.float64]:
        """Sum what `_deposits` returns to layer energies (n, L), float64 MeV."""

    @abstractmethod
    def describe_deposit(self, position: int) -> str:
        """Name a voxel or layer by its column, for messages."""

    def _stated_layers(self, rows: slice) -> NDArray[np.floating] | None:
        """Read layer energies (n, L) that the file holds beside its voxels, if it does."""
        return None

    # what follows from it

    @property
    def binning(self) -> Binning | None:
        """The voxelisation, or None if neither the file nor the caller says."""
        return self._binning

    @property
    def has_eta(self) -> bool:
        """Whether eta is known, from the file or from the caller."""
        return self.eta is not None or self._eta_key is not None

    @property
    def attributes(self) -> dict[str, str]:
        """Remarks in the file (generator, description, source, ...) as text."""
        known = ("particle", "pdg_id", "eta", "units", "binning", "binning_xml")
        return {
            key: text_attribute(self._file, key) or ""
            for key in self._file.attrs
            if key not in known
        }

    def incident_energies(self) -> NDArray[np.float64]:
        """Read all incident energies, (N,) float64 MeV, unchecked."""
        with self._reading(slice(0, self.n_showers)):
            return np.asarray(self._incident[...], dtype=np.float64).reshape(-1)

    def chunk_rows(self, chunk: int | None = None) -> int:
        """Return the rows of a chunk: as asked, else about `CHUNK_BYTES`."""
        if chunk is not None:
            if chunk < 1:
                raise InputError(f"chunk is {chunk}, must be at least 1 shower")
            return chunk
        rows = max(1, CHUNK_BYTES // (8 * max(1, self._width())))
        # Whole HDF5 chunks: a compressed chunk that is cut would be unpacked twice.
        return max(1, rows // self._hdf5_rows) * self._hdf5_rows

    def raw_chunks(self, chunk: int | None = None) -> Iterator[RawChunk]:
        """Read consecutive rows as stored, unchecked."""
        step = self.chunk_rows(chunk)
        for start in range(0, self.n_showers, step):
            rows = slice(start, min(start + step, self.n_showers))
            with self._reading(rows):
                incident = np.asarray(self._incident[rows]).reshape(-1)
                eta, deposits = self._eta(rows), self._deposits(rows, incident)
                stated = self._stated_layers(rows)
            yield RawChunk(self, start, incident, eta, deposits, stated)

    def iterate(self, chunk: int | None = None, *, check: bool = True) -> Iterator[ShowerBatch]:
        """Read the voxels in batches of ``chunk`` rows (the last one may be smaller).

        Parameters
        ----------
        chunk
            Showers per batch; by default about 32 MiB of them.
        check
            Refuse bad rows.

        Raises
        ------
        InputError
            The file holds no voxels, a row is bad (its number is named), or the file is damaged.
        """
        if not self.has_voxels:
            raise InputError(f"{self.path}: {self.why_no_voxels()}")
        for raw in self.raw_chunks(chunk):
            if check:
                raw.refuse_bad_rows()
            yield ShowerBatch(
                raw.incident.astype(np.float32),
                raw.deposits.astype(np.float32, copy=False),
                raw.eta,
                raw.first_row,
            )

    def iterate_layer_energies(
        self, chunk: int | None = None, *, check: bool = True
    ) -> Iterator[tuple[NDArray[np.floating], NDArray[np.float64] | None, NDArray[np.float64]]]:
        """Read (incident energy (n,), eta (n,) or None, layer energies (n, L)) in batches.

        Raises
        ------
        InputError
            A row is bad (its number is named), or the file is damaged.
        """
        for raw in self.raw_chunks(chunk):
            if check:
                raw.refuse_bad_rows()
            yield raw.incident, raw.eta, raw.layer_energies()

    def _width(self) -> int:
        return len(self.layer_ids)

    def _eta(self, rows: slice) -> NDArray[np.float64] | None:
        if self._eta_key is not None:
            return np.asarray(self._file[self._eta_key][rows], dtype=np.float64).reshape(-1)
        if self.eta is not None:
            return np.full(rows.stop - rows.start, self.eta)
        return None

    @contextmanager
    def _reading(self, rows: slice) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InputError(
                f"{self.path}: rows {rows.start} to {rows.stop - 1} cannot be read, the file is "
                f"damaged ({' '.join(str(error).split())}); fetch or make it again"
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
