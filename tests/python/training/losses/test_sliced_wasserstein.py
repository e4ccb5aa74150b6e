"""The sliced Wasserstein distance on samples whose value is known."""

import math

import pytest
import torch

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.training.losses.sliced_wasserstein import (
    random_directions,
    sliced_wasserstein,
)


def normal(n, dimension, seed):
    random = torch.Generator().manual_seed(seed)
    return torch.randn((n, dimension), generator=random, dtype=torch.float64)


@pytest.mark.parametrize("order", [1, 2])
def test_a_shifted_sample_is_as_far_as_its_shift(order):
    """On a line every value moves by the shift; ranks stay."""
    sample = normal(500, 1, 1)
    along = torch.ones((1, 1), dtype=torch.float64)
    value = sliced_wasserstein(sample, sample + 0.7, along, order=order)
    assert float(value) == pytest.approx(0.7**order, rel=1e-12)


@pytest.mark.parametrize("order", [1, 2])
def test_many_directions_see_the_mean_projection_of_a_shift(order):
    shift = torch.tensor([1.0, -2.0, 2.0], dtype=torch.float64)  # of length 3
    sample = normal(50, 3, 1)
    directions = random_directions(4000, 3, torch.Generator().manual_seed(2), sample)
    value = float(sliced_wasserstein(sample, sample + shift, directions, order=order))
    # A component of a unit vector in space is uniform on [-1, 1]: means 1/2 and 1/3.
    expected, spread = (
        (3 / 2, 3 * math.sqrt(1 / 12)) if order == 1 else (3.0, 9 * math.sqrt(4 / 45))
    )
    assert abs(value - expected) < 4 * spread / math.sqrt(4000)


def test_widths_differ_by_the_difference_of_quantiles():
    """W_1 of N(0, 1) and N(0, s^2) is (s - 1) E|x| = (s - 1) sqrt(2 / pi)."""
    sample = normal(20_000, 1, 3)
    along = torch.ones((1, 1), dtype=torch.float64)
    value = float(sliced_wasserstein(sample, 3.0 * sample, along))
    error = 2.0 * math.sqrt((1 - 2 / math.pi) / 20_000)
    assert abs(value - 2.0 * math.sqrt(2 / math.pi)) < 4 * error


def test_directions_have_length_one_and_follow_the_seed():
    like = torch.zeros(1, dtype=torch.float64)
    first, second = (
        random_directions(10, 4, torch.Generator().manual_seed(1), like) for _ in range(2)
    )
    assert torch.equal(first, second)
    torch.testing.assert_close(first.norm(dim=1), torch.ones(10, dtype=torch.float64))


def test_gradient_is_that_of_a_difference_quotient():
    real, directions = normal(40, 2, 1), random_directions(7, 2, None, torch.zeros(1).double())
    moving = normal(40, 2, 2).requires_grad_()
    value = sliced_wasserstein(real, moving, directions, order=2)
    (gradient,) = torch.autograd.grad(value, moving)
    step = 1e-6 * normal(40, 2, 3)
    with torch.no_grad():
        ahead = sliced_wasserstein(real, moving + step, directions, order=2)
        behind = sliced_wasserstein(real, moving - step, directions, order=2)
    assert float(ahead - behind) / 2 == pytest.approx(float((gradient * step).sum()), rel=1e-6)


def test_samples_of_different_size_are_refused():
    with pytest.raises(InputError, match="two of the same size"):
        sliced_wasserstein(normal(3, 2, 1), normal(4, 2, 1), torch.eye(2).double())
