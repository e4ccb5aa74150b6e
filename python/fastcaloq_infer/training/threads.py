"""torch's threads and its choice of algorithms, changed for a while only.

Both belong to the whole process.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["reproducible", "torch_threads"]


@contextmanager
def torch_threads(number: int | None) -> Iterator[None]:
    """Use ``number`` threads inside the block (None: leave it), and the number before after it."""
    before = torch.get_num_threads()
    if number is not None:
        torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def reproducible(device: str) -> Iterator[None]:
    """Choose algorithms that sum in the same order in every run; on processors all do.

    Where a GPU has none for an operation, torch says so in a warning and goes on.
    """
    if device == "cpu":
        yield
        return
    # cuBLAS reads it when it starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.are_deterministic_algorithms_enabled()
    before_warn = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=before_warn)
