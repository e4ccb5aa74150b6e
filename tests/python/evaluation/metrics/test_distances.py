"""FPD and KPD against analytic distances and against jetnet's numbers on the same arrays.

The numbers of jetnet 0.2.5 were computed once with its functions ``_calculate_frechet_distance``,
``fpd``, ``_mmd_poly_quadratic_unbiased`` (numpy 2.4, scipy 1.17) on the arrays made here.
"""

from __future__ import annotations

import numpy as np
import pytest

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.metrics.distances import distances, scaled
from fastcaloq_infer.evaluation.metrics.frechet import frechet_distance, frechet_physics_distance
from fastcaloq_infer.evaluation.metrics.kernel import kernel_physics_distance, polynomial_mmd

# Smallest sample for which pulls are what they claim; see `frechet`.
N = 4000


@pytest.fixture(scope="module")
def arrays():
    """Three samples of 6,000 showers: the second is shifted and scaled, the third is not."""
    rng = np.random.default_rng(5)
    mixing = np.array([[1, 0.3, 0], [0, 1, -0.5], [0, 0, 0.7]])
    first = rng.normal(size=(6000, 3)) @ mixing + 1.0
    second = (rng.normal(size=(6000, 3)) * [1.1, 1, 0.9]) @ mixing + np.array([1.05, 1, 0.9])
    third = rng.normal(size=(6000, 3)) @ mixing + 1.0
    return first, second, third


def _fpd(first, second, seed=1, **options):
    first, second = scaled(first, second, scaling="largest")
    return frechet_physics_distance(first, second, np.random.default_rng(seed), **options)


def test_frechet_distance_of_commuting_covariances():
    """Diagonal covariances: d^2 = |mu_1 - mu_2|^2 + sum (s_1 - s_2)^2."""
    mean, first, second = np.array([0.3, -0.4]), np.array([1.0, 2.0]), np.array([1.5, 0.0])
    found = frechet_distance(mean, np.diag(first**2), 0 * mean, np.diag(second**2))
    assert found == pytest.approx(0.25 + 0.25 + 4.0, rel=1e-12)


def test_frechet_distance_is_jetnets(arrays):
    first, second, _ = arrays
    moments = [f(x) for x in (first, second) for f in (lambda x: x.mean(0), lambda x: np.cov(x.T))]
    assert frechet_distance(*moments) == pytest.approx(0.025095530350988327, rel=1e-10)


@pytest.mark.parametrize(
    ("which", "value", "error"),
    [(1, 0.0013013751181065326, 5.867e-05), (2, 0.00016206430903022503, 2.880e-05)],
)
def test_published_fpd_is_jetnets(arrays, which, value, error):
    """The same subsamples; jetnet's iterative fit of the line stops within half of its error."""
    found = _fpd(arrays[0], arrays[which], 42, smallest=1000, largest=5000, published=True)
    assert found[0] == pytest.approx(value, abs=0.5 * error)
    assert found[1] == pytest.approx(error, rel=0.02)


def test_mmd_is_jetnets(arrays):
    assert polynomial_mmd(arrays[0][:2000], arrays[1][:2000]) == pytest.approx(
        0.9293357355231677, rel=1e-8
    )


def test_fpd_of_shifted_gaussians(rng):
    """The mean is all that differs: the distance is the square of the shift over the scale."""
    first, second = rng.normal(size=(2, N, 4))
    second[:, 0] += 0.3
    scale = np.abs(first).max(axis=0)[0]
    value, error = _fpd(first, second)
    assert abs(value - (0.3 / scale) ** 2) < 4 * error
    assert value > 5 * error


def test_fpd_of_scaled_gaussians(rng):
    first, second = rng.normal(size=(2, N, 4))
    second[:, 0] *= 1.3
    scale = np.abs(first).max(axis=0)[0]
    value, error = _fpd(first, second)
    assert abs(value - (0.3 / scale) ** 2) < 4 * error
    assert value > 5 * error


