"""model.safetensors and checkpoint.pt: nothing is lost, and nothing damaged or foreign is taken."""

import json
import random
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from fastcaloq_infer import shipped
from fastcaloq_infer.errors import ModelError
from fastcaloq_infer.training import TrainConfig, load_flow, save_model, train
from fastcaloq_infer.training.metadata import ModelMetadata
from fastcaloq_infer.training.weights import read_weights, write_weights


@pytest.fixture(scope="module")
def folder(tmp_path_factory, shower_file):
    config = TrainConfig.from_dict(
        {
            "name": "small",
            "particle": "photon",
            "data": {"train": str(shower_file)},
            "flow": {"n_blocks": 2, "hidden": [8], "bins": 4},
            "quantum": {"n_qubits": 3, "n_layers": 1},
            "batch_size": 512,
            "epochs": 1,
        }
    )
    return train(config, tmp_path_factory.mktemp("run")).folder


@pytest.fixture
def model(folder, tmp_path):
    return shutil.copy(folder / "model.safetensors", tmp_path / "model.safetensors")


def density(flow):
    incident = torch.tensor([300.0, 5000.0, 60000.0], dtype=torch.float64)
    parts = torch.tensor([0.05, 0.3, 0.6, 0.04, 0.01], dtype=torch.float64)
    eta = torch.full_like(incident, 0.2)
    noise = torch.Generator().manual_seed(1)
    return flow.log_prob(incident[:, None] * parts, incident, eta, noise)


def test_all_the_ways_to_name_a_run_give_the_same_flow(folder, tmp_path, monkeypatch):
    flow, metadata = load_flow(folder)
    expected = density(flow)
    assert expected.dtype == torch.float64
    assert not flow.training
    monkeypatch.setattr(shipped, "model_folders", lambda: [tmp_path])
    shutil.copytree(folder, tmp_path / "photon")
    for source in (folder / "model.safetensors", folder / "checkpoint.pt", str(folder), "photon"):
        other, described = load_flow(source)
        assert torch.equal(density(other), expected)
        assert described.validity == metadata.validity
        assert described.preprocessing == metadata.preprocessing


def test_a_run_without_model_is_loaded_from_its_checkpoint(folder, tmp_path):
    shutil.copy(folder / "checkpoint.pt", tmp_path)
    flow, metadata = load_flow(tmp_path)
    assert torch.equal(density(flow), density(load_flow(folder)[0]))
    assert metadata.training is None


def test_metadata_say_where_the_model_comes_from(folder, shower_file):
    metadata = load_flow(folder)[1]
    history = json.loads((folder / "history.json").read_text())["records"]
    assert metadata.training.validation_nll == min(r["validation_nll"] for r in history)
    assert metadata.training.data[0].name == shower_file.name
    assert metadata.training.data[0].showers == 4000
    assert (metadata.particle, metadata.pdg_id) == ("photon", 22)
    assert [layer.id for layer in metadata.binning.layers] == [0, 1, 2, 3, 12]
    assert metadata.validity.incident_energy == (256.0, 65536.0)


def test_metadata_survive_json_to_the_last_bit(folder):
    metadata = load_flow(folder)[1]
    assert ModelMetadata.from_json(metadata.to_json(), "x") == metadata


def test_saving_twice_gives_the_same_bytes_and_a_round_trip_the_same_flow(folder, tmp_path):
    flow, metadata = load_flow(folder)
    for name in ("a", "b"):
        save_model(tmp_path / f"{name}.safetensors", flow, metadata)
    first = (tmp_path / "a.safetensors").read_bytes()
    assert first == (tmp_path / "b.safetensors").read_bytes()
    assert first == (folder / "model.safetensors").read_bytes()
    assert torch.equal(density(load_flow(tmp_path / "a.safetensors")[0]), density(flow))


def test_metadata_of_another_flow_are_refused(folder, tmp_path):
    flow, metadata = load_flow(folder)
    with torch.no_grad():
        flow.preprocessing.mean += 0.1
    with pytest.raises(ModelError, match="not the one of the metadata"):
        save_model(tmp_path / "a.safetensors", flow, metadata)


def refusal(source):
    with pytest.raises(ModelError) as caught:
        load_flow(source)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_flipped_bit_is_found(model):
    content = bytearray(model.read_bytes())
    draw = random.Random(1)
    header = 8 + int.from_bytes(content[:8], "little")
    places = [*range(10), *draw.sample(range(8, header), 60)]
    places += draw.sample(range(header, len(content)), 60)
    for place in places:
        bit = 1 << draw.randrange(8)
        content[place] ^= bit
        model.write_bytes(content)
        refusal(model)
        content[place] ^= bit


