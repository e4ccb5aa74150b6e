"""Whether a production may write where it was told to, found out before any work is done."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Literal

from fastcaloq_infer.errors import OutputError

if TYPE_CHECKING:
    from pathlib import Path

Format = Literal["root", "hdf5"]

SUFFIXES: dict[str, Format] = {".root": "root", ".hdf5": "hdf5", ".h5": "hdf5"}


def format_of(path: Path) -> Format:
    """Return the file format that the suffix of ``path`` asks for.

    Raises
    ------
    OutputError
        The suffix is none of ``.root``, ``.hdf5``, ``.h5``.
    """
    try:
        return SUFFIXES[path.suffix]
    except KeyError:
        raise OutputError(
            f"cannot tell the format of '{path}' from its suffix '{path.suffix}'; "
            f"end the name in {', '.join(SUFFIXES)}"
        ) from None


def check_destination(path: Path, *, force: bool) -> None:
    """Refuse a destination that would fail, or overwrite something, at the end of the work.

    Raises
    ------
    OutputError
        The path exists and ``force`` is false, it is a folder, or its folder is missing or cannot
        be written.
    """
    format_of(path)
    check_writable(path)
    if path.exists() and not force:
        raise OutputError(f"{path} exists and would be lost; choose another name or give --force")


def check_writable(path: Path) -> None:
    """Refuse a path that no file can be written to.

    Raises
    ------
    OutputError
        It is a folder, or its folder is missing or cannot be written.
    """
    if path.is_dir():
        raise OutputError(f"cannot write {path}: it is a folder; give the name of a file")
    if not path.parent.is_dir():
        raise OutputError(
            f"cannot write {path}: the folder {path.parent} does not exist; create it first"
        )
    try:
        # Permission bits say nothing about read-only mounts and full disks: try it.
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror or error} in {path.parent}; "
            "choose another folder"
        ) from error