def test_equal_distributions_have_no_distance(rng):
    """Compatible with zero, each by its own error and all together."""
    pulls = {"fpd": [], "kpd": []}
    for _ in range(6):
        first, second = rng.exponential(size=(2, 2000, 6))
        for figure in distances(first, second, second, features="high"):
            pulls[figure.name].append(figure.value / figure.error)
    for values in pulls.values():
        assert np.abs(values).max() < 4
        assert abs(np.mean(values)) < 4 / np.sqrt(len(values))


def test_published_way_is_biased_where_this_one_is_not(rng):
    """Draws with replacement leave c/N: the reason for not following the published code."""
    first, second = rng.normal(size=(2, 1000, 8))
    options = {"smallest": 200, "largest": 1000}
    biased = _fpd(first, second, published=True, **options)[0]
    value, error = _fpd(first, second)
    assert biased - value > error
    assert abs(value) < 4 * error


def test_kpd_sees_what_moments_do_not(rng):
    """Equal means and covariances, third moments 1.5 and fourth moments 3.25 instead of 0 and 3.

    The squared distance sums squared differences of moments with the kernel's coefficients:
    4/2^3 (1.5^2 + 1.5^2) + 1/2^4 (0.25^2 + 0.25^2).
    """
    first = rng.normal(size=(N, 2))
    second = (rng.random(size=(N, 2)) < 0.2) / 0.4 - 0.5
    value, error = kernel_physics_distance(first, second, rng)
    assert abs(value - 2.2578) < 4 * error
    assert value > 5 * error
    assert abs(frechet_physics_distance(first, second, rng)[0]) < 0.01


def test_mmd_by_hand():
    first, second = np.array([[1.0], [2.0]]), np.array([[0.0], [-1.0]])
    # k(1,2) = 81; k(0,-1) = 1; k(1,0) = k(2,0) = 1, k(1,-1) = 0, k(2,-1) = 1.
    assert polynomial_mmd(first, second) == pytest.approx(81 + 1 - 2 * 3 / 4)


def test_figures_stand_beside_their_floor_and_repeat(rng):
    first, second, third = rng.normal(size=(3, 1000, 3))
    figures = distances(first, second + 1.0, third, features="high", seed=3)
    assert [figure.name for figure in figures] == ["fpd", "kpd"]
    assert all(figure.value > 5 * figure.error > 0 for figure in figures)
    assert all(abs(figure.floor) < 4 * figure.floor_error for figure in figures)
    assert distances(first, second + 1.0, third, features="high", seed=3) == figures
    assert distances(first, second + 1.0, third, features="high", seed=4) != figures


def test_too_few_showers_have_no_distance(rng):
    first = rng.normal(size=(50, 3))
    assert distances(first, first, first, features="high") == ()


def test_scaling_is_that_of_the_reference():
    reference = np.array([[1.0, 5.0, np.nan], [-4.0, 5.0, 2.0], [3.0, 5.0, 4.0]])
    other = np.array([[8.0, 6.0, np.nan]])
    largest = scaled(reference, other, scaling="largest")
    np.testing.assert_allclose(largest[0], [[0.25, 1, 0], [-1, 1, 0.5], [0.75, 1, 1]])
    np.testing.assert_allclose(largest[1], [[2.0, 1.2, 0.0]])
    deviation = scaled(reference, other, scaling="deviation")
    # Columns: mean 0, deviation sqrt(26/3); constant; mean 3, deviation 1 over the two that exist.
    np.testing.assert_allclose(deviation[0][:, 0], reference[:, 0] / np.sqrt(26 / 3))
    np.testing.assert_allclose(deviation[0][:, 1:], [[0, 0], [0, -1], [0, 1]])
    np.testing.assert_allclose(deviation[1], [[8 / np.sqrt(26 / 3), 1.0, 0.0]])


def test_features_that_cannot_be_compared():
    with pytest.raises(InputError, match="same features"):
        scaled(np.ones((3, 2)), np.ones((3, 4)), scaling="largest")
    with pytest.raises(InputError, match="infinite"):
        scaled(np.ones((3, 2)), np.full((3, 2), np.inf), scaling="largest")
