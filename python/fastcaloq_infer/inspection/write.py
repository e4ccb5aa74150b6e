"""Write an inspection: a page, its pictures and the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastcaloq_infer.files import atomic_path
from fastcaloq_infer.inspection.pictures import all_pictures
from fastcaloq_infer.report.page import Drawn, environment
from fastcaloq_infer.report.style import picture as image

if TYPE_CHECKING:
    from pathlib import Path

    from fastcaloq_infer.evaluation.progress import Progress
    from fastcaloq_infer.inspection.look import Look

__all__ = ["FIGURES", "PAGE", "write_inspection"]

FIGURES = "inspection.json"
PAGE = "inspection.html"


def write_inspection(folder: Path, found: Look, progress: Progress) -> None:
    """Leave inspection.html, inspection.json and one PNG per picture in a folder that exists.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    pictures = all_pictures(found)
    drawn = []
    for i, picture in enumerate(pictures):
        progress("pictures", i / len(pictures))
        figure = picture.draw()
        drawn.append(Drawn(picture, image(figure)))
        with atomic_path(folder / f"{picture.name}.png") as temporary:
            temporary.write_bytes(image(figure, "png"))
    page = (
        environment()
        .get_template("inspection.html.j2")
        .render(title=f"Inside {found.figures.name}", figures=found.figures, drawn=drawn)
    )
    with atomic_path(folder / PAGE) as temporary:
        temporary.write_text(page, encoding="utf-8")
    with atomic_path(folder / FIGURES) as temporary:
        temporary.write_text(found.figures.model_dump_json(indent=1) + "\n", encoding="utf-8")
    progress("pictures", 1.0)