@pytest.mark.parametrize("name", ["model.safetensors", "checkpoint.pt"])
def test_every_truncation_is_found(folder, tmp_path, name):
    content = (folder / name).read_bytes()
    path = tmp_path / name
    for part in (0.0, 1e-4, 0.01, 0.3, 0.7, 0.99):
        path.write_bytes(content[: int(part * len(content))])
        assert "damaged" in refusal(path)
    path.write_bytes(content[:-1])
    assert "damaged" in refusal(path)


def test_a_flipped_bit_in_a_checkpoint_is_found_or_harmless(folder, tmp_path):
    """The zip around it has checksums for its content, but not for the padding between."""
    content = bytearray((folder / "checkpoint.pt").read_bytes())
    expected = density(load_flow(folder)[0])
    path = tmp_path / "checkpoint.pt"
    draw = random.Random(2)
    found = 0
    for place in draw.sample(range(len(content)), 80):
        content[place] ^= 16
        path.write_bytes(content)
        try:
            flow, _ = load_flow(path)
        except ModelError:
            found += 1
        else:
            assert torch.equal(density(flow), expected)
        content[place] ^= 16
    assert found > 10


def test_foreign_files_are_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    save_file({"weight": torch.zeros(3)}, path)
    assert "not one of fastcaloq-infer" in refusal(path)
    path.write_text("not a model")
    assert "damaged or no safetensors file" in refusal(path)
    foreign = tmp_path / "a.pt"
    torch.save({"state_dict": {}}, foreign)
    assert "not a training state" in refusal(foreign)
    torch.save([1, 2], foreign)
    assert "not a training state" in refusal(foreign)


class Trap:
    """Would run on unpickling."""

    def __reduce__(self):
        return (open, ("trapped", "w"))


def test_nothing_in_a_checkpoint_is_executed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"format": Trap()}, "a.pt")
    assert "damaged or not a checkpoint" in refusal("a.pt")
    assert not (tmp_path / "trapped").exists()


def test_things_that_are_not_there_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "model_folders", lambda: [tmp_path])
    assert "no model is shipped" in refusal("proton")
    assert "neither model.safetensors nor checkpoint.pt" in refusal(tmp_path)
    (tmp_path / "a.onnx").write_bytes(b"")
    assert "is not a checkpoint" in refusal(tmp_path / "a.onnx")


@pytest.mark.parametrize(
    "change",
    [
        lambda weights: weights.pop(next(iter(weights))),
        lambda weights: weights.update(extra=torch.zeros(2)),
        lambda weights: weights.update({next(iter(weights)): torch.zeros(77)}),
    ],
    ids=["missing", "extra", "shape"],
)
def test_weights_that_do_not_fit_are_refused(model, change):
    weights, metadata = read_weights(model, ModelMetadata)
    change(weights)
    write_weights(model, weights, metadata)
    assert "do not fit the architecture" in refusal(model)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": 2}, "schema"),
        ({"colour": "red"}, "colour"),
        ({"flow": {"n_blocks": "many"}}, "flow.n_blocks"),
        ({"quantum": {"kind": "other"}}, "quantum"),
        ({"validity": {"incident_energy": [5.0, 1.0], "eta": [0.2, 0.2]}}, "validity"),
    ],
)
def test_metadata_of_another_version_are_refused(model, change, words):
    weights, metadata = read_weights(model, ModelMetadata)
    content = json.loads(metadata.to_json()) | change

    class Forged:
        @staticmethod
        def to_json():
            return json.dumps(content)

    write_weights(model, weights, Forged)
    message = refusal(model)
    assert words in message
    assert "another version" in message


def test_constants_are_exact(folder):
    flow, metadata = load_flow(folder)
    means = np.array([row.mean for row in metadata.preprocessing.coordinates])
    assert np.array_equal(flow.preprocessing.mean.numpy(), means)


def test_a_folder_named_as_a_shipped_model_does_not_hide_it(tmp_path, monkeypatch):
    (tmp_path / "photon_energy").mkdir()  # a report, say
    monkeypatch.chdir(tmp_path)
    _, metadata = load_flow("photon_energy")
    assert metadata.name == "photon_energy"
    with pytest.raises(ModelError, match="has neither"):
        load_flow(tmp_path / "photon_energy")
