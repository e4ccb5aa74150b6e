"""One self-contained HTML page: summary, pictures with captions, facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastcaloq_infer.report.style import LIGHTS, data_uri
from fastcaloq_infer.report.table import notes, summary_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jinja2 import Environment
    from matplotlib.figure import Figure

    from fastcaloq_infer.report.lineup import Model


@dataclass(frozen=True)
class Picture:
    """A picture that can be drawn, with what a reader needs to read it.

    Attributes
    ----------
    name
        Anchor on the page.
    title, caption
        Heading and explanation.
    draw
        Makes the figure.
    kind
        How the page shows it: ``svg``, or ``palette`` (PNG) for pictures of thousands of lines.
    folded
        Whether the page shows it only on a click.
    """

    name: str
    title: str
    caption: str
    draw: Callable[[], Figure]
    kind: str = "svg"
    folded: bool = False


@dataclass(frozen=True)
class Drawn:
    """A picture and its image."""

    picture: Picture
    image: bytes

    @property
    def uri(self) -> str:
        """The image as a ``data:`` URI."""
        return data_uri(self.image, self.picture.kind)


@dataclass(frozen=True)
class Page:
    """What the report says.

    Attributes
    ----------
    title, introduction
        Heading and first paragraph.
    models
        The candidates with their figures.
    facts
        Pairs of a name and a value: model, data, seeds, versions.
    timings
        Pairs of a step and its seconds.
    """

    title: str
    introduction: str
    models: Sequence[Model]
    facts: Sequence[tuple[str, str]] = ()
    timings: Sequence[tuple[str, float]] = ()


def environment() -> Environment:
    """Return the templates of this package."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("fastcaloq_infer.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(page: Page, pictures: Sequence[Drawn]) -> str:
    """Return the page as HTML that refers to nothing outside of itself."""
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            page=page,
            drawn=pictures,
            rows=summary_rows(page.models),
            notes=notes(page.models),
            lights=LIGHTS,
            simulation=page.models[0].simulation,
            total=sum(seconds for _, seconds in page.timings),
        )
    )
