"""Stream columns of showers into a ROOT file, without ROOT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import uproot

from fastcaloq_infer.output.schema import PROVENANCE_NAME, TREE_NAME, Provenance, column_types

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from numpy.typing import NDArray

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
    """

    def __init__(
        self,
        path: Path,
        layers: tuple[int, ...],
        *,
        container: Container = "ttree",
        compression: Compression = "zstd",
    ) -> None:
        self._file = uproot.recreate(path, compression=_COMPRESSION[compression])
        make = self._file.mktree if container == "ttree" else self._file.mkrntuple
        self._rows = make(TREE_NAME, column_types(layers), "showers; energies in MeV")

    def extend(self, columns: dict[str, NDArray[Any]]) -> None:
        """Append the columns of :func:`~fastcaloq_infer.output.schema.columns`."""
        self._rows.extend(columns)

    def finish(self, provenance: Provenance) -> None:
        """Add the provenance; the file is complete once the writer is closed."""
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
