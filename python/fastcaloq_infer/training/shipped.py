"""Shipped checkpoints and configurations by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastcaloq_infer.errors import ConfigError, ModelError
from fastcaloq_infer.shipped import shipped_files

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["find_config", "find_shipped"]


def find_shipped(name: str, file: str = "model.safetensors") -> Path:
    """Return a file of the shipped model ``name``.

    Raises
    ------
    ModelError
        No such model, or none with such a file; the message lists those there are.
    """
    found = {path.parent.name: path for path in shipped_files(f"*/{file}")}
    if name not in found:
        known = f"{', '.join(found)}" if found else "none"
        if name in (path.parent.name for path in shipped_files("*/model.safetensors")):
            raise ModelError(
                f"the shipped model '{name}' has no {file}, so no voxels; shipped with it: {known}"
            )
        known = f"shipped models: {known}" if found else "no model is shipped"
        raise ModelError(
            f"'{name}' is neither a run folder, a checkpoint file nor a shipped model ({known}); "
            "check the path"
        )
    return found[name]


def find_config(name: str) -> Path:
    """Return the shipped configuration ``name``, such as ``demo_energy``.

    Raises
    ------
    ConfigError
        No such configuration; the message lists those there are.
    """
    found = {path.stem: path for path in shipped_files("configs/*.yaml")}
    if name not in found:
        known = f": {', '.join(found)}" if found else ", there are none"
        raise ConfigError(
            f"'{name}' is neither a file nor a shipped configuration{known}; check the path"
        )
    return found[name]
