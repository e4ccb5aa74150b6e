"""Networks as judges, on toy showers of eight voxels in two layers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import norm

from fastcaloq_infer.data import Binning, LayerBinning
from fastcaloq_infer.evaluation.classifiers import network as classifier_network
from fastcaloq_infer.evaluation.classifiers.classify import classify, classify_each
from fastcaloq_infer.evaluation.classifiers.network import CHALLENGE, OURS
from fastcaloq_infer.evaluation.features.high_level import Features
from fastcaloq_infer.evaluation.samples.groups import energy_groups
from fastcaloq_infer.evaluation.samples.sample import Sample

BINNING = Binning(
    "toy",
    "photon",
    22,
    (LayerBinning(0, (0, 10, 30)), LayerBinning(2, (0, 4, 10, 20), n_alpha=2)),
)
N = 3000
TESTED = N // 5
SIGMA = np.sqrt(2 / TESTED / 12)  # of one AUC near 1/2 (Mann and Whitney)


@pytest.fixture
def quick(monkeypatch):
    """A smaller recipe, for laws that do not depend on it."""
    recipe = replace(OURS, width=32, dropout=0.2, epochs=4, steps=150)
    monkeypatch.setattr(classifier_network, "OURS", recipe)


def showers(rng, change=lambda x: x, n=N, empty=0.2):
    """Voxels lognormal or empty, at two energies; ``change`` acts on their logs."""
    energy = np.resize([500.0, 4000.0], n)
    logs = change(0.3 * rng.normal(size=(n, 8)))
    voxels = (energy[:, None] / 8 * np.exp(logs)).astype(np.float32)
    voxels[rng.random((n, 8)) < empty] = 0
    return Sample(energy, BINNING.layer_energies(voxels), voxel_energy=voxels, binning=BINNING)


def auc(first, second, view, **options):
    return classify(first, second, energy_groups(first), view=view, **options).auc


def test_one_shifted_voxel(rng):
    """Voxel 5 higher by d = 1.5 widths where it is not empty: AUC of the exact likelihood ratio.

    With probability 0.8 each of the two showers of a pair holds the voxel. Only then does the
    ratio tell more than 0, x d - d^2/2, and then it is N(-d^2/2, d) against N(d^2/2, d).
    """
    d, p = 1.5, 0.8
    shift = np.zeros(8)
    shift[5] = 0.3 * d
    found = auc(showers(rng), showers(rng, lambda x: x + shift), "low", seeds=1)
    one_empty = norm.cdf(d / 2)  # P(N(d^2/2, d) > 0), and the same for the other
    best = p * p * norm.cdf(d / np.sqrt(2)) + 2 * p * (1 - p) * one_empty + (1 - p) ** 2 / 2
    assert best - 0.05 < found.mean < best + 4 * found.error


def test_identical_samples_in_every_view(rng, quick):
    first, second = showers(rng), showers(rng)
    for view in ("low", "normalised", "high"):
        found = auc(first, second, view, architecture="network", seeds=2)
        assert abs(found.mean - 0.5) < 4 * SIGMA / np.sqrt(2)
        assert found.error == pytest.approx(SIGMA / np.sqrt(2), rel=0.1)


def test_correlation_alone(rng):
    """Two voxels of one layer correlated; each of them is as before, and so are the others."""

    def correlate(x):
        x = x.copy()
        x[:, 5] = 0.8 * x[:, 4] + 0.6 * x[:, 5]
        return x

    first, second = showers(rng, empty=0), showers(rng, correlate, empty=0)
    assert auc(first, second, "normalised", seeds=1).mean > 0.6


def test_the_same_seed_gives_the_same_whatever_runs_beside_it(rng, quick):
    first, second, third = showers(rng, n=600), showers(rng, n=600), showers(rng, n=600)
    groups = energy_groups(first)
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    alone = classify(first, second, groups, view="low", seeds=2, seed=3, workers=1)
    fractions: list[float] = []
    others = {"second": second, "third": third}
    together = classify_each(
        first, others, groups, view="low", seeds=2, seed=3, workers=3, progress=fractions.append
    )
    assert together["second"] == alone
    assert together["third"] != alone
    assert classify(first, second, groups, view="low", seeds=2, seed=4) != alone
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_challenge_architecture(rng, monkeypatch):
    """2048 neurons thrice, leaky ReLU of slope 0.01, a logit; and it learns."""
    network = classifier_network._Network(CHALLENGE, 369, torch.Generator().manual_seed(1))
    shapes = [tuple(w.shape) for w in network.weights if w.ndim == 2]
    assert shapes == [(2048, 369), (2048, 2048), (2048, 2048), (1, 2048)]
    reference = torch.nn.Sequential(torch.nn.Linear(369, 2048), torch.nn.LeakyReLU())
    for _ in range(2):
        reference.extend([torch.nn.Linear(2048, 2048), torch.nn.LeakyReLU()])
    reference.append(torch.nn.Linear(2048, 1))
    with torch.no_grad():
        for mine, theirs in zip(network.weights, reference.parameters(), strict=True):
            if mine.numel() > 1:  # uniform within 1/sqrt(inputs); 2048 numbers know 1.6 %
                assert mine.std().item() == pytest.approx(theirs.std().item(), rel=0.06)
            theirs.copy_(mine)
        x = torch.randn(7, 369, generator=torch.Generator().manual_seed(2))
        torch.testing.assert_close(network(x, drop=True), reference(x)[:, 0])
    assert (CHALLENGE.learning_rate, CHALLENGE.batch, CHALLENGE.epochs) == (2e-4, 1000, 50)
    small = replace(CHALLENGE, width=64, batch=100, learning_rate=1e-3)
    monkeypatch.setattr(classifier_network, "CHALLENGE", small)
    first, second = showers(rng), showers(rng, lambda x: x + 0.3 * (np.arange(8) == 5))
    assert auc(first, second, "low", architecture="challenge", seeds=1).mean > 0.6


def test_rounding_is_not_found(rng, quick):
    """float32 against float64 is no difference between showers, of voxels or of energies."""
    first, second = showers(rng), showers(rng)
    blurred = replace(
        second,
        incident_energy=second.incident_energy * (1 + 1e-7),
        voxel_energy=second.voxel_energy * np.float32(1 + 2e-7),
        layer_energy=second.layer_energy * (1 + 1e-7),
    )
    for architecture in ("network", "trees"):
        found = auc(first, blurred, "low", architecture=architecture, seeds=1)
        assert abs(found.mean - 0.5) < 4 * SIGMA


def test_undefined_features_are_seen(rng, quick):
    """A feature undefined more often, in one sample only, is a difference; NaN does not spread."""
    first, second = showers(rng), showers(rng)
    values = rng.normal(size=(2, N, 2))
    values[1, rng.random(N) < 0.4, 1] = np.nan
    tables = tuple(Features(("a", "b"), ("", ""), ("mm", "mm"), v) for v in values)
    for architecture in ("trees", "network"):
        found = auc(first, second, "high", architecture=architecture, seeds=1, features=tables)
        # Undefined in 40 %: the exact AUC is 0.5 + 0.4/2.
        assert abs(found.mean - 0.7) < 4 * SIGMA + 0.02


def test_dropout_leaves_the_mean(rng):
    """Dropped neurons are made up for: the mean over masks of a linear output is undropped."""
    recipe = replace(OURS, hidden=1, width=4000, dropout=0.5)
    network = classifier_network._Network(recipe, 3, torch.Generator().manual_seed(1))
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        mean = torch.stack([network(x, drop=True) for _ in range(400)]).mean(dim=0)
        exact = network(x, drop=False)
        # One mask spreads the output by about sqrt(sum (w h)^2) < 1, 400 of them by 0.05.
        torch.testing.assert_close(mean, exact, atol=4 * 0.05, rtol=0)
