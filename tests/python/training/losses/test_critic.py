"""The critic's penalty on functions whose gradient is known, and its steps."""

import math

import pytest
import torch

from fastcaloq_infer.training.losses.critic import Critic, critic_step, gradient_penalty


@pytest.mark.parametrize("length", [0.0, 1.0, 3.0])
def test_the_penalty_of_a_linear_critic_is_known(length):
    slope = torch.tensor([3.0, 0.0, -4.0], dtype=torch.float64) / 5 * length
    real, fake = (torch.randn(20, 3, dtype=torch.float64) for _ in range(2))
    condition = torch.rand(20, 2, dtype=torch.float64)

    def critic(x, c):
        return x @ slope + c.sum(dim=1)

    penalty = gradient_penalty(critic, real, fake, condition)
    assert math.isclose(penalty.item(), (length - 1) ** 2, abs_tol=1e-12)


def test_the_penalty_is_taken_between_the_showers():
    """A quadratic critic |x|^2 / 2 has gradient x: on the line from 0 to 2 its length is 2 u."""
    real, fake = torch.full((4000, 1), 2.0), torch.zeros(4000, 1)
    random = torch.Generator().manual_seed(1)
    penalty = gradient_penalty(
        lambda x, _: x.square().sum(dim=1) / 2, real, fake, torch.zeros(4000, 0), random
    )
    # u uniform: E (2u - 1)^2 = 1/3, variance of (2u - 1)^2 = 4/45.
    assert abs(penalty.item() - 1 / 3) < 4 * math.sqrt(4 / 45 / 4000)


def test_the_penalty_reaches_the_critics_weights():
    weight = torch.tensor([2.0], requires_grad=True)
    x = torch.randn(8, 1)
    gradient_penalty(lambda r, _: r @ weight, x, x, torch.zeros(8, 0)).backward()
    assert math.isclose(weight.grad.item(), 2.0, rel_tol=1e-6)  # d (w - 1)^2 / dw at 2


def test_a_critic_finds_the_distance_of_two_shifted_samples():
    """Wasserstein-1 of a sample and another one shifted by 1.5 is 1.5."""
    random = torch.Generator().manual_seed(1)
    torch.manual_seed(1)
    # On a line a critic may stick at the slope -1; with more directions it turns round.
    shift = torch.tensor([1.5, 0.0, 0.0])
    critic = Critic(3, (16,))
    optimiser = torch.optim.Adam(critic.parameters(), lr=5e-3, betas=(0.0, 0.9))
    nothing = torch.zeros(512, 2)
    for _ in range(300):
        real, fake = (torch.randn((512, 3), generator=random) for _ in range(2))
        seen = critic_step(
            critic, optimiser, real + shift, fake, nothing, penalty=10.0, random=random
        )
    # The penalty lets the slope g exceed 1 where 1.5 g - 10 (g - 1)^2 is largest, by 0.075; a
    # difference of two means of 512 scatters by g sqrt(2 / 512) = 0.07.
    assert seen == pytest.approx(1.5 * 1.075, abs=4 * 0.07)
