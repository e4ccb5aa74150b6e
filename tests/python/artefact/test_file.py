"""A model file knows when it is damaged, foreign or tampered with."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models import write_random_model

from fastcaloq_infer.artefact import ModelFile, digest, read_card, read_model, write_model
from fastcaloq_infer.artefact.file import seal
from fastcaloq_infer.artefact.wire import fields, metadata
from fastcaloq_infer.errors import ModelError, OutputError


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ModelFile:
    path = tmp_path_factory.mktemp("file") / "model.onnx"
    write_random_model(path, 5, hidden=(8,), n_blocks=2)
    return read_model(path)


def test_digest_covers_the_file(model: ModelFile) -> None:
    content = model.path.read_bytes()
    assert content.count(model.digest.encode()) == 1
    blank = content.replace(model.digest.encode(), b"0" * 64)
    assert hashlib.sha256(blank).hexdigest() == model.digest == digest(model.path)


def test_onnx_sees_the_same_card(model: ModelFile) -> None:
    properties = {p.key: p.value for p in onnx.load(model.path).metadata_props}
    assert sorted(properties) == ["fastcaloq.card", "fastcaloq.sha256"]
    assert properties["fastcaloq.card"] == model.card.to_json()
    assert read_card(model.path) == model.card


def test_flipped_bits_are_found(model: ModelFile, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    size = len(model.content)
    # All of the ends, where header and metadata lie, and a prime stride through the rest.
    places = sorted({*range(64), *range(size - 128, size), *range(64, size, 311)})
    for place in places:
        damaged = bytearray(model.content)
        damaged[place] ^= 1 << (place % 8)
        path.write_bytes(damaged)
        with pytest.raises(ModelError):
            read_model(path)


def test_truncation_is_found(model: ModelFile, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    size = len(model.content)
    for length in [*range(20), *range(20, size, 997), size - 1]:
        path.write_bytes(model.content[:length])
        with pytest.raises(ModelError):
            read_model(path)
    path.write_bytes(model.content + b"\0")
    with pytest.raises(ModelError):
        read_model(path)


def test_foreign_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    for content, text in (
        (b"", "no FastCaloQ model"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "no ONNX file"),
        (b"just text", "no ONNX file"),
    ):
        path.write_bytes(content)
        with pytest.raises(ModelError, match=text):
            read_model(path)
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    values = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in "xy"
    ]
    graph = onnx.helper.make_graph([node], "g", values[:1], values[1:])
    onnx.save(onnx.helper.make_model(graph), path)
    with pytest.raises(ModelError, match="no FastCaloQ model"):
        read_model(path)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No such file"):
        read_model(tmp_path / "none.onnx")
    with pytest.raises(ModelError, match="cannot read"):
        read_model(tmp_path)


def test_tampered_card_is_refused(model: ModelFile, tmp_path: Path) -> None:
    """A card changed by somebody who knows how to seal a file is still checked."""
    proto = onnx.load_from_string(model.content)
    content = json.loads(proto.metadata_props[0].value)
    content["calibrated"] = True
    proto.metadata_props[0].value = json.dumps(content)
    sealed, _ = seal(proto.SerializeToString())
    path = tmp_path / "model.onnx"
    path.write_bytes(sealed)
    with pytest.raises(ModelError, match="calibrated: unknown key"):
        read_model(path)


@pytest.mark.parametrize("key", ["fastcaloq.card", "fastcaloq.sha256"])
def test_metadata_twice_or_missing(model: ModelFile, tmp_path: Path, key: str) -> None:
    path = tmp_path / "model.onnx"
    proto = onnx.load_from_string(model.content)
    proto.metadata_props.add(key=key, value="0" * 64)
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(ModelError, match="twice"):
        read_model(path)
    kept = [p for p in onnx.load_from_string(model.content).metadata_props if p.key != key]
    del proto.metadata_props[:]
    proto.metadata_props.extend(kept)
    content = proto.SerializeToString()
    path.write_bytes(seal(content)[0] if key == "fastcaloq.card" else content)
    with pytest.raises(ModelError, match=key):
        read_model(path)


def test_cannot_write(model: ModelFile, tmp_path: Path) -> None:
    proto = onnx.load_from_string(model.content)
    with pytest.raises(OutputError):
        write_model(proto, model.card, tmp_path / "no" / "folder.onnx")
    assert list(tmp_path.iterdir()) == []


def test_write_then_read(model: ModelFile, tmp_path: Path) -> None:
    path = tmp_path / "again.onnx"
    assert write_model(onnx.load_from_string(model.content), model.card, path) == model.digest
    assert path.read_bytes() == model.content


def test_reading_needs_no_onnx(model: ModelFile) -> None:
    code = (
        "import sys; from fastcaloq_infer.artefact import read_card;"
        f"read_card({str(model.path)!r});"
        "print(sorted({'onnx', 'torch', 'pennylane', 'onnxruntime'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    try:
        for field in fields(data, 0, len(data)):
            assert 0 <= field.start <= field.stop <= len(data)
        metadata(data)
    except ValueError:
        pass
