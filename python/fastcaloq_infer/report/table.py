"""The summary: one row per figure, one cell per model, the floor and the target beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastcaloq_infer.evaluation.targets import target_lines
from fastcaloq_infer.report.style import SIGNS, significant, with_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastcaloq_infer.evaluation.targets import Light, TargetLine
    from fastcaloq_infer.report.lineup import Model


@dataclass(frozen=True)
class Cell:
    """One model's figure.

    Attributes
    ----------
    value
        With its error, as text.
    light, sign
        Traffic light, and the same in words.
    where
        The worst place, or empty.
    """

    value: str
    light: Light
    sign: str
    where: str


@dataclass(frozen=True)
class Row:
    """One figure of all models; ``cells`` holds None for a model without it."""

    name: str
    cells: tuple[Cell | None, ...]
    floor: str
    target: str


def summary_rows(models: Sequence[Model]) -> list[Row]:
    """Return the table of targets with the models side by side."""
    lines = [{line.name: line for line in target_lines(model.evaluation)} for model in models]
    names = list(dict.fromkeys(name for found in lines for name in found))
    rows = []
    for name in names:
        here = [found[name] for found in lines if name in found]
        rows.append(
            Row(
                name=name,
                cells=tuple(_cell(found.get(name)) for found in lines),
                floor=_range([line.floor for line in here]),
                target=f"≤ {_range([line.target for line in here])}",
            )
        )
    return rows


def _range(values: Sequence[float]) -> str:
    """Return the floor or target; of models compared with different counts they may differ."""
    texts = [significant(value) for value in (min(values), max(values))]
    return texts[0] if texts[0] == texts[1] else " to ".join(texts)


def _cell(line: TargetLine | None) -> Cell | None:
    if line is None:
        return None
    return Cell(with_error(line.value, line.error), line.light, SIGNS[line.light], line.where)


def notes(models: Sequence[Model]) -> list[str]:
    """Return what the evaluations left out or adjusted, every sentence once, with whose it is."""
    owners: dict[str, list[str]] = {}
    for model in models:
        for note in model.evaluation.notes:
            owners.setdefault(note, []).append(model.label)
    return [
        note if len(labels) == len(models) else f"{', '.join(labels)}: {note}"
        for note, labels in owners.items()
    ]
