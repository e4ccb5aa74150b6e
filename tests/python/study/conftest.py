"""A study of four trainings that take a second each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from fastcaloq_infer import data


def _part(path: Path, sample: str, rows: int) -> Path:
    energies = data.read_layer_energies(data.packaged_sample(sample))
    with data.write_layer_energies(path, data.binning("dataset-1-photons"), eta=0.2) as writer:
        writer.append(energies.incident_energy[:rows], energies.layer_energy[:rows])
    return path


@pytest.fixture(scope="session")
def showers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with ``train.hdf5``, ``heldout.hdf5`` and the configuration ``flow.yaml``."""
    folder = tmp_path_factory.mktemp("study")
    _part(folder / "train.hdf5", "train", 3000)
    _part(folder / "heldout.hdf5", "heldout", 900)
    plain = {
        "name": "small",
        "particle": "photon",
        "data": {"train": "train.hdf5", "validation_fraction": 0.1},
        "flow": {"n_blocks": 2, "hidden": [8], "bins": 4},
        "quantum": {"n_qubits": 3, "n_layers": 1},
        "batch_size": 128,
        "steps": 15,
        "checkpoint_every": 5,
        "threads": 1,
    }
    (folder / "flow.yaml").write_text(yaml.safe_dump(plain))
    return folder


def small_study(folder: Path) -> dict[str, Any]:
    """Plain data of a study: 2 variants, 2 seeds."""
    return {
        "name": "small",
        "configuration": str(folder / "flow.yaml"),
        "held_out": str(folder / "heldout.hdf5"),
        "seeds": [1, 2],
        "classifier_seeds": 1,
        "reference": "quantum",
        "sizes": [{"name": "2000", "showers": 2000}],
        "variants": [{"name": "quantum"}, {"name": "none", "set": ["quantum.kind=none"]}],
    }


@pytest.fixture
def plain(showers: Path) -> dict[str, Any]:
    """A study that a test may change."""
    return small_study(showers)


@pytest.fixture(scope="session")
def unchanged(showers: Path) -> dict[str, Any]:
    """The same, for fixtures that serve many tests."""
    return small_study(showers)
