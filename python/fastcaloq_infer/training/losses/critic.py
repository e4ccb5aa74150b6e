"""A critic with gradient penalty, the two-sample test that a Wasserstein GAN learns.

Gulrajani et al., arXiv:1704.00028, algorithm 1. Serves every generator here: flows trained with
the loss ``wasserstein``, and the baseline `fastcaloq_infer.baselines.wgan`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Generator, nn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor
    from torch.optim import Optimizer

__all__ = ["Critic", "critic_step", "gradient_penalty", "perceptron"]


def perceptron(inputs: int, hidden: Sequence[int], outputs: int) -> nn.Sequential:
    """Return a multi-layer perceptron; SiLU has the second derivatives a penalty asks for."""
    layers: list[nn.Module] = []
    for before, after in pairwise((inputs, *hidden)):
        layers += [nn.Linear(before, after), nn.SiLU()]
    return nn.Sequential(*layers, nn.Linear((inputs, *hidden)[-1], outputs))


class Critic(nn.Module):
    """How real a shower looks: one number per shower, in no unit."""

    def __init__(self, inputs: int, hidden: Sequence[int]) -> None:
        super().__init__()
        self.network = perceptron(inputs + 2, hidden, 1)

    def forward(self, seen: Tensor, condition: Tensor) -> Tensor:
        """Values (N, 1) of numbers (N, K) under conditions (N, 2)."""
        value: Tensor = self.network(torch.cat([seen, condition], dim=1))
        return value


def gradient_penalty(
    critic: Callable[[Tensor, Tensor], Tensor],
    real: Tensor,
    generated: Tensor,
    condition: Tensor,
    random: Generator | None = None,
) -> Tensor:
    """Return the mean of (|grad_x critic(x, c)| - 1)^2 on random straight lines between showers.

    Parameters
    ----------
    critic
        Function of showers (N, K) and conditions (N, C) with values (N, 1) or (N,).
    real, generated
        Showers (N, K) with the same conditions, row by row.
    condition
        (N, C).
    random
        Draws the places on the lines.
    """
    place = torch.rand((len(real), 1), generator=random, dtype=real.dtype, device=real.device)
    between = torch.lerp(generated.detach(), real.detach(), place).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between, condition).sum(), between, create_graph=True)
    penalty: Tensor = (gradient.norm(dim=1) - 1.0).square().mean()
    return penalty


def critic_step(
    critic: Critic,
    optimiser: Optimizer,
    real: Tensor,
    generated: Tensor,
    condition: Tensor,
    *,
    penalty: float,
    random: Generator | None = None,
) -> float:
    """Take one step of the critic; return the distance that it saw before the step.

    Parameters
    ----------
    critic, optimiser
        The network and what moves its weights.
    real, generated
        Showers (N, K) with the same conditions, row by row; no gradient reaches them.
    condition
        (N, 2).
    penalty
        Weight of the gradient penalty.
    random
        Draws the places where the gradient is looked at.
    """
    both = critic(torch.cat([real, generated.detach()]), condition.repeat(2, 1))
    apart = both[: len(real)].mean() - both[len(real) :].mean()
    loss = penalty * gradient_penalty(critic, real, generated, condition, random) - apart
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()
    return float(apart.detach())
