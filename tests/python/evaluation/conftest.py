"""Samples with known properties."""

from __future__ import annotations

import numpy as np
import pytest

from fastcaloq_infer.data import LayerEnergies, packaged_sample, read_layer_energies
from fastcaloq_infer.evaluation import GeneratedShowers


def _lognormal(
    x: np.ndarray, energies: tuple[float, ...] = (1000.0,), width: float = 0.1
) -> GeneratedShowers:
    """Showers whose layer energies are E_inc/L * exp(width * x), x (N, L); energies in turn."""
    incident = np.resize(np.array(energies), len(x))
    layers = incident[:, None] / x.shape[1] * np.exp(width * x)
    return GeneratedShowers(incident, layers)


@pytest.fixture(scope="session")
def held_out() -> LayerEnergies:
    return read_layer_energies(packaged_sample("heldout"))


@pytest.fixture(scope="session")
def training() -> LayerEnergies:
    return read_layer_energies(packaged_sample("train"))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20)


@pytest.fixture(scope="session")
def lognormal():
    return _lognormal
