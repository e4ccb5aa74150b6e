"""Files that are damaged, foreign or of another time are refused with a reason, by both engines."""

import json

import numpy as np
import pytest

from fastcaloq_infer import _core
from fastcaloq_infer.artefact.file import seal
from fastcaloq_infer.errors import ModelError
from fastcaloq_infer.sampling import Sampler

CARD = "fastcaloq.card"


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    from models import write_random_model

    path = tmp_path_factory.mktemp("small") / "model.onnx"
    options = {"n_blocks": 2, "hidden": (8,), "quantum": {"n_qubits": 2}, "n_layers": 3}
    return write_random_model(path, 3, conditioning="embedded", **options).path.read_bytes()


def refused(content, match=None):
    with pytest.raises(ModelError, match=match) as caught:
        _core.Model.from_bytes(bytes(content), "bad.onnx")
    text = str(caught.value)
    assert text.startswith("bad.onnx: ")
    assert "\n" not in text
    return text


def resealed(content, change_card=None, change_model=None):
    """The file with something changed and an honest digest."""
    import onnx

    proto = onnx.load_from_string(content)
    entries = {entry.key: entry for entry in proto.metadata_props}
    if change_card:
        card = json.loads(entries[CARD].value)
        change_card(card)
        entries[CARD].value = json.dumps(card)
    if change_model:
        change_model(proto)
    return seal(proto.SerializeToString())[0]


def test_resealing_alone_is_accepted(content):
    _core.Model.from_bytes(resealed(content))


def test_truncated_at_any_length(content):
    lengths = {*range(200), *np.linspace(0, len(content) - 1, 400, dtype=int).tolist()}
    lengths |= set(range(len(content) - 200, len(content)))
    for length in sorted(lengths):
        refused(content[:length])


def test_a_flipped_bit_in_any_region(content):
    # Every byte of head and tail (the digest), every 29th between (graph, weights, card).
    places = {*range(300), *range(0, len(content), 29), *range(len(content) - 300, len(content))}
    for place in sorted(places):
        bad = bytearray(content)
        bad[place] ^= 1 << (place % 8)
        refused(bad)


def test_bytes_in_front_and_behind(content):
    refused(b"\n" + content)
    refused(content + b"\x00")
    refused(content + content)


@pytest.mark.parametrize(
    "bad", [b"", b"\x00" * 1000, b"text, not a model\n" * 50, b"\x89HDF\r\n\x1a\n" + b"\x00" * 99]
)
def test_what_is_no_onnx_at_all(bad):
    refused(bad)


def test_onnx_of_another_model():
    from onnx import TensorProto, helper

    info = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 1])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 1])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "other", [info], [out])
    refused(helper.make_model(graph).SerializeToString(), "not a model of this project")


def test_newer_schema_says_to_update(content):
    def change(card):
        card["schema"] = 2
        card["something_new"] = {}

    refused(resealed(content, change), "schema 2.*update fastcaloq-infer")


@pytest.mark.parametrize("section", ["", "flow", "preprocessing", "conditioning", "training"])
def test_unknown_keys_are_named(content, section):
    def change(card):
        (card[section] if section else card)["unknown_key"] = 1

    refused(resealed(content, change), "'unknown_key'")


def test_weights_that_were_changed_fail_the_parity_vectors(content):
    def change(proto):
        for tensor in proto.graph.initializer:
            if tensor.name == "energy.block0.actnorm.shift":
                values = np.frombuffer(tensor.raw_data, dtype=np.float32) + np.float32(0.01)
                tensor.raw_data = values.tobytes()

    refused(resealed(content, change_model=change), "parity vector")


def test_external_weights_are_refused(content):
    def change(proto):
        from onnx import TensorProto

        proto.graph.initializer[0].data_location = TensorProto.EXTERNAL

    refused(resealed(content, change_model=change), "outside the file")


@pytest.mark.parametrize("engine", ["native", "onnxruntime"])
def test_samplers_name_the_path(content, tmp_path, engine):
    path = tmp_path / "damagéd.onnx"
    path.write_bytes(content[:-1])
    with pytest.raises(ModelError) as caught:
        Sampler(path, engine=engine)
    assert str(caught.value).startswith(f"{path}: ")
    path.write_bytes(b"")
    with pytest.raises(ModelError):
        Sampler(path, engine=engine)


def test_a_name_that_is_not_utf8_does_no_harm(tmp_path):
    import os
    from pathlib import Path

    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.onnx"))
    try:
        path.write_bytes(b"x")
    except OSError:  # a file system that knows UTF-8 only
        return
    with pytest.raises(ModelError, match="onnx"):
        Sampler(path)


def test_a_default_model_loads_within_20_ms(tmp_path):
    from time import perf_counter

    from models import write_random_model

    path = write_random_model(tmp_path / "model.onnx", n_blocks=8, hidden=(64, 64)).path
    seconds = []
    for _ in range(20):
        start = perf_counter()
        _core.Model(path)
        seconds.append(perf_counter() - start)
    assert min(seconds) <= 0.020  # the least: the machine may be busy with other things
