"""The table of targets as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastcaloq_infer.evaluation.targets import target_lines

if TYPE_CHECKING:
    from fastcaloq_infer.evaluation.results import Evaluation


def summary(evaluation: Evaluation) -> str:
    """Return the table as plain text, one line per figure."""
    rows = [("figure", "value", "error", "floor", "target", "", "where")]
    rows += [
        (
            line.name,
            f"{line.value:.4g}",
            f"{line.error:.2g}",
            f"{line.floor:.4g}",
            f"<= {line.target:.4g}",
            line.light,
            line.where,
        )
        for line in target_lines(evaluation)
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(7)]
    return "\n".join(
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
