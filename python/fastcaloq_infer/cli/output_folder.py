"""The folder a command writes into: made early, and gone again if the command is refused."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def output_folder(path: Path) -> Iterator[Path]:
    """Make a folder, so that one that cannot be made is found out before minutes of work.

    If the block fails, folders that were made here are removed again where nothing is in them.

    Raises
    ------
    OutputError
        It cannot be made, or a file has its name.
    """
    from fastcaloq_infer.files import make_folder

    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    make_folder(path)
    try:
        yield path
    except BaseException:
        with suppress(OSError):  # something is in it: then it is worth keeping
            for folder in missing:
                folder.rmdir()
        raise
