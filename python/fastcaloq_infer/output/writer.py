"""The writer of a file format, chosen by the suffix and loaded only when it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from fastcaloq_infer.output.destination import format_of

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

    from numpy.typing import NDArray

    from fastcaloq_infer.output.root import Compression, Container
    from fastcaloq_infer.output.schema import Provenance
    from fastcaloq_infer.output.voxels import VoxelStorage


class Writer(Protocol):
    """A file being written; closed on leaving the ``with`` block."""

    def extend(self, columns: dict[str, NDArray[Any]]) -> None:
        """Append rows."""

    def finish(self, provenance: Provenance) -> None:
        """Add the provenance after the last row."""

    def __enter__(self) -> Self:
        """Return the writer."""

    def __exit__(self, *exception: Any) -> None:
        """Close the file."""


def open_writer(
    path: Path,
    layers: tuple[int, ...],
    container: Container,
    compression: Compression,
    voxels: VoxelStorage | None = None,
) -> Writer:
    """Open ``path`` for writing in the format of its suffix.

    Raises
    ------
    OutputError
        The suffix names no format.
    """
    if format_of(path) == "root":
        from fastcaloq_infer.output.root import RootWriter

        return RootWriter(path, layers, container=container, compression=compression, voxels=voxels)
    from fastcaloq_infer.output.hdf5 import Hdf5Writer

    return Hdf5Writer(path, layers, compress=compression != "none", voxels=voxels)
