"""The classifier against the best possible one, whose AUC is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm
from sklearn.metrics import roc_auc_score

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.classifiers.classify import classify
from fastcaloq_infer.evaluation.classifiers.splits import split
from fastcaloq_infer.evaluation.samples.groups import energy_groups
from fastcaloq_infer.evaluation.samples.sample import as_sample

N = 8000
# Hanley and McNeil's bound for AUC near 1/2 with every shower tested once: sqrt((1/n + 1/m)/12).
SIGMA = np.sqrt(2 / N / 12)
# Trees learn from 4800 showers of each sample. Their AUC falls short of the exact likelihood
# ratio's on the same showers by 0.003 to 0.014 (measured on four seeds of each case below).
LEARNING_LOSS = 0.02


def aucs(first, second, *, seeds=5, **options):
    first, second = as_sample(first, "first"), as_sample(second, "second")
    scores = classify(first, second, energy_groups(first), view="layers", seeds=seeds, **options)
    return scores.auc.values


@pytest.mark.parametrize("shift", [0.25, 0.8])
def test_two_gaussians(rng, lognormal, shift):
    """AUC of N(0, 1) against N(d, 1) is Phi(d / sqrt(2))."""
    found = aucs(lognormal(rng.normal(size=(N, 1))), lognormal(rng.normal(size=(N, 1)) + shift))
    best = norm.cdf(shift / np.sqrt(2))
    assert best - LEARNING_LOSS - 4 * SIGMA < np.mean(found) < best + 4 * SIGMA


def test_identical_distributions(rng, lognormal):
    found = aucs(lognormal(rng.normal(size=(N, 3))), lognormal(rng.normal(size=(N, 3))))
    assert len(found) == 5
    assert abs(np.mean(found) - 0.5) < 4 * SIGMA


def test_only_the_correlation_differs(rng, lognormal):
    """Every single layer has the same distribution; the best AUC is that of the exact ratio."""
    rho = 0.5
    laws = [multivariate_normal(cov=[[1, r], [r, 1]]) for r in (0.0, rho)]
    x = [law.rvs(N, random_state=rng) for law in laws]
    both = np.concatenate(x)
    ratio = laws[1].logpdf(both) - laws[0].logpdf(both)
    best = roc_auc_score(np.repeat([0, 1], N), ratio)
    found = np.mean(aucs(lognormal(x[0]), lognormal(x[1])))
    assert best > 0.6
    assert best - LEARNING_LOSS - 4 * SIGMA < found < best + 4 * SIGMA


def test_network_agrees_with_trees(rng, lognormal):
    first = lognormal(rng.normal(size=(3000, 2)), (500.0, 4000.0))
    second = lognormal(rng.normal(size=(3000, 2)) + np.array([0.6, 0]), (500.0, 4000.0))
    trees, network = (
        np.mean(aucs(first, second, seeds=2, architecture=kind)) for kind in ("trees", "network")
    )
    assert trees == pytest.approx(network, abs=4 * np.sqrt(2 / 1200 / 12) + LEARNING_LOSS)


def test_an_interrupted_evaluation_does_not_wait_for_its_trainings(rng, lognormal):
    told = []

    def interrupted(fraction):
        told.append(fraction)
        if len(told) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        aucs(
            *(lognormal(rng.normal(size=(500, 2))) for _ in range(2)),
            seeds=3,
            architecture="network",
            workers=1,
            progress=interrupted,
        )
    assert max(told) < 1 / 3  # not one of three was trained to its end


def test_splits_are_stratified_and_cover_everything(held_out):
    sample = as_sample(held_out, "reference")
    groups = energy_groups(sample)
    parts = [split(sample, groups, 3, number) for number in range(5)]
    assert sorted(np.concatenate([p.test for p in parts])) == list(range(sample.n_showers))
    for p in parts:
        rows = np.concatenate([p.train, p.validation, p.test])
        assert sorted(rows) == list(range(sample.n_showers))
        counts = [len(r) for r in groups.rows(sample.take(p.test))]
        everything = [len(r) for r in groups.rows(sample)]
        assert np.abs(np.array(counts) - np.array(everything) / 5).max() < 1
    assert not np.array_equal(parts[0].test, split(sample, groups, 4, 0).test)


def test_no_classifier(rng, lognormal):
    x = lognormal(rng.normal(size=(200, 1)))
    with pytest.raises(InputError, match="at least one seed"):
        aucs(x, x, seeds=0)
