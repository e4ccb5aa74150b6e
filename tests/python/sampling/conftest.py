"""Small random model files shared by the tests of this folder."""

from __future__ import annotations

import pytest

# name -> (options of the random flow, conditioning of the file)
MODELS = {
    "quantum-precomputed": ({}, "precomputed"),
    "quantum-precomputed-eta": ({"eta": (0.0, 0.8), "n_absolute": 1}, "precomputed"),
    "quantum-embedded": ({"eta": (0.0, 0.8)}, "embedded"),
    "reuploading-embedded": ({"quantum": {"reuploading": True, "encoding": "iqp"}}, "embedded"),
    "classical-precomputed": ({"kind": "classical"}, "precomputed"),
    "classical-embedded": ({"kind": "classical"}, "embedded"),
    "none": ({"kind": "none", "transform": "affine"}, "precomputed"),
    "one-layer": ({"kind": "none", "n_layers": 1, "n_knots": 1}, "precomputed"),
}


@pytest.fixture(scope="session")
def make_model(tmp_path_factory):
    """Return (path, flow, metadata) of a model of `MODELS`, made once."""
    from models import random_energy_flow

    from fastcaloq_infer.export import export_flow

    made = {}

    def make(name):
        if name not in made:
            options, conditioning = MODELS[name]
            seed = list(MODELS).index(name)
            flow, metadata = random_energy_flow(seed, hidden=(24, 16), n_blocks=3, **options)
            path = tmp_path_factory.mktemp(name) / "model.onnx"
            export_flow(flow, metadata, path, conditioning=conditioning)
            made[name] = (path, flow, metadata)
        return made[name]

    return make


@pytest.fixture(scope="session")
def model(make_model):
    """Path of the model most tests use: quantum conditioner, precomputed, |eta| 0 to 0.8."""
    return make_model("quantum-precomputed-eta")[0]
