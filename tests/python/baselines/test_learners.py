"""What every baseline owes a study, and what it refuses."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.study.learner import make_learner, read_learner

CONFIGS = Path(__file__).parents[3] / "models" / "configs"
SHORT = {"name": "a", "particle": "photon", "steps": 1}


def test_generated_energies_are_finite_and_not_negative(fitted, conditions):
    layers = fitted.sample(*conditions, seed=5)
    assert layers.shape == (500, 5)
    assert layers.dtype == np.float64
    assert np.isfinite(layers).all()
    assert (layers >= 0).all()
    assert (layers == 0).any()  # zeros are exact
    assert np.array_equal(layers, fitted.sample(*conditions, seed=5))
    assert not np.array_equal(layers, fitted.sample(*conditions, seed=6))


@pytest.mark.parametrize("model", ["wgan", "zuko"])
def test_the_seed_decides_the_model(fit, conditions, model):
    first, again, other = (fit(model, seed=seed).sample(*conditions, seed=5) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_parameters_are_counted(fitted):
    assert 0 < fitted.n_trained == fitted.n_parameters
    assert (fitted.n_conditioner, fitted.n_features) == (0, 0)


@pytest.mark.parametrize("name", ["wgan_energy", "zuko_energy", "caloinn_energy"])
def test_shipped_configurations_make_learners_of_the_packaged_showers(name):
    learner = read_learner(name)
    assert learner.data.train == "packaged"
    assert (
        learner.data.validation_fraction == read_learner("photon_energy").data.validation_fraction
    )


def test_the_published_caloinn_has_its_size():
    flow = read_learner("caloinn_energy").config.flow
    assert (flow.n_blocks, flow.bins, flow.hidden) == (12, 10, (256, 256, 256))


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"model": "wgan", "latnet": 3}, "unknown key 'latnet' (did you mean 'latent'?)"),
        ({"model": "wgan", "n_critic": 0}, "'n_critic' is 0"),
        ({"model": "wgan", "generator": [10**9]}, "less than or equal to 4096"),
        ({"model": "wgan", "output": "hits"}, "'output' is 'hits'"),
        ({"model": "zuko", "zuko": {"bin": 3}}, "did you mean 'zuko.bins'?"),
        ({"model": "zuko", "flow": {"bins": 3}}, "no section 'flow'"),
        ({"model": "zuko", "quantum": {"kind": "none"}}, "no section 'quantum'"),
        ({"model": "zuko", "epochs": 2}, "'epochs' or 'steps'"),
    ],
)
def test_a_bad_configuration_is_refused_in_one_line(raw, words, tmp_path):
    with pytest.raises(ConfigError) as caught:
        make_learner({**SHORT, **raw}, source="a.yaml", folder=tmp_path)
    message = str(caught.value)
    assert message.startswith("a.yaml: ")
    assert words in message
    assert "\n" not in message


def test_a_missing_zuko_is_named_with_the_way_to_get_it(monkeypatch, tmp_path):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "fastcaloq_infer.baselines.zuko_flow.find_spec",
        lambda name: None if name == "zuko" else find(name),
    )
    with pytest.raises(ConfigError, match=r"pip install 'fastcaloq-infer\[benchmark\]'") as caught:
        make_learner({**SHORT, "model": "zuko"}, source="a.yaml", folder=tmp_path)
    assert "\n" not in str(caught.value)


def test_voxels_are_not_learnt_from_layer_energies(showers, tmp_path):
    learner = make_learner(
        {**SHORT, "model": "wgan", "output": "voxels"}, source="a", folder=tmp_path
    )
    with pytest.raises(ConfigError, match="output=layers"):
        learner.fit(*showers, seed=1, folder=tmp_path)
