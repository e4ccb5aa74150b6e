"""The models that come with the package, and how a name or a path becomes a file."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path

from fastcaloq_infer.errors import ModelError
from fastcaloq_infer.shipped import shipped_files

MODEL_FILE = "model.onnx"


def folder(name: str) -> Path:
    """Return the folder of the shipped model ``name``: model file, checkpoint and configuration.

    Raises
    ------
    ModelError
        There is no shipped model of that name; the message lists those there are.
    """
    for path in shipped_files(f"*/{MODEL_FILE}"):
        if path.parent.name == name:
            return path.parent
    raise ModelError(
        f"no model is called {name!r} and no file is there: give the path of an .onnx file or one "
        f"of the shipped models: {', '.join(shipped()) or 'none in this installation'}"
    )


def shipped() -> tuple[str, ...]:
    """Names of the models that come with the package."""
    return tuple(path.parent.name for path in shipped_files(f"*/{MODEL_FILE}"))


def find(name_or_path: str | PathLike[str]) -> Path:
    """Return the model file for a shipped model's name or a path.

    A name without folder and suffix means a shipped model, anything else a path; a file in the
    working directory never shadows a shipped model.

    Raises
    ------
    ModelError
        Neither a shipped model nor an existing file; the message lists the shipped names.
    """
    text = fspath(name_or_path)
    path = Path(text)
    if text in shipped():
        return folder(text) / MODEL_FILE
    if path.is_dir() and (path / MODEL_FILE).is_file():
        return path / MODEL_FILE
    if text and path.is_dir():
        raise ModelError(
            f"the folder {path} has no {MODEL_FILE}: give the path of an .onnx file or one of the "
            f"shipped models: {', '.join(shipped()) or 'none in this installation'}"
        )
    if not path.is_file():
        return folder(text) / MODEL_FILE
    return path
