"""Configurations as plain data, before the learner they are for has looked at them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastcaloq_infer.training.shipped import find_config
from fastcaloq_infer.training.yaml_files import read_mapping, set_keys

__all__ = ["read_settings"]


def read_settings(configuration: Path | str, overrides: list[str]) -> tuple[Path, dict[str, Any]]:
    """Return the file that a name or path stands for, and its content with overrides applied.

    ``steps`` and ``epochs`` are two ways to say the length: one that is set replaces the other.

    Raises
    ------
    ConfigError
        No such file or shipped configuration, no YAML mapping, or an override that is none.
    """
    path = Path(configuration)
    if not path.suffix and not path.exists():
        path = find_config(str(configuration))
    raw = read_mapping(path)
    keys = set_keys(raw, overrides)
    for given, other in (("steps", "epochs"), ("epochs", "steps")):
        if given in keys and other not in keys:
            raw.pop(other, None)
    return path, raw
