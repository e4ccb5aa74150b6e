"""The CaloChallenge's ``binning.xml`` dialect, and the binnings built in as such files.

::

    <Bins>
      <Bin pid="22" etaMin="0" etaMax="130" name="photon">
        <Layer id="0" r_edges="0,5,10" n_bin_alpha="1"/>
        <Layer id="1" r_edges="0" n_bin_alpha="1"/>       (no voxels)
      </Bin>
    </Bins>

``r_edges`` are in mm; ``etaMin`` and ``etaMax`` are |eta| in hundredths and may be left out.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree

from fastcaloq_infer.data.voxelisation import Binning, LayerBinning
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.files import atomic_path

BINNINGS = ("dataset-1-photons", "dataset-1-pions", "dataset-2", "dataset-3")
"""Names of the binnings built in (CaloChallenge data sets, arXiv:2410.21611, section 2)."""


@cache
def _built_in(name: str) -> Binning:
    text = files("fastcaloq_infer.data").joinpath("binnings", f"{name}.xml").read_text("utf-8")
    return parse_binning(text, name=name)


def binning(which: Binning | str | Path, *, particle: str | None = None) -> Binning:
    """Return a binning by its name, or read it from an XML file.

    Parameters
    ----------
    which
        A name of `BINNINGS`, the path of an XML file, or a `Binning` (returned as it is).
    particle
        Chooses among the particles of an XML file that describes several.

    Raises
    ------
    InputError
        Neither a known name nor a readable file.
    """
    if isinstance(which, Binning):
        return which
    if isinstance(which, str) and which in BINNINGS:
        return _built_in(which)
    if not Path(which).is_file():
        raise InputError(
            f"no binning {str(which)!r}: give one of {', '.join(BINNINGS)}, or the path of an XML "
            "file"
        )
    return read_binning(which, particle=particle)


def read_binning(path: Path | str, *, particle: str | None = None) -> Binning:
    """Read a binning from an XML file; its name is the file's name without the suffix.

    Raises
    ------
    InputError
        The file cannot be read, is not in the dialect, or describes several particles and none
        (or an unknown one) was chosen.
    """
    path = Path(path)
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the binning {path}: {error}; check the path") from error
    try:
        return parse_binning(text, name=path.stem, particle=particle)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def parse_binning(text: str, *, name: str, particle: str | None = None) -> Binning:
    """Parse the XML dialect; see `read_binning`."""
    try:
        # expat (2.4.1 and later) bounds entity expansion itself; external entities are not loaded.
        root = ElementTree.fromstring(text)  # noqa: S314
    except ElementTree.ParseError as error:
        raise InputError(f"not well-formed XML ({error}); expected <Bins><Bin ...>") from error
    if root.tag != "Bins":
        raise InputError(f"the outermost element is <{root.tag}>, expected <Bins>")
    bins = root.findall("Bin")
    known = [element.get("name", "?") for element in bins]
    if particle is not None:
        bins = [element for element in bins if element.get("name") == particle]
    if len(bins) != 1:
        raise InputError(
            f"describes the particles {known}, exactly one is needed; name one of them"
            if known
            else "has no <Bin> element, so no particle is described"
        )
    return _parse_bin(bins[0], name)


def _parse_bin(element: ElementTree.Element, name: str) -> Binning:
    layers = []
    for layer in element.findall("Layer"):
        number = _integer(layer, "id")
        edges = _edges(layer, number)
        if len(edges) > 1:
            layers.append(LayerBinning(number, edges, _integer(layer, "n_bin_alpha")))
    eta_range = None
    if element.get("etaMin") is not None or element.get("etaMax") is not None:
        eta_range = (_integer(element, "etaMin") / 100, _integer(element, "etaMax") / 100)
    return Binning(
        name=name,
        particle=_attribute(element, "name"),
        pdg_id=_integer(element, "pid"),
        layers=tuple(layers),
        eta_range=eta_range,
    )


def _attribute(element: ElementTree.Element, key: str) -> str:
    value = element.get(key)
    if value is None:
        raise InputError(f"<{element.tag}> {element.attrib} lacks the attribute {key!r}")
    return value


def _integer(element: ElementTree.Element, key: str) -> int:
    value = _attribute(element, key)
    try:
        return int(value)
    except ValueError as error:
        raise InputError(f"<{element.tag}> has {key}={value!r}, expected an integer") from error


def _edges(layer: ElementTree.Element, number: int) -> tuple[float, ...]:
    value = _attribute(layer, "r_edges")
    try:
        return tuple(float(edge) for edge in value.split(","))
    except ValueError as error:
        raise InputError(
            f"layer {number} has r_edges={value!r}, expected numbers in mm separated by commas"
        ) from error


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def format_binning(which: Binning) -> str:
    """Return the binning as XML text; layers without voxels fill the gaps in the numbering.

    Other readers of the dialect number layers by position, hence the fill.
    """
    root = ElementTree.Element("Bins")
    bin_ = ElementTree.SubElement(root, "Bin", pid=str(which.pdg_id))
    if which.eta_range is not None:
        bin_.set("etaMin", str(round(which.eta_range[0] * 100)))
        bin_.set("etaMax", str(round(which.eta_range[1] * 100)))
    bin_.set("name", which.particle)
    by_id = {layer.id: layer for layer in which.layers}
    for number in range(which.layers[-1].id + 1):
        layer = by_id.get(number)
        edges = (0.0,) if layer is None else layer.r_edges
        ElementTree.SubElement(
            bin_,
            "Layer",
            id=str(number),
            r_edges=",".join(_number(edge) for edge in edges),
            n_bin_alpha=str(1 if layer is None else layer.n_alpha),
        )
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def write_binning(path: Path | str, which: Binning) -> None:
    """Write a binning to an XML file, atomically.

    The dialect stores |eta| in hundredths; a finer range is rounded. The name is not stored.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(format_binning(which), "utf-8")
