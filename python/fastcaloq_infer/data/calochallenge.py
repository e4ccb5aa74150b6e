"""The CaloChallenge's HDF5 format, and the same with layer energies instead of voxels.

Datasets (arXiv:2410.21611, section 2): ``incident_energies`` (N, 1) and ``showers`` (N, V), MeV, r
fastest, then alpha, then layer. Attributes this project adds and reads: ``particle``, ``pdg_id``,
``eta``, ``units``, ``binning`` and ``binning_xml``. A file may hold ``layer_energies`` (N, L) with
the attribute ``layer_ids`` (or ``layers``) in place of ``showers``: a fiftieth of the size, and
enough for everything that concerns energies only. Where a file holds both (as generated ones do;
readers of the challenge's format ignore the addition), they must agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import h5py
import numpy as np

from fastcaloq_infer.data.metadata import find_binning
from fastcaloq_infer.data.shower_file import ShowerFile
from fastcaloq_infer.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from fastcaloq_infer.data.metadata import Stated
    from fastcaloq_infer.data.voxelisation import Binning


def _layer_ids(file: h5py.File, binning: Binning | None) -> tuple[int, ...]:
    """Return the layer numbers of the columns of ``layer_energies``."""
    for attributes in (file["layer_energies"].attrs, file.attrs):
        for key in ("layer_ids", "layers"):
            if key in attributes and np.asarray(attributes[key]).dtype.kind in "iu":
                return tuple(int(number) for number in np.atleast_1d(attributes[key]))
    if binning is not None:
        return binning.layer_ids
    raise InputError(
        "'layer_energies' does not say which layers it holds: set its attribute 'layer_ids', "
        "or give the binning"
    )


class CaloChallengeFile(ShowerFile):
    """A file with ``incident_energies`` and ``showers``."""

    dialect = "CaloChallenge, voxels"
    has_voxels = True

    def __init__(self, path: Path, file: h5py.File, stated: Stated) -> None:
        super().__init__(path, file, stated, "incident_energies", ["showers"])
        self._stated_columns: list[int] | None = None
        if isinstance(file.get("layer_energies"), h5py.Dataset):
            self._stated_columns = self._columns_of_layers(file["layer_energies"])

    @property
    def _voxels(self) -> Binning:
        if self._binning is None:  # cannot happen: find_binning returns one or raises
            raise InputError(f"{self.path}: the binning is not known")
        return self._binning

    @property
    def layer_ids(self) -> tuple[int, ...]:
        """The L layer numbers, ascending."""
        return self._voxels.layer_ids

    def describe_deposit(self, position: int) -> str:
        """Name a voxel by its column."""
        layer, alpha, r = self._voxels.voxel_coordinates(position)
        return f"voxel {position} (layer {layer}, alpha bin {alpha}, r bin {r})"

    def _find_binning(self, stated: Stated) -> Binning | None:
        return find_binning(self._file, stated, int(self._file["showers"].shape[1]))

    def _deposits(self, rows: slice, incident: NDArray[np.floating]) -> NDArray[np.floating]:
        deposits: NDArray[np.floating] = self._file["showers"][rows]
        return deposits

    def _columns_of_layers(self, layers: h5py.Dataset) -> list[int]:
        ids = _layer_ids(self._file, self._binning)
        if layers.shape != (self.n_showers, len(ids)):
            raise InputError(
                f"'layer_energies' has shape {layers.shape} for {self.n_showers} showers and "
                f"{len(ids)} layers {ids}; the file is damaged, make it again"
            )
        if not set(self.layer_ids) <= set(ids):
            raise InputError(
                f"'layer_energies' is of the layers {ids}, the voxels are of {self.layer_ids} "
                f"(binning {self._voxels.name!r}); choose the binning the showers were made with"
            )
        return [ids.index(layer) for layer in self.layer_ids]

    def _stated_layers(self, rows: slice) -> NDArray[np.floating] | None:
        if self._stated_columns is None:
            return None
        stated: NDArray[np.floating] = self._file["layer_energies"][rows][:, self._stated_columns]
        return stated

    def sum_layers(self, deposits: NDArray[np.floating]) -> NDArray[np.float64]:
        """Sum deposits to layer energies (n, L), MeV."""
        return self._voxels.layer_energies(deposits)

    def _width(self) -> int:
        return self._voxels.n_voxels


class LayerEnergyFile(ShowerFile):
    """A file with ``incident_energies`` and ``layer_energies``."""

    dialect = "CaloChallenge, layer energies only"
    deposits_are_voxels = False
    has_voxels = False

    def __init__(self, path: Path, file: h5py.File, stated: Stated) -> None:
        super().__init__(path, file, stated, "incident_energies", ["layer_energies"])
        if self._binning is not None and self._binning.layer_ids != self.layer_ids:
            raise InputError(
                f"holds the layers {self.layer_ids} but binning {self._binning.name!r} has "
                f"{self._binning.layer_ids}; choose the binning the energies were made with"
            )
        width = file["layer_energies"].shape[1]
        if width != len(self.layer_ids):
            raise InputError(
                f"'layer_energies' has {width} columns but there are {len(self.layer_ids)} layers "
                f"{self.layer_ids}; the columns cannot be assigned to layers"
            )

    @property
    def layer_ids(self) -> tuple[int, ...]:
        """The L layer numbers, ascending."""
        return _layer_ids(self._file, self._binning)

    def describe_deposit(self, position: int) -> str:
        """Name a layer by its column."""
        return f"layer {self.layer_ids[position]}"

    def _find_binning(self, stated: Stated) -> Binning | None:
        return find_binning(self._file, stated, None)

    def _deposits(self, rows: slice, incident: NDArray[np.floating]) -> NDArray[np.floating]:
        deposits: NDArray[np.floating] = self._file["layer_energies"][rows]
        return deposits

    def sum_layers(self, deposits: NDArray[np.floating]) -> NDArray[np.float64]:
        """Sum deposits to layer energies (n, L), MeV."""
        return deposits.astype(np.float64)
