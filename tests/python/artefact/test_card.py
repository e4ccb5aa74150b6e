"""The card survives a round trip and refuses everything it should."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pydantic
import pytest
from models import write_random_model

from fastcaloq_infer.artefact import Card
from fastcaloq_infer.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Card:
    path: Path = tmp_path_factory.mktemp("card") / "model.onnx"
    return write_random_model(path, 3, n_absolute=1, hidden=(8,), n_blocks=2).card


def test_round_trip(card: Card) -> None:
    text = card.to_json()
    again = Card.from_json(text)
    assert again == card
    assert again.to_json() == text
    assert json.dumps(json.loads(text), sort_keys=True, separators=(",", ":")) == text


def test_cards_from_before_there_were_versions_are_read(card: Card) -> None:
    content = json.loads(card.to_json())
    del content["conditioning"]["version"]
    old = Card.from_json(json.dumps(content))
    assert old.conditioning.version is None
    assert json.loads(old.to_json()) == content


@pytest.mark.parametrize("kind", ["multilinear", "fourier"])
@pytest.mark.parametrize("mode", ["precomputed", "served"])
def test_kinds_that_need_no_circuit(card: Card, kind: str, mode: str) -> None:
    content = json.loads(card.to_json())
    content["conditioning"].update(kind=kind, mode=mode, circuit=None)
    if mode == "served":
        content["parity"]["quantum"] = [[0.0] * 4] * 16
    assert Card.from_json(json.dumps(content)).conditioning.kind == kind


def test_numbers_survive_exactly(card: Card) -> None:
    again = Card.from_json(card.to_json().encode())
    assert again.parity.layer_energy == card.parity.layer_energy
    assert again.preprocessing.coordinates == card.preprocessing.coordinates


def test_is_immutable(card: Card) -> None:
    with pytest.raises(pydantic.ValidationError):
        card.name = "other"  # type: ignore[misc]


def _set(*path: Any) -> Callable[[Any], None]:
    *keys, value = path

    def change(content: Any) -> None:
        for key in keys[:-1]:
            content = content[key]
        content[keys[-1]] = value

    return change


def _bound(coordinate: int) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        content["preprocessing"]["coordinates"][coordinate].update(upper=9.0, ceiling=None)

    return change


def _drop(*path: Any) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        for key in path[:-1]:
            content = content[key]
        del content[path[-1]]

    return change


def _serve(**changes: Any) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        content["conditioning"].update(mode="served", **changes)

    return change


def _embed(kind: str) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        content["conditioning"].update(kind=kind, mode="embedded", circuit=None, table=None)

    return change


BAD: list[tuple[str, Callable[[Any], None], str]] = [
    ("newer schema", _set("schema", 2), "upgrade fastcaloq-infer"),
    ("no schema", _drop("schema"), "names no schema version"),
    ("schema is text", _set("schema", "1"), "names no schema version"),
    ("schema is true", _set("schema", True), "names no schema version"),
    ("unknown key", _set("calibration", {}), "calibration: unknown key"),
    ("unknown nested key", _set("flow", "dropout", 0.1), "flow.dropout: unknown key"),
    ("missing key", _drop("condition"), "condition: Field required"),
    ("two problems", lambda c: (_drop("condition")(c), _drop("flow")(c)), "(and 1 more)"),
    ("name is a path", _set("name", "../photon"), "name:"),
    ("unit", _set("units", "energy", "GeV"), "units.energy"),
    ("contents", _set("contents", ["voxel_energy"]), "contents"),
    ("number as text", _set("pdg_id", "22"), "pdg_id"),
    ("validity turned", _set("validity", "incident_energy", [9.0, 1.0]), "must ascend"),
    ("negative energy", _set("validity", "incident_energy", [-1.0, 1.0]), "greater than 0"),
    ("narrow extrapolation", _set("extrapolation", "eta", [0.9, 0.9]), "extrapolation"),
    ("half width 0", _set("condition", "eta_half_width", 0.0), "greater than 0"),
    ("layer twice", _set("binning", "layers", 0, "id", 1), "not unique"),
    ("one edge", _set("binning", "layers", 0, "r_edges", [0.0]), "r_edges"),
    ("edges descend", _set("binning", "layers", 0, "r_edges", [0.0, 9.0, 8.0]), "ascending"),
    ("layer lost", _drop("binning", "layers", 0), "coordinates for 4 layers"),
    ("order", _set("preprocessing", "layer_order", [0, 0, 1, 2, 3]), "no permutation"),
    ("knots", _set("preprocessing", "knots", [6.0] * 9), "knots must ascend"),
    ("scale 0", _set("preprocessing", "coordinates", 0, "scale", 0, 0.0), "greater than 0"),
    ("too few means", _set("preprocessing", "coordinates", 0, "mean", [0.0]), "1 means"),
    ("all alone", _set("preprocessing", "n_absolute", 5), "leaves none"),
    ("bound", _bound(0), "no upper bound"),
    ("bound alone", _bound(1), "no upper bound"),
    ("ceiling", _set("preprocessing", "coordinates", 0, "upper", 9.0), "or a ceiling"),
    ("block split", _set("flow", "blocks", 0, "active", 2), "splits 5 layers into 2 + 2"),
    ("block kind", _set("flow", "blocks", 0, "kind", "cubic"), "flow.blocks.0"),
    ("no room", _set("flow", "blocks", 0, "min_bin_width", 0.2), "no room"),
    ("activation", _set("flow", "activation", "gelu"), "flow.activation"),
    ("no circuit", _set("conditioning", "circuit", None), "needs a circuit"),
    ("no table", _set("conditioning", "table", None), "needs a table"),
    ("mode", _set("conditioning", "mode", "embedded"), "cannot have a table"),
    ("hidden", _set("conditioning", "hidden", [3]), "cannot have hidden widths"),
    ("kind", _set("conditioning", "kind", "none"), "cannot have"),
    ("eta nodes without range", _set("conditioning", "table", "n_eta", 5), "n_eta"),
    ("two eta nodes", _set("conditioning", "table", "n_eta", 2), "n_eta"),
    ("version", _set("conditioning", "version", "0123"), "conditioning.version"),
    ("served unnamed", _serve(version=None), "needs a version"),
    ("served without features", _serve(), "parity.quantum"),
    ("features of nobody", _set("parity", "quantum", [[0.0] * 4] * 16), "parity.quantum"),
    ("feature columns", _set("parity", "quantum", [[0.0] * 3] * 16), "parity.quantum needs 4"),
    ("feature rows", _set("parity", "quantum", [[0.0] * 4]), "different numbers of rows"),
    ("not embeddable", _embed("fourier"), "cannot be embedded"),
    ("digest", _set("training", "data", 0, "sha256", "abc"), "sha256"),
    ("parity rows", _drop("parity", "eta", 0), "different numbers of rows"),
    ("parity columns", _drop("parity", "z_energy", 0, 0), "parity.z_energy needs 5"),
    ("negative parity", _set("parity", "layer_energy", 0, 0, -1.0), "parity.layer_energy"),
]


@pytest.mark.parametrize(("change", "text"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_refuses(card: Card, change: Callable[[Any], None], text: str) -> None:
    content = copy.deepcopy(json.loads(card.to_json()))
    change(content)
    with pytest.raises(ModelError) as caught:
        Card.from_json(json.dumps(content))
    message = str(caught.value)
    assert text in message
    assert "\n" not in message


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_refuses_what_is_no_number(card: Card, value: str) -> None:
    content = json.loads(card.to_json())
    content["condition"]["log_energy_center"] = 123.456
    with pytest.raises(ModelError, match="log_energy_center"):
        Card.from_json(json.dumps(content).replace("123.456", value))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, b"\xff\xfe"])
def test_refuses_what_is_no_card(text: str | bytes) -> None:
    with pytest.raises(ModelError):
        Card.from_json(text)
