"""Losses that compare drawn showers with those of the simulation, as parts of an objective.

All compare the joint distribution of coordinates and condition: p(x | c) p(c) with q(x | c) p(c),
the drawn x having the very conditions of the real ones. The two are equal if and only if p and q
are at (almost) every condition, and nothing asks for many showers of one condition. A condition
stands beside the coordinates, multiplied by ``condition_scale``: the larger it is, the less showers
of different energies are taken for each other, and the fewer a shower is compared with.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import torch

from fastcaloq_infer.training.losses.config import (
    LossTerm,
    MmdTerm,
    SampleTerm,
    SlicedWassersteinTerm,
    WassersteinTerm,
)
from fastcaloq_infer.training.losses.critic import Critic, critic_step
from fastcaloq_infer.training.losses.mmd import mmd_squared
from fastcaloq_infer.training.losses.sliced_wasserstein import (
    random_directions,
    sliced_wasserstein,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Generator, Tensor

    from fastcaloq_infer.training.losses.config import LossConfig

    Draw = Callable[[Tensor], Tensor]

__all__ = ["SampleLoss", "joint", "sample_losses"]

_JUDGED_DIRECTIONS = 256

Config = TypeVar("Config", bound=LossTerm)


def joint(x: Tensor, condition: Tensor, scale: float) -> Tensor:
    """Coordinates (N, L) with the scaled condition (N, 2) times ``scale`` beside them."""
    return torch.cat([x, scale * condition], dim=1)


class SampleLoss(ABC, Generic[Config]):
    """A distance between real and drawn coordinates under the same conditions.

    Attributes
    ----------
    config
        Weight and settings.
    rows
        Showers of a batch that are compared; None: all.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.rows: int | None = config.rows if isinstance(config, SampleTerm) else None

    @abstractmethod
    def loss(self, real: Tensor, drawn: Tensor, condition: Tensor, random: Generator) -> Tensor:
        """Return what a step minimises, a number, of (N, L), (N, L) and (N, 2)."""

    def distance(self, real: Tensor, drawn: Tensor, condition: Tensor, random: Generator) -> Tensor:
        """Return the distance by which models are chosen; the loss itself unless it is learnt."""
        return self.loss(real, drawn, condition, random)

    def before_step(
        self, real: Tensor, condition: Tensor, draw: Draw, factor: float, random: Generator
    ) -> None:
        """Adapt to the model as it is: ``draw`` gives coordinates at conditions (N, 2).

        ``factor`` is the present learning rate in units of the peak's.
        """

    def to(self, device: torch.device) -> None:
        """Move beside the data."""

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed training needs to go on in the same way."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore :meth:`state_dict`."""


class MmdLoss(SampleLoss[MmdTerm]):
    """Squared maximum mean discrepancy, unbiased: around 0, also below it, for equal ones."""

    def loss(self, real: Tensor, drawn: Tensor, condition: Tensor, random: Generator) -> Tensor:
        """See :func:`~fastcaloq_infer.training.losses.mmd.mmd_squared`."""
        scale = self.config.condition_scale
        return mmd_squared(
            joint(real, condition, scale), joint(drawn, condition, scale), self.config.bandwidths
        )


class SlicedWassersteinLoss(SampleLoss[SlicedWassersteinTerm]):
    """Sliced Wasserstein distance along directions drawn for every comparison."""

    def loss(self, real: Tensor, drawn: Tensor, condition: Tensor, random: Generator) -> Tensor:
        """See :func:`~.sliced_wasserstein.sliced_wasserstein`."""
        config = self.config
        return _sliced(
            real, drawn, condition, config.condition_scale, config.directions, config.order, random
        )


class WassersteinLoss(SampleLoss[WassersteinTerm]):
    """Wasserstein-1 distance at each condition, as a critic sees it that is trained beside.

    The critic sees the condition, so showers of different energies are never taken for each other.
    Before every step of the model it takes ``n_critic`` steps, each with its own part of the batch.
    How far a critic sees depends on how long it has looked, so looks at held-out showers are judged
    without it: by the sliced Wasserstein-1 distance.
    """

    def __init__(self, config: WassersteinTerm, coordinates: int, dtype: torch.dtype) -> None:
        super().__init__(config)
        self.critic = Critic(coordinates, config.critic).to(dtype)
        self._optimiser = self._adam()

    def _adam(self) -> torch.optim.Adam:
        return torch.optim.Adam(
            self.critic.parameters(), lr=self.config.lr, betas=self.config.betas, fused=True
        )

    def loss(self, real: Tensor, drawn: Tensor, condition: Tensor, random: Generator) -> Tensor:
        """Return the critic's distance; only the drawn showers have a gradient."""
        with torch.no_grad():
            there: Tensor = self.critic(real, condition).mean()
        # The critic's own gradients are not wanted: its next step begins by deleting them.
        here: Tensor = self.critic(drawn, condition).mean()
        return there - here

    def distance(self, real: Tensor, drawn: Tensor, condition: Tensor, random: Generator) -> Tensor:
        """Return the sliced Wasserstein-1 distance."""
        scale = SampleTerm.model_fields["condition_scale"].default
        return _sliced(real, drawn, condition, scale, _JUDGED_DIRECTIONS, 1, random)

    def before_step(
        self, real: Tensor, condition: Tensor, draw: Draw, factor: float, random: Generator
    ) -> None:
        """Let the critic take its steps."""
        config = self.config
        for group in self._optimiser.param_groups:
            group["lr"] = config.lr * factor
        with torch.no_grad():
            drawn = draw(condition)
        parts = min(config.n_critic, len(real))
        for part in range(parts):
            rows = slice(part * len(real) // parts, (part + 1) * len(real) // parts)
            critic_step(
                self.critic, self._optimiser, real[rows], drawn[rows], condition[rows],
                penalty=config.gradient_penalty, random=random,
            )  # fmt: skip

    def to(self, device: torch.device) -> None:
        """Move the critic; its optimiser starts anew."""
        self.critic.to(device)
        self._optimiser = self._adam()

    def state_dict(self) -> dict[str, Any]:
        """Return the critic and its optimiser."""
        return {"critic": self.critic.state_dict(), "optimiser": self._optimiser.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the critic and its optimiser."""
        self.critic.load_state_dict(state["critic"], strict=True)
        self._optimiser.load_state_dict(state["optimiser"])


def _sliced(
    real: Tensor,
    drawn: Tensor,
    condition: Tensor,
    scale: float,
    number: int,
    order: int,
    random: Generator,
) -> Tensor:
    first, second = joint(real, condition, scale), joint(drawn, condition, scale)
    directions = random_directions(number, first.shape[1], random, first)
    return sliced_wasserstein(first, second, directions, order=order)


def sample_losses(
    config: LossConfig, coordinates: int, dtype: torch.dtype
) -> dict[str, SampleLoss[Any]]:
    """Make the losses of a configuration that compare samples, by name.

    ``coordinates`` is their number; random weights of a critic are torch's.
    """
    found: dict[str, SampleLoss[Any]] = {}
    if config.wasserstein is not None:
        found["wasserstein"] = WassersteinLoss(config.wasserstein, coordinates, dtype)
    if config.sliced_wasserstein is not None:
        found["sliced_wasserstein"] = SlicedWassersteinLoss(config.sliced_wasserstein)
    if config.mmd is not None:
        found["mmd"] = MmdLoss(config.mmd)
    return found
