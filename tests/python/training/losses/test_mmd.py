"""The maximum mean discrepancy on samples whose value is known."""

import math

import pytest
import torch

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.training.losses.mmd import gaussian_kernel, mmd_squared


def normal(n: int, dimension: int, seed: int, shift: float = 0.0) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randn((n, dimension), generator=random, dtype=torch.float64) + shift


def expected_gaussian_mmd(dimension: int, shift: float, width: float) -> float:
    """MMD^2 of N(0, 1) and N(shift, 1) per coordinate: x - y is N(0 or shift, 2)."""
    within = (width**2 / (width**2 + 2.0)) ** (dimension / 2)
    across = within * math.exp(-dimension * shift**2 / (2.0 * (width**2 + 2.0)))
    return 2.0 * (within - across)


def test_kernel_of_known_distances() -> None:
    rows = torch.tensor([[0.0, 0.0], [3.0, 4.0]], dtype=torch.float64)
    kernel = gaussian_kernel(rows, rows, (5.0, 10.0))
    across = 0.5 * (math.exp(-0.5) + math.exp(-0.125))
    expected = torch.tensor([[1.0, across], [across, 1.0]], dtype=torch.float64)
    torch.testing.assert_close(kernel, expected, rtol=1e-14, atol=0)


def test_biased_estimate_of_a_sample_with_itself_is_zero() -> None:
    rows = normal(100, 3, 1)
    assert abs(float(mmd_squared(rows, rows, unbiased=False))) < 1e-14


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_gaussians_have_the_known_value(shift: float) -> None:
    widths = (0.5, 1.0, 2.0)
    values = torch.stack(
        [mmd_squared(normal(300, 2, 2 * s), normal(300, 2, 2 * s + 1, shift), widths)
         for s in range(40)]
    )  # fmt: skip
    expected = sum(expected_gaussian_mmd(2, shift, width) for width in widths) / len(widths)
    error = float(values.std()) / math.sqrt(len(values))
    assert abs(float(values.mean()) - expected) < 4.0 * error
    if shift:
        assert expected > 10.0 * error


def test_gradient_moves_a_sample_towards_the_other() -> None:
    moving = normal(200, 2, 1, 2.0).requires_grad_()
    (gradient,) = torch.autograd.grad(mmd_squared(normal(200, 2, 2), moving), moving)
    assert bool((gradient.mean(dim=0) > 0).all())
    direction = torch.ones_like(moving)
    step = 1e-5
    with torch.no_grad():
        ahead = mmd_squared(normal(200, 2, 2), moving + step * direction)
        behind = mmd_squared(normal(200, 2, 2), moving - step * direction)
    assert float((ahead - behind) / (2 * step)) == pytest.approx(float(gradient.sum()), rel=1e-7)


def test_single_row_is_refused() -> None:
    with pytest.raises(InputError, match="at least 2 of each"):
        mmd_squared(normal(1, 2, 1), normal(5, 2, 2))
