"""Write a report: the page, and a PDF on request."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from fastcaloq_infer.files import atomic_path, make_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fastcaloq_infer.evaluation.samples.sample import LayerEnergyTable
    from fastcaloq_infer.report.candidate import Candidate
    from fastcaloq_infer.report.model_pictures import ConditionerCurves, LearningCurve


def write_report(
    folder: Path | str,
    reference: LayerEnergyTable,
    candidates: Sequence[Candidate],
    *,
    floor: LayerEnergyTable | None = None,
    title: str = "Generated showers against Geant4",
    introduction: str = "",
    curve: LearningCurve | None = None,
    conditioner: ConditionerCurves | None = None,
    facts: Sequence[tuple[str, str]] = (),
    timings: Sequence[tuple[str, float]] = (),
    details: bool = True,
    pdf: bool = False,
    progress: Callable[[str, float], None] | None = None,
) -> Path:
    """Write ``report.html``, and ``report.pdf`` on request, into a folder; return the page's path.

    Parameters
    ----------
    folder
        Made if it does not exist; older reports in it are replaced.
    reference
        Held-out showers of the simulation, MeV.
    candidates
        One or more generated samples with their figures, all against this reference.
    floor
        An independent sample of the simulation, drawn as a thin line in the ratios.
    title, introduction, facts, timings
        What the page says beside the figures.
    curve, conditioner
        The training and the conditioner, if they are to be drawn.
    details
        Whether to draw distributions at single incident energies, too.
    pdf
        Whether to write the same as a PDF.
    progress
        Called with the name of a picture and the fraction done.

    Raises
    ------
    InputError
        Samples that cannot be drawn, or do not belong together.
    OutputError
        The folder or a file cannot be written.
    """
    from fastcaloq_infer.report.lineup import line_up
    from fastcaloq_infer.report.page import Drawn, Page, render
    from fastcaloq_infer.report.pdf import PdfReport
    from fastcaloq_infer.report.pictures import all_pictures
    from fastcaloq_infer.report.style import picture as image

    folder = Path(folder)
    make_folder(folder)
    lineup = line_up(reference, candidates, floor)
    page = Page(title, introduction, lineup.models, facts, timings)
    pictures = all_pictures(lineup, curve, conditioner, details=details)
    drawn = []
    with ExitStack() as stack:
        document = None
        if pdf:
            temporary = stack.enter_context(atomic_path(folder / "report.pdf"))
            document = stack.enter_context(PdfReport(temporary, page))
        for i, picture in enumerate(pictures):
            if progress is not None:
                progress(picture.title, i / len(pictures))
            figure = picture.draw()
            drawn.append(Drawn(picture, image(figure, picture.kind)))
            if document is not None:
                document.add(picture, figure)
    with atomic_path(folder / "report.html") as temporary:
        temporary.write_text(render(page, drawn), encoding="utf-8")
    return folder / "report.html"
