"""One look for all pictures: colours that survive colour blindness and grey printing."""

from __future__ import annotations

import base64
import io
import math
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
SERIES = (GENERATED, "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c6d31")
MARKERS = ("o", "D", "s", "v", "^", "P", "X", "*")
LIGHTS = {"green": "#1b7837", "amber": "#b35806", "red": "#b2182b"}
SIGNS = {"green": "✔ reached", "amber": "≈ within error", "red": "✘ missed"}

E_INC = r"$E_\mathrm{inc}$ [MeV]"

_DPI = 130
_PALETTE = 128  # a drawing of flat colours and their edges needs no more

_STYLE: Any = {  # matplotlib types its settings by a list of 300 literals
    "font.family": "DejaVu Sans",  # comes with matplotlib, the same on every machine
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.titley": 1.0,  # looking for room takes a quarter of the drawing, and there is room
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
    "pdf.fonttype": 42,  # letters stay letters: a reader can search and copy them
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
    """Return the figure as ``svg``, ``png`` or ``palette``, without date or program in it.

    ``palette`` is a PNG of 128 colours: for lines and flat areas a third of the bytes, and no
    difference that an eye sees; colour scales need ``png``.
    """
    stream = io.BytesIO()
    with style():
        if kind == "svg":
            metadata = {"Date": None, "Creator": None}
            figure.savefig(stream, format=kind, dpi=_DPI, metadata=metadata)
        else:
            _save_png(figure, stream, palette=kind == "palette")
    return stream.getvalue()


def _save_png(figure: Figure, stream: io.BytesIO, *, palette: bool) -> None:
    from PIL import Image

    drawn = io.BytesIO()
    fast = {"compress_level": 1}
    figure.savefig(drawn, format="png", dpi=_DPI, metadata={"Software": None}, pil_kwargs=fast)
    image = Image.open(drawn).convert("RGB")
    if palette:
        image = image.quantize(_PALETTE, dither=Image.Dither.NONE)
    image.save(stream, "png", optimize=True)


def data_uri(image: bytes, kind: str = "svg") -> str:
    """Return an image as a ``data:`` URI, so that the page needs no other file."""
    mime = "image/svg+xml" if kind == "svg" else "image/png"
    return f"data:{mime};base64,{base64.b64encode(image).decode('ascii')}"


def energy_label(energy: float) -> str:
    """Return an incident energy with its unit, thousands separated: ``65,536 MeV``."""
    return f"{energy:,.0f} MeV" if energy >= 10 else f"{energy:.3g} MeV"


def significant(value: float) -> str:
    """Return a number for a table, three significant digits."""
    if value == int(value):
        return f"{value:.0f}"
    return f"{value:.3f}" if 0.1 <= abs(value) < 10 else f"{value:.3g}"


def with_error(value: float, error: float) -> str:
    """Return a value with its error, which has two significant digits: ``0.698 ± 0.043``."""
    if not error:
        return significant(value)
    decimals = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:.{decimals}f} ± {error:.{decimals}f}"
