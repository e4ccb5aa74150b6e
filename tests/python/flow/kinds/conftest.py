"""A run of any kind of quantum model on some hundred real showers, in seconds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fastcaloq_infer import data
from fastcaloq_infer.flow.energy_model import EnergyModel
from fastcaloq_infer.training import TrainConfig, load_flow, train

Trained = tuple[EnergyModel, float]


@pytest.fixture(scope="session")
def few_showers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("showers") / "train.hdf5"
    energies = data.read_layer_energies(data.packaged_sample("train"))
    with data.write_layer_energies(path, data.binning("dataset-1-photons"), eta=0.2) as writer:
        writer.append(energies.incident_energy[:1500], energies.layer_energy[:1500])
    return path


@pytest.fixture
def trained(few_showers: Path, tmp_path: Path) -> Callable[..., Trained]:
    """Train 40 steps; return the model as it is loaded and the nats gained on held-out showers."""

    def run(**changes: Any) -> Trained:
        config = TrainConfig.from_dict(
            {
                "name": "small",
                "particle": "photon",
                "seed": 3,
                "data": {"train": str(few_showers), "validation_fraction": 0.2},
                "flow": {"n_blocks": 3, "hidden": [16], "transform": "affine"},
                "optimiser": {"lr": 1e-2},
                "batch_size": 256,
                "steps": 40,
                "ema_decay": 0.8,
                "threads": 1,
                **changes,
            }
        )
        model = train(config, tmp_path / "run")
        records = model.history.records
        return load_flow(tmp_path / "run")[0], (
            records[0].validation_nll - records[-1].validation_nll
        )

    return run
