"""Write a report: the page, the figures as JSON, and the pictures on request."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fastcaloq_infer.files import atomic_path, make_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastcaloq_infer.evaluation import Evaluation
    from fastcaloq_infer.evaluation.sample import LayerEnergyTable
    from fastcaloq_infer.report.model_pictures import ConditionerCurves, LearningCurve


def write_report(
    folder: Path | str,
    evaluation: Evaluation,
    reference: LayerEnergyTable,
    generated: LayerEnergyTable,
    *,
    title: str = "Generated showers against Geant4",
    introduction: str = "",
    curve: LearningCurve | None = None,
    conditioner: ConditionerCurves | None = None,
    facts: Sequence[tuple[str, str]] = (),
    timings: Sequence[tuple[str, float]] = (),
    details: bool = True,
) -> Path:
    """Write ``report.html`` and ``figures.json`` into a folder and return the page's path.

    Parameters
    ----------
    folder
        Made if it does not exist; older reports in it are replaced.
    evaluation
        The figures of these samples.
    reference, generated
        Held-out Geant4 and the generated showers, MeV.
    title, introduction, facts, timings
        What the page says beside the figures.
    curve, conditioner
        The training and the conditioner, if they are to be drawn.
    details
        Whether to draw every layer at every incident energy, too.

    Raises
    ------
    InputError
        Samples that cannot be drawn.
    OutputError
        The folder or a file cannot be written.
    """
    from fastcaloq_infer.report.page import Page, render
    from fastcaloq_infer.report.pictures import comparison_pictures, model_pictures

    folder = Path(folder)
    make_folder(folder)
    pictures = [
        *comparison_pictures(evaluation, reference, generated, details=details),
        *model_pictures(curve, conditioner),
    ]
    page = Page(title, introduction, evaluation, pictures, facts, timings)
    evaluation.save(folder / "figures.json")
    with atomic_path(folder / "report.html") as temporary:
        temporary.write_text(render(page), encoding="utf-8")
    return folder / "report.html"
