"""A few thousand real showers and a flow small enough to train in a second."""

import numpy as np
import pytest
import torch

from fastcaloq_infer import data
from fastcaloq_infer.training import ShapeTrainConfig, TrainConfig


def subset(path, rows, start=0):
    """Write ``rows`` showers of the packaged training sample, from ``start`` on."""
    energies = data.read_layer_energies(data.packaged_sample("train"))
    part = slice(start, start + rows)
    with data.write_layer_energies(path, data.binning("dataset-1-photons"), eta=0.2) as writer:
        writer.append(energies.incident_energy[part], energies.layer_energy[part])
    return path


@pytest.fixture(scope="session")
def shower_file(tmp_path_factory):
    return subset(tmp_path_factory.mktemp("showers") / "train.hdf5", 4000)


@pytest.fixture(scope="session")
def other_file(tmp_path_factory):
    return subset(tmp_path_factory.mktemp("showers") / "other.hdf5", 1500, start=5000)


@pytest.fixture
def plain(shower_file):
    """Plain data of a configuration: 14 steps an epoch, 4 epochs."""
    return {
        "name": "small",
        "particle": "photon",
        "seed": 3,
        "data": {"train": str(shower_file), "validation_fraction": 0.1},
        "flow": {"n_blocks": 2, "hidden": [16], "bins": 4},
        "quantum": {"kind": "conditioner", "n_qubits": 3, "n_layers": 1},
        "optimiser": {"lr": 5e-3},
        "batch_size": 256,
        "epochs": 4,
        "ema_decay": 0.9,
        "threads": 1,
    }


@pytest.fixture(scope="session")
def voxel_file(tmp_path_factory):
    """The first 300 showers of the packaged sample of whole showers."""
    path = tmp_path_factory.mktemp("showers") / "voxels.hdf5"
    with data.open_showers(data.packaged_sample("showers")) as file:
        few = next(file.iterate(300))
    with data.write_showers(path, data.binning("dataset-1-photons"), eta=0.2) as writer:
        writer.append(few.incident_energy, few.showers)
    return path


@pytest.fixture
def plain_shape(voxel_file):
    """Plain data of a training of voxels: 4 steps an epoch, 3 epochs."""
    return {
        "model": "shape",
        "name": "small_shape",
        "particle": "photon",
        "seed": 3,
        "data": {"train": str(voxel_file), "validation_fraction": 0.1},
        "shape": {"units": 1, "context": 2, "head": 4, "bins": 3},
        "quantum": {"kind": "conditioner", "n_qubits": 2, "n_layers": 1},
        "optimiser": {"lr": 5e-3},
        "batch_size": 64,
        "epochs": 3,
        "ema_decay": 0.9,
        "gradient_clip": 50,
        "threads": 1,
    }


@pytest.fixture
def shape_config(plain_shape):
    return ShapeTrainConfig.from_dict(plain_shape)


@pytest.fixture
def config(plain):
    return TrainConfig.from_dict(plain)


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def same_tensors(first, second):
    """Whether two state dicts are equal bit for bit."""
    return first.keys() == second.keys() and all(
        np.array_equal(first[name].numpy(), second[name].numpy(), equal_nan=True) for name in first
    )


@pytest.fixture
def equal_bits():
    return same_tensors
