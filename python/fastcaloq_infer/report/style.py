"""One look for all pictures: colours that survive colour blindness and grey printing."""

from __future__ import annotations

import base64
import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from matplotlib import rc_context
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

# Okabe and Ito's palette: the pairs used together differ in lightness as well as in hue.
GEANT4_FILL = "#d4d4d4"
GEANT4_LINE = "#4d4d4d"
GENERATED = "#0072b2"
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c6d31")
LIGHTS = {"green": "#1b7837", "amber": "#b35806", "red": "#b2182b"}

_STYLE: Any = {  # matplotlib types its settings by a list of 300 literals
    "font.family": "DejaVu Sans",  # comes with matplotlib, the same on every machine
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.labelsize": 10,
    "legend.fontsize": 9,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "legend.frameon": False,
    "hatch.linewidth": 0.5,
    "svg.hashsalt": "fastcaloq",  # the same picture gives the same bytes
    "svg.fonttype": "path",
}


@contextmanager
def style() -> Iterator[None]:
    """Apply the look inside the block; other users of matplotlib in the process see nothing."""
    with rc_context(_STYLE):
        yield


def new_figure(width: float, height: float, *, automatic: bool = True) -> Figure:
    """Return an empty figure, inches; ``automatic`` layout keeps labels from overlapping."""
    return Figure(figsize=(width, height), layout="constrained" if automatic else None)


def picture(figure: Figure, kind: str = "svg") -> bytes:
    """Return the figure as ``svg`` or ``png``, without date or program in it."""
    stream = io.BytesIO()
    metadata = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
    with style():
        figure.savefig(stream, format=kind, dpi=120, metadata=metadata)
    return stream.getvalue()


def data_uri(image: bytes, kind: str = "svg") -> str:
    """Return an image as a ``data:`` URI, so that the page needs no other file."""
    mime = "image/svg+xml" if kind == "svg" else f"image/{kind}"
    return f"data:{mime};base64,{base64.b64encode(image).decode('ascii')}"


def energy_label(energy: float) -> str:
    """Return an incident energy with its unit, thousands separated: ``65,536 MeV``."""
    return f"{energy:,.0f} MeV" if energy >= 10 else f"{energy:.3g} MeV"


def significant(value: float) -> str:
    """Return a number for a table, three significant digits."""
    if value == int(value):
        return f"{value:.0f}"
    return f"{value:.3f}" if 0.1 <= abs(value) < 10 else f"{value:.3g}"
