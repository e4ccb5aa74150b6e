"""``checkpoint.pt``: the full state of a training, written whole and read with suspicion."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from fastcaloq_infer.errors import ModelError
from fastcaloq_infer.files import atomic_path

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["TrainingState", "read_state", "write_state"]

_FORMAT = "fastcaloq-training-state"
_SCHEMA = 2


@dataclass(frozen=True)
class TrainingState:
    """A training at one step.

    Attributes
    ----------
    config
        Plain data of the configuration.
    metadata
        JSON of :class:`~fastcaloq_infer.training.metadata.ModelMetadata`.
    data
        Names, SHA-256 and numbers of the showers read.
    threads
        torch's threads: another number changes the order of sums, so the last bits.
    trainer
        State of the :class:`~fastcaloq_infer.training.trainer.Trainer`.
    """

    config: dict[str, Any]
    metadata: str
    data: list[dict[str, Any]]
    threads: int
    trainer: dict[str, Any]


def write_state(path: Path, state: TrainingState) -> None:
    """Write a state; a reader sees the one before or this one, never a part.

    Raises
    ------
    OutputError
        The file cannot be written; the one before stays.
    """
    # Through memory: torch reports a full disk as an error of its own zip writer.
    buffer = io.BytesIO()
    torch.save({"format": _FORMAT, "schema": _SCHEMA, **vars(state)}, buffer)
    with atomic_path(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def read_state(path: Path) -> TrainingState:
    """Read a state onto the CPU; nothing in the file is executed.

    Raises
    ------
    ModelError
        The file is missing, damaged, not a training state, or of another version.
    """
    try:
        stream = io.BytesIO(path.read_bytes())
    except OSError as error:
        raise ModelError(
            f"cannot read the checkpoint {path}: {error.strerror or error}; check the path"
        ) from error
    try:
        content = _load(stream)
    except Exception as error:  # damage shows as almost any exception
        raise ModelError(
            f"{path} is damaged or not a checkpoint ({_first_line(error)}), so nothing can be "
            "loaded from it; take another copy or train again"
        ) from error
    if not isinstance(content, dict) or content.pop("format", None) != _FORMAT:
        raise ModelError(
            f"{path} is a torch file but not a training state of fastcaloq-infer; give a run "
            "folder, its checkpoint.pt or its model.safetensors"
        )
    schema = content.pop("schema", None)
    if schema != _SCHEMA:
        raise ModelError(
            f"{path} has schema {schema}, this version reads {_SCHEMA}; use the version of "
            "fastcaloq-infer it was written with"
        )
    try:
        return TrainingState(**content)
    except TypeError as error:
        raise ModelError(
            f"{path} is damaged: its entries are not those of a checkpoint; train again"
        ) from error


def _load(stream: io.BytesIO) -> Any:
    # torch writes the zip's checksums but does not look at them when reading.
    damaged = zipfile.ZipFile(stream).testzip()
    if damaged is not None:
        raise zipfile.BadZipFile(f"wrong checksum of {damaged}")
    stream.seek(0)
    return torch.load(stream, map_location="cpu", weights_only=True)


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:80]}" if text else type(error).__name__
