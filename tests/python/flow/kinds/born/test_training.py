"""Kind ``born`` in a training: it learns, continues bit for bit, and is refused by the export."""

import pytest
import torch
import yaml

from fastcaloq_infer import data
from fastcaloq_infer.errors import ConfigError, FastCaloQError
from fastcaloq_infer.export import export_onnx
from fastcaloq_infer.study.flow_learner import FittedFlow
from fastcaloq_infer.training import TrainConfig, load_flow, train
from fastcaloq_infer.training.build import describe, initial_flow
from fastcaloq_infer.training.data import read_training_set
from fastcaloq_infer.training.trainer import Trainer


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> TrainConfig:
    """The shipped configuration in the small: 4,000 showers, 10 qubits, 3 layers."""
    path = tmp_path_factory.mktemp("born") / "few.hdf5"
    energies = data.read_layer_energies(data.packaged_sample("train"))
    with data.write_layer_energies(path, data.binning("dataset-1-photons"), eta=0.225) as writer:
        writer.append(energies.incident_energy[:4000], energies.layer_energy[:4000])
    return TrainConfig.load(
        "born",
        [
            f"data.train={path}",
            "data.validation_fraction=0.2",
            "quantum.bits=2",
            "quantum.n_layers=3",
            "batch_size=1000",
            "steps=24",
            "evaluate_every=1",
        ],
    )


@pytest.fixture(scope="module")
def run(config, tmp_path_factory):
    return train(config, tmp_path_factory.mktemp("run") / "born")


def test_the_likelihood_improves(run) -> None:
    looks = [record.validation_nll for record in run.history.records]
    assert looks[-1] < looks[0] - 0.3


def test_a_checkpoint_holds_the_bins(run) -> None:
    flow, metadata = load_flow(run.folder / "model.safetensors")
    assert metadata.quantum.kind == "born"
    assert yaml.safe_load((run.folder / "config.yaml").read_text())["quantum"]["kind"] == "born"
    energies = data.read_layer_energies(data.packaged_sample("heldout"))
    rows = [energies.layer_energy[:500], energies.incident_energy[:500], energies.eta[:500]]
    fitted, loaded = FittedFlow(run.flow), FittedFlow(flow)
    assert (fitted.log_prob(*rows) == loaded.log_prob(*rows)).all()
    assert (fitted.n_parameters, fitted.n_conditioner) == (3 * 30 + 20, 0)
    assert flow.bins.width.min() > 0


def test_a_training_continues_bit_for_bit(config, equal_bits) -> None:
    showers = read_training_set(config)
    metadata = describe(config, showers)

    def trainer() -> Trainer:
        return Trainer(
            config, initial_flow(config, metadata, showers), showers.train, showers.validation
        )

    whole, first, second = trainer(), trainer(), trainer()
    for _ in range(7):
        whole.take_step()
    for _ in range(4):
        first.take_step()
    second.load_state_dict(first.state_dict())
    for _ in range(3):
        second.take_step()
    for part in ("model", "ema"):
        assert equal_bits(whole.state_dict()[part], second.state_dict()[part])


@pytest.fixture
def equal_bits():
    def compare(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
        return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)

    return compare


def test_a_loss_of_drawn_showers_is_refused(config) -> None:
    """Outcomes of a measurement have no gradient."""
    changed = TrainConfig.from_dict(config.model_dump() | {"loss": "mmd"})
    showers = read_training_set(changed)
    flow = initial_flow(changed, describe(changed, showers), showers)
    with pytest.raises(ConfigError, match="measured outcomes are discrete"):
        Trainer(changed, flow, showers.train, showers.validation)


def test_the_export_says_no_in_one_line(run, tmp_path) -> None:
    with pytest.raises(FastCaloQError, match="born") as caught:
        export_onnx(run.folder, tmp_path / "model.onnx")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "model.onnx").exists()
