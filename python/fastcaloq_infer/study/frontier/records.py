"""What is done of a frontier: one file per model, whole or not there."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.files import atomic_path

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["keep", "kept"]

_Record = TypeVar("_Record", bound=BaseModel)


def keep(path: Path, content: dict[str, Any], record: BaseModel) -> None:
    """Write a record and the fingerprint of what decided it.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    plain = {"fingerprint": _fingerprint(content), "record": record.model_dump(mode="json")}
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")


def kept(path: Path, content: dict[str, Any], kind: type[_Record]) -> _Record | None:
    """Return the record of an earlier start; None where there is none, or a damaged one.

    Raises
    ------
    ConfigError
        The record is of other settings or other showers.
    """
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        record = kind.model_validate_json(json.dumps(plain["record"]))
    except (OSError, ValueError, ValidationError, KeyError, TypeError):
        return None
    if plain.get("fingerprint") != _fingerprint(content):
        raise ConfigError(
            f"{path} is of other settings or other showers; write to another folder (-o), or "
            "remove it to have it done again"
        )
    return record


def _fingerprint(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
