"""Numbers that are not finite: what a training forgives, and when it gives up."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from fastcaloq_infer.errors import FastCaloQError

if TYPE_CHECKING:
    from fastcaloq_infer.training.objective import Prepared

__all__ = ["MOST_FAILURES", "TrainingError", "possible", "refuse_divergence"]

MOST_FAILURES = 10
"""Skipped steps in a row after which a training cannot be expected to recover."""


class TrainingError(FastCaloQError):
    """A training that cannot go on, with what to change."""


def refuse_divergence(failures: int, step: int, loss: float, lr: float) -> None:
    """Raise `TrainingError` when ``failures`` skipped steps in a row are too many."""
    if failures >= MOST_FAILURES:
        what = "gradient" if math.isfinite(loss) else "loss"
        raise TrainingError(
            f"the {what} was not finite in {failures} steps in a row (until step {step + 1}), so "
            f"the training cannot recover; lower optimiser.lr (now {lr:g}) or gradient_clip, or "
            "look at the data with 'fastcaloq inspect'"
        )


def possible(rows: Prepared) -> tuple[Prepared, int]:
    """Return the rows that are finite throughout, and how many are not.

    What is not finite in prepared rows has no weights in it: no training makes it finite.
    """
    finite = torch.ones(len(rows[0]), dtype=torch.bool, device=rows[0].device)
    for tensor in rows:
        finite &= (
            torch.isfinite(tensor).flatten(1).all(dim=1)
            if tensor.ndim > 1
            else (torch.isfinite(tensor))
        )
    if finite.all():
        return rows, 0
    return tuple(tensor[finite] for tensor in rows), int((~finite).sum())
