"""A small production of the shipped model, drawn by one process, to hold others against."""

import pytest
from shower_files import content

from fastcaloq_infer.farm import Plan
from fastcaloq_infer.output import produce
from fastcaloq_infer.sampling import Sampler


@pytest.fixture(scope="session")
def sampler():
    return Sampler("photon_energy", threads=1)


@pytest.fixture
def plan(sampler):
    """Seven parts of 300 showers, the last one of 200."""
    return Plan(
        model="photon_energy",
        model_sha256=sampler.digest,
        n_showers=2000,
        first_event=100,
        seed=5,
        energy_law="256.0:65536.0",
        eta_law="0.2:0.25",
        out_of_range="refuse",
        engine="native",
        suffix=".root",
        container="ttree",
        compression="zstd",
        shard=300,
    )


@pytest.fixture(scope="session")
def alone(sampler, tmp_path_factory):
    """Content of the same production by one process, laws left to their defaults."""
    path = tmp_path_factory.mktemp("alone") / "alone.root"
    produce(sampler, 2000, path, seed=5, first_event=100)
    return content(path)
