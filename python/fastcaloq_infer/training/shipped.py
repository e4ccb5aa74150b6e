"""Where the shipped checkpoints and configurations lie."""

from __future__ import annotations

from pathlib import Path

import fastcaloq_infer
from fastcaloq_infer.errors import ConfigError, ModelError

__all__ = ["find_config", "find_shipped"]


def _roots() -> list[Path]:
    """Return the folders of models: the installed package's, and a source tree's."""
    package = Path(fastcaloq_infer.__file__).parent
    return [package / "models", package.parents[1] / "models"]


def find_shipped(name: str) -> Path:
    """Return the folder of the shipped model ``name`` that holds its checkpoint.

    Raises
    ------
    ModelError
        No such model; the message lists those there are.
    """
    found = {
        path.parent.name: path.parent
        for root in reversed(_roots())
        for path in sorted(root.glob("*/model.safetensors"))
    }
    if name not in found:
        known = f"shipped models: {', '.join(sorted(found))}" if found else "no model is shipped"
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
    found = {
        path.stem: path
        for root in reversed(_roots())
        for path in sorted((root / "configs").glob("*.yaml"))
    }
    if name not in found:
        known = f": {', '.join(sorted(found))}" if found else ", there are none"
        raise ConfigError(
            f"'{name}' is neither a file nor a shipped configuration{known}; check the path"
        )
    return found[name]
