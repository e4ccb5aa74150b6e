"""Stream columns of showers into a ROOT file, without ROOT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import uproot

from fastcaloq_infer.data import format_binning
from fastcaloq_infer.output.schema import (
    BINNING_NAME,
    COUNTER,
    PROVENANCE_NAME,
    TREE_NAME,
    VOXELS,
    Provenance,
    column_types,
    voxel_types,
)
from fastcaloq_infer.output.voxels import layer_of_voxel, to_sparse

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from numpy.typing import NDArray

    from fastcaloq_infer.output.voxels import VoxelStorage

Container = Literal["ttree", "rntuple"]
Compression = Literal["zstd", "lz4", "zlib", "none"]

# One million showers of five layers, one core (bytes per shower, seconds): none 56, 0.08;
# LZ4(1) 30, 0.12; ZSTD(1) 26, 0.17; ZLIB(1) 26, 0.82. ROOT reads ZSTD since 6.20.
_COMPRESSION = {
    "zstd": uproot.ZSTD(1),
    "lz4": uproot.LZ4(1),
    "zlib": uproot.ZLIB(1),
    "none": None,
}


def _jagged(offsets: NDArray[np.int64], values: NDArray[Any]) -> Any:
    """Return an awkward array whose row n is ``values[offsets[n]:offsets[n + 1]]``."""
    import awkward

    index = awkward.index.Index64(offsets)
    content = awkward.contents.NumpyArray(values)
    return awkward.Array(awkward.contents.ListOffsetArray(index, content))


class RootWriter:
    """Write showers chunk by chunk as a TTree (default) or an RNTuple named ``showers``.

    The provenance is a TObjString named ``provenance`` holding JSON. Every chunk becomes one basket
    (one cluster) per column, so chunks should hold 100,000 showers or more.

    Parameters
    ----------
    path
        File to write; overwritten.
    layers
        CaloSampling numbers of the layers.
    voxels
        How to store voxels, or None without.
    """

    def __init__(
        self,
        path: Path,
        layers: tuple[int, ...],
        *,
        container: Container = "ttree",
        compression: Compression = "zstd",
        voxels: VoxelStorage | None = None,
    ) -> None:
        self._file = uproot.recreate(path, compression=_COMPRESSION[compression])
        self._voxels = voxels
        types = column_types(layers) | voxel_types(voxels)
        title = "showers; energies in MeV"
        self._counted = container == "rntuple"  # a TTree makes the counter by itself
        if container == "ttree":
            self._rows = self._file.mktree(TREE_NAME, types, title, counter_name=lambda _: COUNTER)
        else:
            if voxels is not None and voxels.form == "sparse":
                types[COUNTER] = np.dtype(np.int32)
            self._rows = self._file.mkrntuple(TREE_NAME, types, title)

    def extend(self, columns: dict[str, NDArray[Any]]) -> None:
        """Append the columns of :func:`~fastcaloq_infer.output.schema.columns`."""
        if self._voxels is not None and self._voxels.form == "sparse":
            columns = columns | self._sparse(columns[VOXELS], self._voxels)
            del columns[VOXELS]
        self._rows.extend(columns)

    def _sparse(self, dense: NDArray[np.float32], voxels: VoxelStorage) -> dict[str, Any]:
        offsets, index, energy = to_sparse(dense)
        content: dict[str, NDArray[Any]] = {
            "voxel_layer": layer_of_voxel(voxels.binning)[index],
            "voxel_index": index,
            "voxel_energy": energy,
        }
        found = {name: _jagged(offsets, values) for name, values in content.items()}
        return found | ({COUNTER: np.diff(offsets).astype(np.int32)} if self._counted else {})

    def finish(self, provenance: Provenance) -> None:
        """Add binning and provenance; the file is complete once the writer is closed."""
        if self._voxels is not None:
            self._file[BINNING_NAME] = format_binning(self._voxels.binning)
        self._file[PROVENANCE_NAME] = provenance.model_dump_json()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
