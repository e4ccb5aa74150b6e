"""The content of files of generated showers, to hold one against another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastcaloq_infer.output.reading import read_columns

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

Columns = dict[str, "NDArray[Any]"]


def content(*paths: Path) -> Columns:
    """Return the columns of files, one after the other."""
    chunks = [chunk for path in paths for chunk in read_columns(path, 700)]
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}


def assert_same_content(first: Columns, second: Columns) -> None:
    assert first.keys() == second.keys()
    for name, values in first.items():
        assert np.array_equal(values, second[name]), name
