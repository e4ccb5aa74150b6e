"""Datasets of one HDF5 file that grow together, one row per shower."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.data.checks import bad_rows, why_bad
from fastcaloq_infer.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import h5py
    from numpy.typing import ArrayLike, NDArray

    from fastcaloq_infer.data.voxelisation import Binning

_HDF5_CHUNK_BYTES = 1 << 20


class Columns:
    """The datasets of a file being written; rows are checked before they are appended."""

    def __init__(
        self,
        file: h5py.File,
        binning: Binning,
        eta: float | None,
        level: int,
        check: Callable[[], None],
    ) -> None:
        self.file = file
        self.binning = binning
        self.n_showers = 0
        self.eta = eta
        self._level = level
        self._check = check
        self._datasets: dict[str, h5py.Dataset] = {}

    def append(
        self,
        incident_energy: ArrayLike,
        deposits: ArrayLike,
        width: int,
        eta: ArrayLike | None,
    ) -> tuple[NDArray[np.float64], NDArray[np.floating]]:
        """Check rows; write eta where it differs by shower; return (energy (n,), deposits)."""
        energy = np.asarray(incident_energy, np.float64)
        values = np.asarray(deposits)
        if not np.issubdtype(values.dtype, np.floating):
            values = values.astype(np.float64)
        n = energy.shape[0] if energy.ndim else 0
        if energy.shape not in ((n,), (n, 1)) or values.shape != (n, width):
            raise InputError(
                f"incident energies {energy.shape} and deposits {values.shape} do not fit binning "
                f"{self.binning.name!r}: expected (n,) and (n, {width})"
            )
        energy = energy.reshape(-1)
        etas = None if eta is None else np.asarray(eta, np.float64).reshape(-1)
        if etas is not None and self.eta is not None:
            raise InputError("eta was given for the whole file; leave it out of the rows")
        if etas is not None and len(etas) != n:
            raise InputError(f"eta has {len(etas)} entries for {n} showers")
        bad = bad_rows(energy, values, etas)
        if bad.any():
            i = int(np.argmax(bad))
            reason = why_bad(
                float(energy[i]),
                values[i],
                None if etas is None else float(etas[i]),
                lambda column: f"column {column}",
            )
            raise InputError(f"row {self.n_showers + i} was not written: {reason}")
        if (etas is None) != ("eta" not in self._datasets) and self.n_showers:
            raise InputError("eta must be given with every batch or with none")
        if etas is not None:
            self.extend("eta", etas[:, None].astype(np.float32))
        return energy, values

    def extend(self, key: str, rows: NDArray[np.floating]) -> None:
        """Append rows (n, ...) to a dataset, creating it with the first ones."""
        if key not in self._datasets:
            width = rows.shape[1:]
            row_bytes = max(1, rows.dtype.itemsize * int(np.prod(width, dtype=int)))
            self._datasets[key] = self.file.create_dataset(
                key,
                shape=(0, *width),
                maxshape=(None, *width),
                chunks=(max(1, min(_HDF5_CHUNK_BYTES // row_bytes, 16384)), *width),
                dtype=rows.dtype,
                compression="gzip",
                compression_opts=self._level,
                shuffle=True,
            )
        dataset = self._datasets[key]
        start = dataset.shape[0]
        dataset.resize(start + len(rows), axis=0)
        dataset[start:] = rows

    def finish_rows(self, n: int) -> None:
        """Count rows that all datasets have got; raise OSError if they could not be written."""
        self.n_showers += n
        self._check()
