"""A file for the HDF5 library that never shows it a failed write."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from _typeshed import ReadableBuffer, WriteableBuffer


class RecordingSink(io.RawIOBase):
    """Remember the first error of the operating system instead of raising it.

    HDF5 1.14 cannot close a file whose cache it failed to write: on a full disk h5py ends in a
    segmentation fault when the process exits. So a failed write is reported to the library as
    done, later ones are dropped, and the writer asks :meth:`check` after every chunk. The file is
    worthless then and its owner deletes it.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = path.open("w+b", buffering=0)
        self._error: OSError | None = None

    def check(self) -> None:
        """Raise the first error that a write met, if any."""
        if self._error is not None:
            raise self._error

    def write(self, data: ReadableBuffer, /) -> int:
        """Write all of ``data``, or record why not; returns its size in bytes either way."""
        view = memoryview(data).cast("B")
        done = 0
        try:
            while self._error is None and done < len(view):
                done += self._file.write(view[done:])
        except OSError as error:
            self._error = error
        return len(view)

    def truncate(self, size: int | None = None, /) -> int:
        """Set the size of the file, or record why not."""
        if self._error is None:
            try:
                return self._file.truncate(size)
            except OSError as error:
                self._error = error
        return size if size is not None else self.tell()

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read up to the size of ``buffer``; bytes that could not be written read as zero."""
        view = memoryview(buffer).cast("B")
        done = self._file.readinto(view)
        if self._error is not None:
            view[done:] = bytes(len(view) - done)
            return len(view)
        return done

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move to ``offset``."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

    def readable(self) -> bool:
        """Return true."""
        return True

    def writable(self) -> bool:
        """Return true."""
        return True

    def seekable(self) -> bool:
        """Return true."""
        return True

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
