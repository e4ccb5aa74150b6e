"""Wasserstein distance and chi2 against numbers that can be derived, and their resampling."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest, wasserstein_distance

from fastcaloq_infer.evaluation.metrics.chi_square import FEWEST, chi_square, merged_edges
from fastcaloq_infer.evaluation.metrics.resampling import Strata
from fastcaloq_infer.evaluation.metrics.wasserstein import RESAMPLES, Pooled


def one_group(n):
    return Strata(np.array([n]))


def test_same_as_scipy(rng):
    x, y = rng.normal(size=500), rng.exponential(size=500)
    assert Pooled(x, y, one_group(500)).distance() == pytest.approx(
        wasserstein_distance(x, y), rel=1e-12
    )
    x[::5] = np.nan  # undefined values are left out, and normalised away
    assert Pooled(x, y, one_group(500)).distance() == pytest.approx(
        wasserstein_distance(x[np.isfinite(x)], y), rel=1e-12
    )


def test_analytic(rng):
    """A shift d moves everything by d; widths s and t differ by |s - t| E|z| = |s-t| (2/pi)^1/2."""
    n = 100_000
    x = rng.normal(size=n)
    assert Pooled(x, x, one_group(n)).distance() == 0
    assert Pooled(x, x + 0.3, one_group(n)).distance() == pytest.approx(0.3, rel=1e-9)
    y = rng.normal(size=n)
    # The mean of |x| sorted against |y| sorted fluctuates by about 1/sqrt(n) of a width.
    assert Pooled(x, 1.5 * y, one_group(n)).distance() == pytest.approx(
        0.5 * np.sqrt(2 / np.pi), abs=4 * 1.5 / np.sqrt(n)
    )


def samples(rng, counts, shift=0.0):
    """Values that grow a thousandfold from the first group to the last, as layer energies do."""
    scale = np.repeat(10.0 ** np.arange(len(counts)), counts)
    return scale * rng.normal(5 + shift, 1, size=len(scale))


def test_errors_and_floor_respect_the_groups(rng):
    """Bootstrap and permutations agree with new samples, although groups differ thousandfold."""
    counts = np.array([300, 300, 300, 300])
    strata = Strata(counts)
    shifted = [
        Pooled(samples(rng, counts), samples(rng, counts, 0.5), strata).distance()
        for _ in range(150)
    ]
    null = [
        Pooled(samples(rng, counts), samples(rng, counts), strata).distance() for _ in range(150)
    ]
    stated = [
        Pooled(samples(rng, counts), samples(rng, counts, 0.5), strata).error(rng)
        for _ in range(20)
    ]
    # Known to 1/sqrt(300) = 6 % and 7 % / sqrt(20).
    assert np.mean(stated) == pytest.approx(np.std(shifted), rel=0.25)
    floors = [
        Pooled(samples(rng, counts), samples(rng, counts), strata).null(rng) for _ in range(20)
    ]
    means, uppers = [f.mean for f in floors], [f.upper for f in floors]
    assert np.mean([f.spread for f in floors]) == pytest.approx(np.std(null), rel=0.25)
    error = np.std(null) / np.sqrt(150) + np.std(means) / np.sqrt(20)
    assert abs(np.mean(means) - np.mean(null)) < 4 * error
    assert np.mean(means) < np.mean(uppers) < 6 * np.mean(means)
    assert RESAMPLES >= 100  # else the 99 % quantile is the maximum


def test_strata(rng):
    strata = Strata(np.array([3, 0, 5]))
    drawn = np.stack([strata.bootstrap(rng) for _ in range(400)])
    assert set(drawn[:, :3].ravel()) == {0, 1, 2}
    assert set(drawn[:, 3:].ravel()) == set(range(3, 8))
    assert 0.4 < np.mean([strata.exchange(rng).mean() for _ in range(400)]) < 0.6


def test_chi_square_by_hand():
    """Bins (2, 4) against (4, 2): 4/6 + 4/6 = 4/3 for one degree of freedom."""
    first, second = np.array([0, 0, 1, 1, 1, 1.0]), np.array([0, 0, 0, 0, 1, 1.0])
    found = chi_square(first, second, np.array([0.5]))
    assert (found.value, found.ndf) == (pytest.approx(4 / 3), 1)
    assert found.p_value == pytest.approx(0.2482, abs=1e-4)  # tables of chi2, one degree
    assert chi_square(first, second, np.array([])) is None
    assert chi_square(first, second, np.array([7.0])) is None


def test_chi_square_of_equal_laws(rng):
    """chi2/ndf scatters about 1 by sqrt(2/ndf), and its probabilities are uniform."""
    found = []
    for _ in range(300):
        x, y = rng.normal(1, 0.1, size=(2, 2000))
        found.append(chi_square(x, y, merged_edges(x)))
    values = np.array([f.value for f in found])
    ndf = np.array([f.ndf for f in found])
    assert ndf.min() >= 20
    assert abs(values.mean() - 1) < 4 * np.sqrt(2 / ndf.mean() / 300)
    assert np.mean([f.error for f in found]) == pytest.approx(values.std(), rel=0.25)
    assert kstest([f.p_value for f in found], "uniform").pvalue > 1e-4


def test_chi_square_of_a_shift(rng):
    """Errors hold away from equality, too; a shift by a fifth of a width is certain."""
    found = []
    for _ in range(200):
        x, y = rng.normal(1, 0.1, 2000), rng.normal(1.02, 0.1, 2000)
        found.append(chi_square(x, y, merged_edges(x)))
    values = np.array([f.value for f in found])
    assert values.mean() > 2
    assert np.mean([f.error for f in found]) == pytest.approx(values.std(), rel=0.25)
    assert np.median([f.p_value for f in found]) < 1e-4


def test_bins_are_filled(rng):
    x = rng.standard_t(3, size=3000)
    edges = merged_edges(x)
    counts = np.bincount(np.searchsorted(edges, x, side="right"), minlength=len(edges) + 1)
    assert counts.min() >= FEWEST
    assert len(merged_edges(np.ones(50))) == 0
    assert len(merged_edges(rng.normal(size=2 * FEWEST - 1))) == 0
