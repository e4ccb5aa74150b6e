"""The density of a flow of zuko is one in MeV, like ours."""

import math

import numpy as np
import pytest
import torch

from fastcaloq_infer.baselines.zuko_flow import NsfConfig, ZukoBlocks


@pytest.fixture
def blocks():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        blocks = ZukoBlocks(2, 1, NsfConfig(transforms=2, hidden=(8,), bins=4)).double()
    blocks.shift.copy_(torch.tensor([0.5, -0.3]))
    blocks.scale.copy_(torch.tensor([1.5, 0.7]))
    return blocks


@torch.no_grad()
def test_forward_and_inverse_undo_each_other(blocks):
    x, context = torch.randn(50, 2).double(), torch.rand(50, 1).double()
    z, log_abs_det = blocks(x, context)
    back, minus = blocks.inverse(z, context)
    # Roots of quadratics in two splines: a few hundred roundings at slopes up to 1e3.
    assert torch.allclose(back, x, atol=1e-9)
    assert torch.allclose(minus, -log_abs_det, atol=1e-8)


def test_log_abs_det_is_that_of_the_jacobian(blocks):
    x, context = torch.randn(5, 2).double(), torch.rand(5, 1).double()
    for row, condition in zip(x, context, strict=True):
        jacobian = torch.autograd.functional.jacobian(
            lambda r, c=condition: blocks(r[None], c[None])[0][0], row
        )
        expected = torch.linalg.slogdet(jacobian).logabsdet
        assert math.isclose(
            blocks(row[None], condition[None])[1].item(), expected.item(), abs_tol=1e-9
        )


def test_the_density_in_mev_is_that_of_the_samples(fit):
    """The share of samples in a box of layer energies is the density's integral over it."""
    fitted = fit("zuko")
    drawn, points, energy, eta = 10_000, 4_000, 65536.0, 0.225
    layers = fitted.sample(np.full(drawn, energy), np.full(drawn, eta), seed=1)
    full = (layers > 0).all(axis=1)
    low, high = np.quantile(layers[full], [0.2, 0.8], axis=0)
    share = ((layers > low) & (layers < high)).all(axis=1).mean()
    box = np.random.default_rng(2).uniform(low, high, (points, 5))
    density = np.exp(fitted.log_prob(box, np.full(points, energy), np.full(points, eta)))
    values = density * np.prod(high - low)
    error = math.hypot(math.sqrt(share / drawn), values.std() / math.sqrt(points))
    assert error < 0.15 * share
    assert abs(values.mean() - share) < 4 * error
