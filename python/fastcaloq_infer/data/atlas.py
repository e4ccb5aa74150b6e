"""ATLAS voxel HDF5, the form FastCaloSim's binned showers are kept in.

Datasets read:

=================================  ==========  =====================================================
``incident_energy``                (N,)        MeV
``energy_layer_<l>``               (N, V_l)    voxel energies as fractions of the incident energy
``binstart_radius_layer_<l>``      (V_l,)      inner radius of each voxel, mm
``binsize_radius_layer_<l>``       (V_l,)      its width, mm
``binstart_alpha_layer_<l>``       (V_l,)      where its sector begins, radians
``binsize_alpha_layer_<l>``        (V_l,)      the sector's width, radians
``center_eta``                     (N,)        optional: eta of each shower
=================================  ==========  =====================================================

Assumed, because there is no public specification: the incident energy is in MeV (FastCaloSim's
unit); layers are ATLAS ``CaloSampling`` numbers and are ordered by number; a layer without columns
has no voxels. Voxels may come in any order inside a layer: they are sorted to r fastest, then
alpha. Sectors are counted from -pi. Where the rings and sectors of a layer do not form a full grid
(merged sectors near the axis), layer energies can still be read, voxels cannot.
"""

from __future__ import annotations

import re
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.data.atlas_grid import grid_of_layer, same_grid
from fastcaloq_infer.data.metadata import find_particle
from fastcaloq_infer.data.shower_file import ShowerFile
from fastcaloq_infer.data.voxelisation import Binning
from fastcaloq_infer.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    import h5py
    from numpy.typing import NDArray

    from fastcaloq_infer.data.metadata import Stated

ENERGY_KEY = re.compile(r"energy_layer_(\d+)")
BIN_KEYS = ("binstart_radius", "binsize_radius", "binstart_alpha", "binsize_alpha")


class AtlasFile(ShowerFile):
    """A file with ``incident_energy`` and ``energy_layer_<l>``."""

    dialect = "ATLAS voxels"

    def __init__(self, path: Path, file: h5py.File, stated: Stated) -> None:
        numbers = sorted(int(match[1]) for key in file if (match := ENERGY_KEY.fullmatch(key)))
        self._ids = tuple(n for n in numbers if file[f"energy_layer_{n}"].shape[1:] != (0,))
        if not self._ids:
            raise InputError("has no dataset 'energy_layer_<l>' with voxels")
        self._keys = [f"energy_layer_{n}" for n in self._ids]
        self._no_grid = ""
        self._order: list[NDArray[np.intp]] | None = None
        super().__init__(path, file, stated, "incident_energy", self._keys)
        starts = accumulate((file[key].shape[1] for key in self._keys), initial=0)
        self._slices = [slice(a, b) for a, b in pairwise(starts)]

    @property
    def layer_ids(self) -> tuple[int, ...]:
        """The L layer numbers, ascending."""
        return self._ids

    @property
    def has_voxels(self) -> bool:
        """Whether the voxels form a grid that a `Binning` can describe."""
        return self._binning is not None

    def why_no_voxels(self) -> str:
        """Say why the voxels cannot be read, where they cannot."""
        return f"{self._no_grid}; layer energies can be read with read_layer_energies"

    def describe_deposit(self, position: int) -> str:
        """Name a voxel by its column."""
        if self._binning is not None:
            layer, alpha, r = self._binning.voxel_coordinates(position)
            return f"voxel {position} (layer {layer}, alpha bin {alpha}, r bin {r})"
        k = next(k for k, voxels in enumerate(self._slices) if position < voxels.stop)
        return f"column {position - self._slices[k].start} of '{self._keys[k]}'"

    def _find_binning(self, stated: Stated) -> Binning | None:
        given = stated.given_binning()
        if given is not None and given.layer_ids != self._ids:
            raise InputError(
                f"holds the layers {self._ids} but binning {given.name!r} has {given.layer_ids}; "
                "choose the binning the showers were made with"
            )
        layers = []
        order = []
        for k, number in enumerate(self._ids):
            keys = [f"{kind}_layer_{number}" for kind in BIN_KEYS]
            missing = [key for key in keys if key not in self._file]
            if missing:
                self._no_grid = f"the position of the voxels is missing ({missing[0]!r})"
                return None
            width = self._file[self._keys[k]].shape[1]
            columns = [np.asarray(self._file[key], dtype=np.float64).reshape(-1) for key in keys]
            if any(len(column) != width for column in columns):
                raise InputError(
                    f"layer {number} has {width} voxels but its bin arrays have "
                    f"{[len(column) for column in columns]} entries"
                )
            try:
                layer, sort = grid_of_layer(number, *columns)
            except InputError as error:
                self._no_grid = str(error)
                return None
            if given is not None and not same_grid(layer, given.layers[k]):
                raise InputError(
                    f"layer {number} of the file has other bins than binning {given.name!r}; "
                    "leave the binning out, the file describes its own"
                )
            layers.append(layer)
            order.append(sort)
        self._order = order
        if given is not None:
            return given
        known = find_particle(self._file, stated, None)
        return Binning(self.path.stem, known.name, known.pdg_id, tuple(layers))

    def _deposits(self, rows: slice, incident: NDArray[np.floating]) -> NDArray[np.float64]:
        columns = [np.asarray(self._file[key][rows], dtype=np.float64) for key in self._keys]
        if self._order is not None:
            columns = [column[:, sort] for column, sort in zip(columns, self._order, strict=True)]
        # A NaN or infinite incident energy is reported by the check of the row, not here.
        with np.errstate(invalid="ignore", over="ignore"):
            return np.concatenate(columns, axis=1) * incident.astype(np.float64)[:, None]

    def sum_layers(self, deposits: NDArray[np.floating]) -> NDArray[np.float64]:
        """Sum deposits to layer energies (n, L), MeV."""
        sums = [deposits[:, voxels].sum(axis=1, dtype=np.float64) for voxels in self._slices]
        return np.stack(sums, axis=1)

    def _width(self) -> int:
        return int(self._slices[-1].stop)
