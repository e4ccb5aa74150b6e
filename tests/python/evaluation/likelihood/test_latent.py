"""Latents whose distance from N(0, 1) is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from fastcaloq_infer.evaluation.likelihood.flow_classifier import donsker_varadhan
from fastcaloq_infer.evaluation.likelihood.latent import latent_figures
from fastcaloq_infer.evaluation.likelihood.nats import (
    SHARES,
    binned_divergence,
    correlation_divergence,
    normal_divergence,
    normal_scores,
    sample_divergence,
)
from fastcaloq_infer.evaluation.metrics.multiple_tests import holm
from fastcaloq_infer.evaluation.samples.groups import energy_groups
from fastcaloq_infer.evaluation.samples.sample import Sample

N, LAYERS = 6000, 3


def figures(z, seed=1):
    """Latents of showers at two energies; layer k holds what latent k says, so it is its rank."""
    energy = np.resize([1000.0, 2000.0], len(z))
    sample = Sample(energy, energy[:, None] * np.exp(z), eta=np.zeros(len(z)))
    return latent_figures(z, sample, energy_groups(sample), seed=seed)


def binned_scale_divergence(scale):
    """KL of N(0, scale) against N(0, 1) in the bins that `normal_divergence` uses."""
    edges = np.concatenate([[-np.inf], norm.ppf(SHARES), [np.inf]])
    p, q = np.diff(norm.cdf(edges / scale)), np.diff(norm.cdf(edges))
    return float((p * np.log(p / q)).sum())


def test_gaussian_latents_pass(rng):
    found = figures(rng.normal(size=(N, LAYERS)))
    assert found.rejected(0.01) == ()
    assert len(found.tests) == 2 * (LAYERS + 3)
    for at in found.energies:
        assert abs(at.correlation_nats) < 4 * at.correlation_error
        assert abs(at.bound) < 4 * at.bound_error
        assert abs(at.auc - 0.5) < 4 * at.auc_error
        assert abs(at.largest_correlation) < 4 * at.largest_error
    for marginal in found.marginals:
        assert abs(marginal.nats) < 4 * marginal.error
        assert abs(marginal.mean) < 4 * marginal.mean_error
        assert abs(marginal.std - 1) < 4 * marginal.std_error
    assert [sum(counts) for counts in found.counts] == [N] * LAYERS


def test_a_scaled_dimension_fails_by_what_it_loses(rng):
    z = rng.normal(size=(N, LAYERS)) * [1.0, 1.2, 1.0]
    found = figures(z)
    exact = binned_scale_divergence(1.2)
    assert 0.8 < exact / (0.5 * (1.2**2 - 1) - np.log(1.2)) < 1  # bins lose little
    for marginal in found.marginals:
        wide = marginal.dimension == 1
        assert abs(marginal.nats - wide * exact) < 4 * marginal.error
        assert abs(marginal.std - (1.2 if wide else 1.0)) < 4 * marginal.std_error
    failed = {(test.name, test.dimension) for test in found.rejected(0.01)}
    assert {("dimension", 1), ("radius", None), ("classifier", None)} <= failed
    assert ("dimension", 0) not in failed
    assert ("correlations", None) not in failed


def test_correlated_dimensions_fail_by_what_they_lose(rng):
    """-1/2 log(1 - rho^2) nats; the classifier proves most of it and no more."""
    rho = 0.5
    z = rng.normal(size=(N, LAYERS))
    z[:, 2] = rho * z[:, 0] + np.sqrt(1 - rho**2) * z[:, 2]
    exact = -0.5 * np.log(1 - rho**2)
    found = figures(z)
    for at in found.energies:
        assert abs(at.correlation_nats - exact) < 4 * at.correlation_error
        assert 0.5 * exact < at.bound < exact + 4 * at.bound_error
        assert at.largest_pair == (0, 2)
        assert abs(at.largest_correlation - rho) < 4 * at.largest_error
    assert {test.name for test in found.rejected(0.01)} >= {"correlations", "classifier"}
    assert all(abs(m.nats) < 4 * m.error for m in found.marginals)


def test_a_dependence_that_only_the_classifier_sees(rng):
    """The product of the signs is positive: half of space is empty, log 2 nats."""
    z = rng.normal(size=(N, LAYERS))
    z[:, 2] = np.abs(z[:, 2]) * np.sign(z[:, 0] * z[:, 1])
    found = figures(z)
    assert {test.name for test in found.rejected(0.01)} == {"classifier"}
    for at in found.energies:
        assert 0.4 < at.bound < np.log(2) + 4 * at.bound_error


def test_layers_of_a_dimension(rng):
    """Each latent is the rank of its layer; the total grows with all of them."""
    found = np.array(figures(rng.normal(size=(900, LAYERS))).layer_correlations)
    np.testing.assert_allclose(np.diag(found), 1.0, atol=1e-12)
    apart = found[:, :LAYERS] - np.eye(LAYERS)
    assert np.abs(apart).max() < 4 / np.sqrt(900)
    assert (found[:, LAYERS] > 0.3).all()


def test_few_showers_have_no_classifier(rng):
    found = figures(rng.normal(size=(400, LAYERS)))
    assert all(at.auc is None and at.bound is None for at in found.energies)
    assert {test.name for test in found.tests} == {"dimension", "correlations", "radius"}


def test_the_same_seed_gives_the_same_figures(rng):
    z = rng.normal(size=(600, LAYERS))
    assert figures(z, 2) == figures(z, 2)
    assert figures(z, 2) != figures(z, 3)


def test_estimates_without_loss_are_unbiased_and_p_values_flat():
    rng = np.random.default_rng(3)
    nats = np.array([normal_divergence(rng.normal(size=500)) for _ in range(200)])
    assert abs(nats[:, 0].mean()) < 4 * nats[:, 0].std() / np.sqrt(200)
    assert nats[:, 0].std() == pytest.approx(nats[:, 1].mean(), rel=0.25)  # 1/sqrt(2 200) = 5 %
    assert nats[:, 2].mean() == pytest.approx(0.5, abs=4 * np.sqrt(1 / 12 / 200))
    pairs = [
        correlation_divergence(normal_scores(rng.normal(size=(300, 4))))[0] for _ in range(200)
    ]
    values = np.array(pairs)
    assert abs(values[:, 0].mean()) < 4 * values[:, 0].std() / np.sqrt(200)
    assert values[:, 2].mean() == pytest.approx(0.5, abs=4 * np.sqrt(1 / 12 / 200))


def test_divergence_of_samples_counts_zeros(rng):
    """Both put the same energies beside their zeros: KL of two coins."""
    n, m = 4000, 16000
    x, model = (rng.exponential(size=k) * (rng.random(k) > p) for k, p in ((n, 0.3), (m, 0.5)))
    found = sample_divergence(x, model)
    exact = 0.3 * np.log(0.3 / 0.5) + 0.7 * np.log(0.7 / 0.5)
    assert abs(found.value - exact) < 4 * found.error
    assert found.p_value < 1e-6
    same = sample_divergence(x, rng.exponential(size=m) * (rng.random(m) > 0.3))
    assert abs(same.value) < 4 * same.error


def test_divergence_of_empty_layers():
    assert sample_divergence(np.zeros(50), np.zeros(200)).value == 0.0
    never = sample_divergence(np.r_[np.zeros(20), np.ones(20)], np.zeros(200))
    assert np.isfinite(never.value)
    assert never.p_value < 1e-6


def test_binned_divergence_by_hand():
    found = binned_divergence(np.array([30.0, 70.0]), np.array([0.5, 0.5]))
    plain = 0.3 * np.log(0.6) + 0.7 * np.log(1.4)
    assert found.value == pytest.approx(plain - 1 / 200)


def test_donsker_varadhan_with_the_true_ratio(rng):
    """Gaussians a shift d apart: log q/p = d x - d^2/2 reaches KL = d^2/2."""
    shift = 0.7
    ratio = shift * rng.normal(size=(2, 20000)) - shift**2 / 2
    value, variance = donsker_varadhan(ratio[0] + shift**2, ratio[1])
    assert abs(value - shift**2 / 2) < 4 * np.sqrt(variance)
    assert np.sqrt(variance) < 0.02


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
