"""The part of the card about voxels, and what energies and voxels have in common."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import TYPE_CHECKING, Any

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
    shape = {"units": 2, "context": 3, "head": 5, "bins": 4}
    return write_random_model(path, 3, whole=True, shape=shape).card


def test_round_trip(card: Card) -> None:
    text = card.to_json()
    again = Card.from_json(text)
    assert again == card
    assert again.to_json() == text
    assert again.n_voxels == 22
    assert "quantum" not in json.loads(text)["shape"]["parity"]


def test_a_card_of_energies_has_no_trace_of_a_shape(card: Card) -> None:
    content = json.loads(card.to_json())
    del content["shape"]
    content["contents"] = ["layer_energy"]
    energies = Card.from_json(json.dumps(content))
    assert energies.n_voxels == 0
    assert energies.feature_version == energies.conditioning.version
    assert json.loads(energies.to_json()) == content


def test_one_version_names_all_conditioners(card: Card) -> None:
    assert card.shape is not None
    energy, shape = card.conditioning.version, card.shape.conditioning.version

    def version(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    assert card.feature_version == version(f"{energy} {shape}")
    content = json.loads(card.to_json())
    content["conditioning"].update(
        kind="none", mode="none", features=0, circuit=None, table=None, version=None
    )
    assert Card.from_json(json.dumps(content)).feature_version == version(f"none {shape}")
    content = json.loads(card.to_json())
    content["shape"]["conditioning"].update(
        kind="none", mode="none", features=0, circuit=None, table=None, version=None
    )
    bare = Card.from_json(json.dumps(content))
    assert bare.feature_version == energy
    assert (bare.n_features, card.n_features) == (4, 7)


def _set(*path: Any) -> Callable[[Any], None]:
    *keys, value = path

    def change(content: Any) -> None:
        for key in keys[:-1]:
            content = content[key]
        content[keys[-1]] = value

    return change


def _drop(*path: Any) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        for key in path[:-1]:
            content = content[key]
        del content[path[-1]]

    return change


def _one_voxel(content: Any) -> None:
    for layer in content["binning"]["layers"]:
        layer.update(r_edges=[0.0, 1.0], n_alpha=1)


BAD: list[tuple[str, Callable[[Any], None], str]] = [
    ("no contents", _set("contents", ["layer_energy"]), "exactly where there is a shape"),
    ("no shape", _drop("shape"), "exactly where there is a shape"),
    ("order of contents", _set("contents", ["voxel_energy", "layer_energy"]), "contents"),
    ("unknown key", _set("shape", "symmetry", "none"), "shape.symmetry: unknown key"),
    ("kind", _set("shape", "kind", "coupling"), "shape.kind"),
    ("stride", _set("shape", "stride", 1), "shape.stride"),
    ("units", _set("shape", "units", 0), "shape.units"),
    ("no room", _set("shape", "min_bin_width", 0.25), "leave no room"),
    ("energy scale", _set("shape", "energy_scale", 0.0), "shape.energy_scale"),
    ("z_shape", _drop("shape", "parity", "z_shape", 0, 0), "shape.parity.z_shape needs 22"),
    ("voxels", _drop("shape", "parity", "voxel_energy", 0, 0), "shape.parity.voxel_energy needs"),
    ("z_energy", _drop("shape", "parity", "z_energy", 0, 0), "shape.parity.z_energy needs 4"),
    ("rows", _drop("shape", "parity", "eta", 0), "different numbers of rows"),
    ("negative voxel", _set("shape", "parity", "voxel_energy", 0, 0, -1.0), "voxel_energy"),
    ("features", _set("shape", "parity", "quantum", [[0.0] * 7] * 4), "shape.parity.quantum"),
    ("no table", _set("shape", "conditioning", "table", None), "needs a table"),
    ("nothing to draw", _one_voxel, "no layer has two voxels"),
]


@pytest.mark.parametrize(("change", "text"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_refuses(card: Card, change: Callable[[Any], None], text: str) -> None:
    content = copy.deepcopy(json.loads(card.to_json()))
    change(content)
    with pytest.raises(ModelError) as caught:
        Card.from_json(json.dumps(content))
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_both_are_conditioned_in_one_mode(card: Card) -> None:
    content = json.loads(card.to_json())
    content["shape"]["conditioning"].update(mode="embedded", table=None)
    with pytest.raises(ModelError, match="in two modes"):
        Card.from_json(json.dumps(content))
