"""Small evaluations and the samples they belong to: layer energies, and whole showers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fastcaloq_infer.data import packaged_sample, read_layer_energies
from fastcaloq_infer.evaluation import GeneratedShowers, evaluate_layer_energies, read_sample
from fastcaloq_infer.evaluation.evaluate import evaluate
from fastcaloq_infer.evaluation.samples.sample import as_sample
from fastcaloq_infer.report import Candidate
from fastcaloq_infer.report.lineup import line_up


def part(which, i):
    """Return every fourth shower: enough for every figure, in a quarter of the time."""
    table = as_sample(read_layer_energies(packaged_sample(which)), which)
    return table.take(np.arange(table.n_showers) % 4 == i)


@pytest.fixture(scope="session")
def reference():
    return part("heldout", 0)


@pytest.fixture(scope="session")
def floor():
    return part("train", 0)


@pytest.fixture(scope="session")
def generated():
    """Geant4 with layer 2 scaled by 1.03, in the place of a model."""
    sample = part("train", 1)
    return GeneratedShowers(sample.incident_energy, sample.layer_energy * [1, 1, 1.03, 1, 1])


@pytest.fixture(scope="session")
def evaluation(reference, generated, floor):
    return evaluate_layer_energies(reference, generated, floor, seeds=1)


@pytest.fixture(scope="session")
def layers(reference, generated, floor, evaluation):
    """One model, layer energies only."""
    return line_up(reference, [Candidate("flow", generated, evaluation)], floor)


@pytest.fixture(scope="session")
def voxel_samples():
    """Reference, floor and two "models" of whole showers at three incident energies."""
    everything = read_sample(packaged_sample("showers"))
    energies = np.unique(everything.incident_energy)[[0, 4, 7]]
    some = everything.take(np.isin(everything.incident_energy, energies))
    reference, floor, *rest = (some.take(np.arange(some.n_showers) % 4 == i) for i in range(4))
    return reference, floor, [smeared(sample, i) for i, sample in enumerate(rest, start=1)]


def smeared(sample, seed):
    """Return a sample with every voxel multiplied by a random factor of spread ``seed`` / 10."""
    factors = np.random.default_rng(seed).lognormal(0, 0.1 * seed, sample.voxel_energy.shape)
    voxels = (sample.voxel_energy * factors).astype(np.float32)
    return replace(sample, voxel_energy=voxels, layer_energy=sample.binning.layer_energies(voxels))


@pytest.fixture(scope="session")
def candidates(voxel_samples):
    reference, floor, models = voxel_samples
    return [
        Candidate(name, sample, evaluate(reference, sample, floor, seeds=1, views=["layers"]))
        for name, sample in zip(("flow", "GAN"), models, strict=True)
    ]


@pytest.fixture(scope="session")
def voxels(voxel_samples, candidates):
    """Two models, whole showers."""
    reference, floor, _ = voxel_samples
    return line_up(reference, candidates, floor)
