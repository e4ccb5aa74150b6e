"""The average of the weights against its definition."""

import pytest
import torch
from torch import nn

from fastcaloq_infer.training.ema import ExponentialMovingAverage


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.999])
def test_the_average_follows_its_recursion(decay):
    torch.manual_seed(0)
    model = nn.Linear(3, 2, dtype=torch.float64)
    ema = ExponentialMovingAverage(model, decay)
    expected = model.weight.detach().clone()
    for n in range(1, 60):
        with torch.no_grad():
            model.weight.add_(torch.randn_like(model.weight))
        ema.update()
        d = min(decay, (1 + n) / (10 + n))
        expected = d * expected + (1 - d) * model.weight.detach()
    # 60 lerps of two roundings each, on numbers of order 10
    torch.testing.assert_close(ema.model.weight, expected, rtol=1e-13, atol=1e-13)


def test_a_constant_model_is_its_own_average():
    model = nn.Linear(4, 4)
    ema = ExponentialMovingAverage(model, 0.9)
    for _ in range(20):
        ema.update()
    assert torch.equal(ema.model.weight, model.weight)


def test_only_trained_weights_move_and_infinite_constants_stay():
    model = nn.Linear(2, 2)
    model.bias.requires_grad_(False)
    model.register_buffer("bound", torch.tensor([float("-inf"), 1.0]))
    ema = ExponentialMovingAverage(model, 0.5)
    before = ema.model.weight.clone()
    with torch.no_grad():
        model.weight.add_(1.0)
        model.bias.add_(1.0)
    ema.update()
    assert not torch.equal(ema.model.weight, before)
    assert not torch.equal(ema.model.bias, model.bias)
    assert torch.equal(ema.model.bound, torch.tensor([float("-inf"), 1.0]))
    assert not any(parameter.requires_grad for parameter in ema.model.parameters())
