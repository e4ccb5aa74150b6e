"""Means and spreads over seeds, and the classical network of equal quality."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

__all__ = ["equal_parameters", "summarise"]

_FIGURES = ("nll", "fidelity", "mass_distance", "seconds")


def summarise(cells: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return per task and network the mean and standard deviation over seeds of every figure.

    For a register also ``inn_parameters``: how many a classical network has whose mean NLL is the
    same (`equal_parameters`).
    """
    summary: dict[str, dict[str, Any]] = {}
    for task in sorted({cell["task"] for cell in cells}):
        mine = [cell for cell in cells if cell["task"] == task]
        rows: dict[str, Any] = {}
        for name in sorted({cell["network"] for cell in mine}):
            group = [cell for cell in mine if cell["network"] == name]
            row: dict[str, Any] = {
                "parameters": group[0]["parameters"],
                "preparation_parameters": group[0]["preparation_parameters"],
            }
            for figure in _FIGURES:
                row |= _moments(figure, [cell[figure] for cell in group])
            for figure in group[0]["round_trip"]:
                row |= _moments(figure, [cell["round_trip"][figure] for cell in group])
            rows[name] = row
        classical = sorted(
            (row["parameters"], row["nll"]) for name, row in rows.items() if name.startswith("inn")
        )
        for name, row in rows.items():
            if not name.startswith("inn"):
                row["inn_parameters"] = equal_parameters(classical, row["nll"])
        summary[task] = rows
    return summary


def equal_parameters(classical: list[tuple[int, float]], nll: float) -> float | None:
    """Return the parameters at which the curve of classical networks first has that NLL.

    ``classical`` is (parameters, NLL) in order of size; straight lines in the log of the
    parameters. None: outside the curve.
    """
    for (few, worse), (many, better) in pairwise(classical):
        if better <= nll <= worse:
            part = (worse - nll) / (worse - better) if worse > better else 0.0
            return float(few * (many / few) ** part)
    return None


def _moments(figure: str, values: list[float | None]) -> dict[str, float]:
    known = [value for value in values if value is not None]
    if not known:
        return {}
    return {figure: float(np.mean(known)), f"{figure}_std": float(np.std(known, ddof=1))}
