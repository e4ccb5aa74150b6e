"""The prototype's configurations become ours: every key accounted for, unknown ones refused."""

import json
from pathlib import Path

import pytest
from programs import run

from fastcaloq_infer.ancestor.files import AncestorConfig, ModuleArguments, read_ancestor
from fastcaloq_infer.ancestor.meaning import NOTHING, SAME
from fastcaloq_infer.ancestor.translate import SPECIAL, translate
from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.training import TrainConfig, load_config

PUBLISHED = Path(__file__).parent / "published.json"
SHIPPED = Path(__file__).parents[3] / "models/configs/ancestor.yaml"


@pytest.fixture
def published():
    return json.loads(PUBLISHED.read_text())


def written(folder, raw):
    path = folder / "file.json"
    path.write_text(raw if isinstance(raw, str) else json.dumps(raw))
    return path


def translated(folder, raw, **settings):
    settings = {"name": "it", "data": {}, "epochs": 5} | settings
    return translate(read_ancestor(written(folder, raw)), **settings)


def test_every_key_has_one_meaning():
    keys = {*AncestorConfig.model_fields, *ModuleArguments.model_fields} - {"qinn_module_kwargs"}
    tables = (SAME, NOTHING, SPECIAL)
    assert keys == {key for table in tables for key in table}
    assert sum(map(len, tables)) == len(keys)


def test_the_published_example_is_accounted_for_key_by_key(published, tmp_path):
    out = translated(tmp_path, published)
    module = published.pop("qinn_module_kwargs")
    assert {account.key for account in out.accounts} == {*published, *module}
    config = out.checked()
    assert config.flow.hidden == (100, 64)
    quantum = config.quantum
    assert (quantum.kind, quantum.n_qubits, quantum.n_layers) == ("conditioner", 6, 2)
    assert quantum.ansatz == "rotation_linear"
    assert (config.seed, config.device, config.batch_size) == (11, "cpu", 256)


def test_a_stand_alone_file_says_how_to_train(tmp_path):
    out = translated(
        tmp_path,
        {
            "qinn_batch_size": 32,
            "qinn_epochs": 7,
            "qinn_lr": 1e-4,
            "qinn_weight_decay": 0.1,
            "qinn_progress_every": 3,
            "qinn_checkpoint_every": 10,
            "qinn_seed": 12,
            "qinn_init_seed": 11,
            "qinn_module_kwargs": {"n_qubits": 4, "depth_per_block": 3, "n_blocks": 5},
        },
        epochs=None,
    )
    config = out.checked()
    assert (config.batch_size, config.epochs, config.evaluate_every, config.seed) == (32, 7, 3, 12)
    assert (config.optimiser.lr, config.optimiser.weight_decay) == (1e-4, 0.1)
    assert (config.quantum.n_qubits, config.quantum.n_layers, config.flow.n_blocks) == (4, 3, 5)
    assert config.quantum.ansatz == "rotation_ring"  # the prototype's only one


def test_without_pennylane_the_conditioner_is_classical(published, tmp_path):
    published["qinn_module_kwargs"]["use_pennylane"] = False
    assert translated(tmp_path, published).checked().quantum.kind == "classical"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"latent_dimension": 10}, r"unknown key 'latent_dimension' \(did you mean 'latent_dim'"),
        ({"qinn_module_kwargs": {"n_qbits": 6}}, r"unknown key 'qinn_module_kwargs\.n_qbits'"),
        ({"qinn_module_kwargs": {"n_qubits": 0}}, r"'qinn_module_kwargs\.n_qubits' is 0"),
        ({"qinn_module_kwargs": {"n_q_layers": 2, "depth_per_block": 3}}, "but differ"),
        ({"qinn_module_kwargs": {"q_entanglement": "full"}}, "linear"),
        ({"generatorLayers": [0, 0]}, "no layer with units"),
        ({"model": "BNswish"}, "of model 'BNswish', but what can become ours"),
    ],
)
def test_what_cannot_be_translated_is_refused(published, tmp_path, change, words):
    with pytest.raises(ConfigError, match=words):
        translated(tmp_path, published | change)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is no JSON"),
        ("[1]", "does not hold a JSON object"),
        ('{"lam": 1, "lam": 2}', "'lam' is given twice"),
        ('{"lam": 20}', "names no quantum network"),
    ],
)
def test_files_that_are_no_configuration_are_refused(tmp_path, text, words):
    with pytest.raises(ConfigError, match=words):
        read_ancestor(written(tmp_path, text))


def test_a_training_needs_a_length(published, tmp_path):
    with pytest.raises(ConfigError, match="--epochs"):
        translated(tmp_path, published, epochs=None)


def test_the_shipped_example_is_the_published_one(tmp_path):
    data = {
        "train": "packaged",
        "binning": "dataset-1-photons",
        "eta_slice": [0.2, 0.25],
        "energies": [65536.0],
        "limit": 1250,
        "validation_fraction": 0.2,
    }
    out = translate(read_ancestor(PUBLISHED), name="ancestor", data=data, epochs=2000)
    assert load_config(SHIPPED) == TrainConfig.from_dict(out.settings)


def test_the_verb_prints_the_account_and_writes_what_trains(tmp_path):
    target = tmp_path / "ours.yaml"
    command = ["fastcaloq", "import-config", PUBLISHED, "-o", target, "--epochs", "3"]
    printed = run(*command, "--limit", "100", "--energy", "65536")
    assert "flow.hidden" in printed
    config = load_config(target)
    assert (config.epochs, config.data.limit, config.data.energies) == (3, 125, (65536.0,))
    assert "exists; name another file" in run(*command, failing=True)
