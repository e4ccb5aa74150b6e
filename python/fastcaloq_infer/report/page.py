"""One self-contained HTML page: table of figures, pictures with captions, facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastcaloq_infer.evaluation.targets import target_lines
from fastcaloq_infer.report.style import LIGHTS, data_uri, significant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastcaloq_infer.evaluation.results import Evaluation


@dataclass(frozen=True)
class Picture:
    """An SVG image with what a reader needs to read it.

    Attributes
    ----------
    name
        File name without suffix, and anchor on the page.
    title, caption
        Heading and explanation.
    svg
        The image.
    folded
        Whether the page shows it only on a click.
    """

    name: str
    title: str
    caption: str
    svg: bytes
    folded: bool = False

    @property
    def uri(self) -> str:
        """The image as a ``data:`` URI."""
        return data_uri(self.svg)


@dataclass(frozen=True)
class Page:
    """What the report says.

    Attributes
    ----------
    title, introduction
        Heading and first paragraph.
    evaluation
        The figures.
    pictures
        In the order of the page.
    facts
        Pairs of a name and a value: model, data, seeds, versions.
    timings
        Pairs of a step and its seconds.
    """

    title: str
    introduction: str
    evaluation: Evaluation
    pictures: Sequence[Picture]
    facts: Sequence[tuple[str, str]] = ()
    timings: Sequence[tuple[str, float]] = field(default_factory=tuple)


_SIGNS = {"green": "✔ reached", "amber": "≈ within error", "red": "✘ missed"}


def render(page: Page) -> str:
    """Return the page as HTML that refers to nothing outside of itself."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("fastcaloq_infer.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["significant"] = significant
    return environment.get_template("report.html.j2").render(
        page=page,
        lines=target_lines(page.evaluation),
        signs=_SIGNS,
        lights=LIGHTS,
        total=sum(seconds for _, seconds in page.timings),
    )
