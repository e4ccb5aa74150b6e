"""Intervals that cover what they promise, adjusted p values with known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.study.statistics import holm, paired_effect, stratified_bootstrap

TRUTH = 0.3


def _study(
    random: np.random.Generator, seeds: int, showers: int, scales: tuple[float, float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Differences with a known mean; strata with offsets of their own that cancel in the mean."""
    of_seed, of_shower, rest = scales
    strata = np.repeat(np.arange(4), showers // 4)
    offsets = np.array([-3.0, -1.0, 1.0, 3.0])[strata]
    differences = (
        TRUTH
        + offsets
        + of_seed * random.normal(size=(seeds, 1))
        + of_shower * random.normal(size=(1, showers))
        + rest * random.normal(size=(seeds, showers))
    )
    return differences, strata


@pytest.mark.parametrize(
    ("seeds", "scales"),
    [(5, (0.1, 0.1, 0.1)), (5, (0.01, 1.0, 0.1)), (3, (0.05, 0.5, 0.5)), (5, (0.0, 0.0, 1.0))],
)
def test_intervals_cover_the_truth_as_often_as_they_say(
    seeds: int, scales: tuple[float, float, float]
) -> None:
    random = np.random.default_rng(8)
    trials, covered, claimed = 400, 0, 0
    for _ in range(trials):
        differences, strata = _study(random, seeds, 200, scales)
        effect = paired_effect(differences, strata)
        covered += effect.low <= TRUTH <= effect.high
        null = paired_effect(differences - TRUTH, strata)
        claimed += null.p < 0.05
        # interval and p value are two views of one thing
        assert (null.p < 0.05) == (not null.low <= 0 <= null.high)
    assert covered == trials - claimed
    # Binomial error 1.1 %; the approximation of the degrees of freedom is good to about 1 %.
    assert abs(covered / trials - 0.95) < 0.045


def test_one_seed_leads_to_an_interval_over_showers_and_no_claim() -> None:
    random = np.random.default_rng(1)
    differences, strata = _study(random, 1, 400, (0.0, 0.5, 0.0))
    effect = paired_effect(differences, strata)
    assert effect.p is None
    assert effect.error == pytest.approx(0.5 / math.sqrt(400), rel=0.15)


def test_seeds_alone_give_the_t_test_over_seeds() -> None:
    per_seed = np.array([0.1, 0.3, 0.2, 0.6, 0.4])
    differences = np.repeat(per_seed[:, None], 50, axis=1)
    effect = paired_effect(differences, np.zeros(50, dtype=np.int64))
    expected = stats.ttest_1samp(per_seed, 0.0)
    assert effect.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert effect.dof == pytest.approx(4)
    interval = expected.confidence_interval(0.95)
    assert (effect.low, effect.high) == pytest.approx((interval.low, interval.high))


def test_identical_models_do_not_differ() -> None:
    effect = paired_effect(np.zeros((3, 20)), np.zeros(20, dtype=np.int64))
    assert (effect.mean, effect.error, effect.p) == (0.0, 0.0, 1.0)


def test_impossible_showers_and_too_few_of_them_are_refused() -> None:
    strata = np.arange(4)
    with pytest.raises(InputError, match="finite"):
        paired_effect(np.array([[0.0, -np.inf, 0.0, 0.0]]), strata)
    with pytest.raises(InputError, match="too few"):
        paired_effect(np.zeros((2, 4)), strata)


def test_holm_on_the_textbook_example() -> None:
    # Holm's rule by hand: 4 * 0.005, 3 * 0.01, then max(0.03, 2 * 0.03), max(0.06, 1 * 0.04)
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_holm_bounds_the_probability_of_one_false_claim() -> None:
    random = np.random.default_rng(2)
    trials = 2000
    p = random.uniform(size=(trials, 20))
    false = sum(min(holm(row.tolist())) < 0.05 for row in p)
    assert false / trials < 0.05 + 4 * math.sqrt(0.05 * 0.95 / trials)
    assert false / trials > 0.03  # and it is no more careful than it says
    assert sum((row < 0.05).any() for row in p) / trials > 0.6  # what unadjusted values do


def test_the_bootstrap_knows_the_error_of_a_mean_inside_strata() -> None:
    random = np.random.default_rng(3)
    strata = np.repeat(np.arange(4), 500)
    values = 10.0 * strata + random.normal(size=(2, 2000))
    errors = stratified_bootstrap(values, strata, seed=1, replicates=400)
    # relative error of a standard deviation of 400 values: 1 / sqrt(800) = 3.5 %
    assert errors == pytest.approx(np.full(2, 1 / math.sqrt(2000)), rel=0.15)
    assert np.array_equal(errors, stratified_bootstrap(values, strata, seed=1, replicates=400))
