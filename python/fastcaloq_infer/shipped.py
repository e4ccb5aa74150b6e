"""Where the models and configurations that come with the package lie."""

from __future__ import annotations

from pathlib import Path


def model_folders() -> list[Path]:
    """Return the folders that may hold shipped models, the first that has a name wins.

    A wheel carries the models inside the package; an editable install runs the package from the
    checkout, where the same folder stands at the top level.
    """
    package = Path(__file__).resolve().parent
    return [package / "models", package.parents[1] / "models"]


def shipped_files(pattern: str) -> list[Path]:
    """Return the files that match a pattern such as ``*/model.onnx``, in order of their names."""
    found = {
        path.relative_to(folder): path
        for folder in reversed(model_folders())
        for path in folder.glob(pattern)
    }
    return [found[name] for name in sorted(found)]
