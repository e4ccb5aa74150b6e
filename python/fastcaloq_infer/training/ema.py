"""Exponential moving average of a model's weights, the model that is judged and shipped."""

from __future__ import annotations

import copy
from typing import Generic, TypeVar

import torch
from torch import nn

__all__ = ["ExponentialMovingAverage"]

Model = TypeVar("Model", bound=nn.Module)


class ExponentialMovingAverage(Generic[Model]):
    r"""Average of the weights over the steps taken (Polyak and Juditsky 1992).

    .. math:: \bar w_n = d_n \bar w_{n-1} + (1 - d_n) w_n, \quad d_n = \min(d, \tfrac{1+n}{10+n})

    The decay starts low so that the random first weights are forgotten within a few steps and short
    trainings are not judged by them. Only what is trained is averaged; buffers are constants.

    Parameters
    ----------
    model
        Model to follow; copied, the copy is :attr:`model`.
    decay
        ``d`` in [0, 1); 0 keeps the last weights.
    """

    def __init__(self, model: Model, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self._followed = [p.detach() for p in trained.values()]
        self._averaged = [self.model.get_parameter(name).detach() for name in trained]

    @torch.no_grad()
    def update(self) -> None:
        """Move the average towards the followed model's present weights."""
        self.updates += 1
        weight = 1.0 - min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(self._averaged, self._followed, weight)
