"""Configurations: what is refused and how, overrides, and saving without loss."""

from pathlib import Path
from typing import get_args

import pytest
import yaml

from fastcaloq_infer.conditioning import QuantumConfig
from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.flow.kinds.born.config import BornConfig
from fastcaloq_infer.flow.kinds.config import KINDS
from fastcaloq_infer.flow.kinds.statevector.config import StateVectorConfig
from fastcaloq_infer.flow.kinds.subnet.config import SubnetConfig
from fastcaloq_infer.flow.kinds.swap_test.config import SwapTestConfig
from fastcaloq_infer.training import TrainConfig
from fastcaloq_infer.training.config_errors import dotted_keys

SHORT = {"name": "a", "particle": "photon", "epochs": 2}
CONFIGS = [
    path
    for path in sorted((Path(__file__).parents[3] / "models" / "configs").glob("*.yaml"))
    if "model" not in yaml.safe_load(path.read_text())  # those are no flows of ours
]


def refusal(**changes):
    with pytest.raises(ConfigError) as caught:
        TrainConfig.from_dict({**SHORT, **changes}, source="a.yaml")
    message = str(caught.value)
    assert message.startswith("a.yaml: ")
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("changes", "key", "meant"),
    [
        ({"epoch": 3}, "epoch", "epochs"),
        ({"batchsize": 3}, "batchsize", "batch_size"),
        ({"flow": {"n_bloks": 3}}, "flow.n_bloks", "flow.n_blocks"),
        ({"quantum": {"qubits": 3}}, "quantum.qubits", "quantum.n_qubits"),
        ({"preprocessing": {"sharpnes": 3}}, "preprocessing.sharpnes", "preprocessing.sharpness"),
        ({"data": {"validaton": "x"}}, "data.validaton", "data.validation"),
        ({"lr": 1e-3}, "lr", "optimiser.lr"),
    ],
)
def test_a_misspelt_key_is_named_with_what_was_meant(changes, key, meant):
    message = refusal(**changes)
    assert f"unknown key '{key}'" in message
    assert f"did you mean '{meant}'?" in message


def test_an_unknown_key_near_nothing_lists_the_keys_there_are():
    message = refusal(optimiser={"zzzzz": 1})
    assert "known here: lr, weight_decay, betas, eps" in message


def test_every_key_one_letter_short_is_refused_and_found():
    for dotted in dotted_keys(TrainConfig):
        *sections, key = dotted.split(".")
        if len(key) < 4 or sections[:1] == ["quantum"]:
            continue
        changes = {key[:-1]: 1}
        for section in reversed(sections):
            changes = {section: changes}
        assert f"did you mean '{dotted}'?" in refusal(**changes)


@pytest.mark.parametrize(
    "model",
    [QuantumConfig, SubnetConfig, BornConfig, StateVectorConfig, SwapTestConfig],
    ids=lambda model: model.__name__,
)
def test_every_key_of_a_kind_one_letter_short_is_refused_and_found(model):
    kind = get_args(model.model_fields["kind"].annotation)[0]
    for key in model.model_fields:
        if len(key) >= 4 and key != "kind":
            message = refusal(quantum={"kind": kind, key[:-1]: 1})
            assert f"did you mean 'quantum.{key}'?" in message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"steps": 5}, "either 'epochs' or 'steps'"),
        ({"epochs": None}, "either 'epochs' or 'steps'"),
        ({"batch_size": 0}, "'batch_size' is 0"),
        ({"ema_decay": 1.0}, "'ema_decay' is 1.0"),
        ({"optimiser": {"lr": float("nan")}}, "'optimiser.lr' is nan"),
        ({"optimiser": {"betas": [0.9, 1.0]}}, "'optimiser.betas.1' is 1.0"),
        ({"schedule": {"kind": "linear"}}, "'schedule.kind' is 'linear'"),
        ({"particle": None}, "'particle' is None"),
        ({"quantum": {"kind": "subnets"}}, "conditioner"),
        ({"quantum": {"ansatz": "ring"}}, "ansatz"),
        ({"flow": {"bins": 1}}, "'flow.bins' is 1"),
        ({"flow": 3}, "'flow' is 3"),
        ({"flow": {"hidden": [64, 0]}}, "hidden widths"),
        ({"flow": {"hidden": [10**8]}}, "hidden widths"),
        ({"flow": {"tail_bound": float("inf")}}, "'flow.tail_bound' is inf"),
        ({"preprocessing": {"zero_width": float("inf")}}, "'preprocessing.zero_width' is inf"),
        ({"threads": 100_000}, "'threads' is 100000"),
        ({"name": "../a"}, "'name' is '../a'"),
        ({"device": "tpu"}, "'device' is 'tpu'"),
    ],
)
def test_impossible_values_are_refused(changes, words):
    assert words in refusal(**changes)


