"""A slice of the packaged showers, and learners small enough to train in a second."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from fastcaloq_infer import data
from fastcaloq_infer.study.learner import make_learner

SHORT = {"name": "small", "particle": "photon", "threads": 1}
SETTINGS = {
    "wgan": {
        **SHORT,
        "model": "wgan",
        "latent": 4,
        "generator": [16],
        "critic": [16],
        "n_critic": 2,
        "batch_size": 64,
        "steps": 12,
        "evaluate_every": 5,
    },
    "zuko": {
        **SHORT,
        "model": "zuko",
        "zuko": {"transforms": 2, "hidden": [16], "bins": 4},
        "batch_size": 128,
        "steps": 12,
    },
}


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def showers():
    """2,000 showers to learn from, 400 held out."""
    energies = data.read_layer_energies(data.packaged_sample("train"))

    def rows(part):
        return replace(
            energies,
            incident_energy=energies.incident_energy[part],
            eta=energies.eta[part],
            layer_energy=energies.layer_energy[part],
        )

    return rows(slice(0, 2000)), rows(slice(2000, 2400))


@pytest.fixture(scope="session")
def fit(showers, tmp_path_factory):
    """Train the learner of that model; twice the same is trained twice."""

    def train(model, seed=1, **changes):
        raw = {**SETTINGS[model], **changes}
        folder = tmp_path_factory.mktemp(model)
        learner = make_learner(raw, source="small.yaml", folder=folder)
        return learner.fit(*showers, seed=seed, folder=folder)

    return train


@pytest.fixture(scope="session", params=["wgan", "zuko"])
def fitted(request, fit):
    """One model of each kind."""
    return fit(request.param)


@pytest.fixture(scope="session")
def conditions():
    """500 energies and etas of the sample."""
    random = np.random.default_rng(3)
    return 2.0 ** random.integers(8, 17, 500).astype(np.float64), np.full(500, 0.225)
