"""Files as a whole: written completely or not at all, and named by their content."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fastcaloq_infer.errors import FastCaloQError, InputError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

_READ_BYTES = 1 << 20


@contextmanager
def atomic_path(final: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside ``final`` that becomes ``final`` only if the block succeeds.

    The temporary file (``.<name>.<random>.tmp<suffix>``) exists and is empty on entry; the block
    may overwrite or append. On success it is flushed to disk and renamed over ``final``, so a
    reader sees the old file or the whole new one, even after ``kill -9`` or a power cut. On any
    failure it is removed and ``final`` is left as it was. A killed process may leave the hidden
    temporary file behind, never a partial ``final``.

    Parameters
    ----------
    final
        Path to write; its folder must exist.

    Raises
    ------
    OutputError
        The folder is missing or not writable, the disk is full, or writing fails with any other
        error of the operating system.

    Examples
    --------
    >>> with atomic_path("showers.csv") as temporary:  # doctest: +SKIP
    ...     temporary.write_text("incident_energy,eta")
    """
    final = Path(final)
    try:
        if final.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        handle, name = tempfile.mkstemp(
            prefix=f".{final.name}.", suffix=f".tmp{final.suffix}", dir=final.parent
        )
        os.close(handle)
    except OSError as error:
        raise _cannot_write(final, error) from error
    temporary = Path(name)
    try:
        yield temporary
        _publish(temporary, final)
    except FastCaloQError:
        raise
    except OSError as error:
        # Only the write itself: a missing *input* named in the error is not an output problem.
        if error.filename is not None and Path(os.fsdecode(error.filename)) not in (
            temporary,
            final,
        ):
            raise
        raise _cannot_write(final, error) from error
    except RuntimeError as error:
        # h5py reports a failed flush while closing as a RuntimeError that quotes errno.
        if "errno = " not in str(error):
            raise
        raise _cannot_write(final, OSError(str(error))) from error
    finally:
        temporary.unlink(missing_ok=True)


def _publish(temporary: Path, final: Path) -> None:
    """Flush the finished file, give it ordinary permissions and rename it into place."""
    umask = os.umask(0)
    os.umask(umask)
    # mkstemp makes files private (0600); a data file should look like any other new file.
    temporary.chmod(0o666 & ~umask)
    with temporary.open("rb") as stream:
        os.fsync(stream.fileno())
    temporary.replace(final)
    folder = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    except OSError:
        pass  # some network file systems refuse to sync folders; the rename has happened
    finally:
        os.close(folder)


def _cannot_write(final: Path, error: OSError) -> OutputError:
    # h5py and HDF5 put the reason into the text only, so errno may be missing.
    text = str(error)
    if error.errno == errno.ENOSPC or "No space left" in text or f"errno = {errno.ENOSPC}" in text:
        return OutputError(
            f"cannot write {final}: the disk is full; free some space or write to another disk "
            "(nothing was left behind)"
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return OutputError(
            f"cannot write {final}: no permission to write in {final.parent}; choose another folder"
        )
    if error.errno == errno.EISDIR:
        return OutputError(f"cannot write {final}: it is a folder; give the name of a file")
    if error.errno == errno.ENOENT:
        return OutputError(
            f"cannot write {final}: the folder {final.parent} does not exist; create it first"
        )
    reason = " ".join((error.strerror or text).split())
    if quoted := re.search(r"errno = \d+, error message = '([^']+)'", text):
        reason = quoted[1]
    return OutputError(f"cannot write {final}: {reason} (nothing was left behind)")


def make_folder(folder: Path, what: str = "folder") -> None:
    """Make a folder for output, and those above it; one that exists is left as it is.

    ``what`` names it in the message.

    Raises
    ------
    OutputError
        It cannot be made, or a file has its name.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot make the {what} {folder}: {error.strerror or error}; "
            "choose another folder (-o)"
        ) from error


def sha256_file(path: Path | str) -> str:
    """Return the SHA-256 of a file's bytes as 64 hexadecimal characters.

    Raises
    ------
    InputError
        The file does not exist or cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with Path(path).open("rb") as stream:
            while block := stream.read(_READ_BYTES):
                digest.update(block)
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {error.strerror or error}; check the path and its permissions"
        ) from error
    return digest.hexdigest()