def test_the_particle_is_required():
    with pytest.raises(ConfigError, match="the key 'particle' is missing"):
        TrainConfig.from_dict({"name": "a", "epochs": 2})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: a\nname: b\n", "'name' is given twice"),
        ("flow: {bins: 4, bins: 5}\n", "'bins' is given twice"),
        ("name: [a\n", "not valid YAML in line 2"),
        ("- a\n- b\n", "does not hold 'key: value' lines"),
        ("", "does not hold 'key: value' lines"),
        ("name: !!python/object/apply:os.system [true]\n", "not valid YAML"),
    ],
)
def test_bad_yaml_is_refused(tmp_path, text, words):
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words):
        TrainConfig.load(path)


def test_a_missing_or_binary_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        TrainConfig.load(tmp_path / "none.yaml")
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not a text file"):
        TrainConfig.load(tmp_path / "a.yaml")


def written(folder, **content):
    folder.mkdir(exist_ok=True)
    path = folder / "a.yaml"
    path.write_text(yaml.safe_dump({**SHORT, **content}))
    return path


def test_overrides_reach_every_depth_and_are_checked(tmp_path):
    path = written(tmp_path)
    config = TrainConfig.load(path, ["optimiser.lr=1e-4", "flow.hidden=[8, 8]", "patience=3"])
    assert (config.optimiser.lr, config.flow.hidden, config.patience) == (1e-4, (8, 8), 3)
    assert TrainConfig.load(path, ["steps=7"]).epochs is None
    with pytest.raises(ConfigError, match=r"did you mean 'optimiser\.lr'"):
        TrainConfig.load(path, ["optimiser.lrr=1"])
    for bad in ("epochs", "=3", "name.x=3", ".=1", "epochs=[1"):
        with pytest.raises(ConfigError, match="--set"):
            TrainConfig.load(path, [bad])


def test_saving_keeps_everything_and_moves_with_the_folder(tmp_path):
    (tmp_path / "showers").mkdir()
    path = written(tmp_path / "here", data={"train": "../showers/a.hdf5"}, optimiser={"lr": 1 / 3})
    config = TrainConfig.load(path)
    assert config.data.train.resolve() == tmp_path / "showers" / "a.hdf5"
    (tmp_path / "runs" / "a").mkdir(parents=True)
    copy = tmp_path / "runs" / "a" / "config.yaml"
    config.save(copy)
    assert "../../showers/a.hdf5" in copy.read_text()
    again = TrainConfig.load(copy)
    assert again.data.train.resolve() == config.data.train.resolve()
    assert again.model_dump(exclude={"data"}) == config.model_dump(exclude={"data"})


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_shipped_configurations_load_by_path_and_by_name(path):
    config = TrainConfig.load(path)
    assert config == TrainConfig.load(path.stem)
    assert config.data.train == "packaged"


def test_a_configuration_of_another_model_is_told_apart():
    with pytest.raises(ConfigError, match="compared with by 'fastcaloq study'"):
        TrainConfig.load("wgan_energy")


def test_there_are_shipped_configurations_for_every_kind():
    kinds = {TrainConfig.load(path).quantum.kind for path in CONFIGS}
    assert kinds == {"conditioner", "classical", "none", *KINDS}
