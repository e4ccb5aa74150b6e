"""The report as a PDF: a page with the summary, then one page per picture."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from matplotlib.backends.backend_pdf import PdfPages

from fastcaloq_infer.report.style import LIGHTS, new_figure, style
from fastcaloq_infer.report.table import notes, summary_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    from matplotlib.figure import Figure

    from fastcaloq_infer.report.page import Page, Picture

_WIDTH, _HEIGHT = 11.7, 8.27  # inches, A4 across
_MARGIN, _LINE = 0.6, 0.19
_ROWS = int((_HEIGHT - 2 * _MARGIN) / _LINE)
_WRAP = 150

Text = tuple[float, str, str, float, str]
"""Position from the left in inches, text, colour, size, weight."""


class PdfReport:
    """Collects pages; a context manager, the file is whole when it closes."""

    def __init__(self, path: Path, page: Page) -> None:
        with style():
            self._pages = PdfPages(path, metadata={"Title": page.title, "CreationDate": None})
        for figure in _summary_pages(page):
            self._save(figure)

    def add(self, picture: Picture, figure: Figure) -> None:
        """Add a page: heading, picture, caption. The figure must not be used afterwards."""
        width, height = figure.get_size_inches()
        # Outside of the figure, so that no layout changes; the page grows to hold it.
        figure.text(0.02, 1 + 0.15 / height, picture.title, fontsize=13, fontweight="bold")
        caption = textwrap.fill(picture.caption, int(13 * width))
        figure.text(0.02, -0.1 / height, caption, fontsize=8.5, va="top")
        self._save(figure, bbox_inches="tight", pad_inches=0.3)

    def _save(self, figure: Figure, **options: object) -> None:
        with style():
            self._pages.savefig(figure, dpi=130, **options)  # type: ignore[no-untyped-call]

    def __enter__(self) -> PdfReport:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pages.close()  # type: ignore[no-untyped-call]


def _summary_pages(page: Page) -> Iterator[Figure]:
    """Yield pages of text: title, table, notes, facts."""
    lines = list(_lines(page))
    for start in range(0, len(lines), _ROWS):
        with style():
            figure = new_figure(_WIDTH, _HEIGHT, automatic=False)
            for i, line in enumerate(lines[start : start + _ROWS]):
                y = 1 - (_MARGIN + (i + 1) * _LINE) / _HEIGHT
                for x, text, colour, size, weight in line:
                    figure.text(
                        (_MARGIN + x) / _WIDTH,
                        y,
                        text,
                        color=colour,
                        fontsize=size,
                        fontweight=weight,
                        parse_math=False,
                    )
        yield figure


def _lines(page: Page) -> Iterator[list[Text]]:
    yield [(0.0, page.title, "black", 15, "bold")]
    yield []
    for text in textwrap.wrap(page.introduction, _WRAP):
        yield [(0.0, text, "black", 9, "normal")]
    yield []
    yield [(0.0, "Table of figures", "black", 11, "bold")]
    yield from _table(page)
    for heading, texts in (
        ("Notes", notes(page.models)),
        ("Model and data", [f"{name}: {value}" for name, value in page.facts]),
    ):
        if texts:
            yield []
            yield [(0.0, heading, "black", 11, "bold")]
        for text in texts:
            for part in textwrap.wrap(text, _WRAP):
                yield [(0.0, part, "black", 8.5, "normal")]


def _table(page: Page) -> Iterator[list[Text]]:
    first = 3.7
    step = (_WIDTH - 2 * _MARGIN - first) / (len(page.models) + 2)
    places = [first + i * step for i in range(len(page.models) + 2)]
    size = 9.0 if step > 1.5 else 6.5
    heading: list[Text] = [(0.0, "figure", "black", 9, "bold")]
    heading += [
        (x, model.label, model.colour, size, "bold")
        for x, model in zip(places, page.models, strict=False)
    ]
    heading += [
        (places[-2], "floor", "black", size, "bold"),
        (places[-1], "target", "black", size, "bold"),
    ]
    yield heading
    for row in summary_rows(page.models):
        name, *more = textwrap.wrap(row.name, 52)
        line: list[Text] = [(0.0, name, "black", 9, "normal")]
        for x, cell in zip(places, row.cells, strict=False):
            if cell is not None:
                text = f"{cell.value}  {cell.sign.split()[0]}"
                line.append((x, text, LIGHTS[cell.light], size, "normal"))
        line.append((places[-2], row.floor, "black", size, "normal"))
        line.append((places[-1], row.target, "black", size, "normal"))
        yield line
        for rest in more:
            yield [(0.15, rest, "black", 9, "normal")]
