"""A small evaluation and the samples it belongs to."""

from __future__ import annotations

import numpy as np
import pytest

from fastcaloq_infer.data import packaged_sample, read_layer_energies
from fastcaloq_infer.evaluation import GeneratedShowers, evaluate_layer_energies


@pytest.fixture(scope="session")
def reference():
    return read_layer_energies(packaged_sample("heldout"))


@pytest.fixture(scope="session")
def generated():
    """Geant4 with layer 2 scaled by 1.03, in the place of a model."""
    training = read_layer_energies(packaged_sample("train"))
    scale = np.array([1, 1, 1.03, 1, 1])
    return GeneratedShowers(training.incident_energy, training.layer_energy * scale)


@pytest.fixture(scope="session")
def evaluation(reference, generated):
    floor = read_layer_energies(packaged_sample("train"))
    return evaluate_layer_energies(reference, generated, floor, seeds=1)
