"""The objective of a configuration's section ``loss``: a weighted sum of losses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Generator

from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.flow.shape.voxel_flow import VoxelFlow
from fastcaloq_infer.training.config import TrainConfig
from fastcaloq_infer.training.losses.config import LossConfig
from fastcaloq_infer.training.losses.terms import sample_losses
from fastcaloq_infer.training.objective import MaximumLikelihood, Objective, ShapeLikelihood
from fastcaloq_infer.training.seeds import Stream, stream_seed

if TYPE_CHECKING:
    from torch import Tensor

    from fastcaloq_infer.flow.energy_model import EnergyModel
    from fastcaloq_infer.training.config import TrainingConfig
    from fastcaloq_infer.training.objective import Prepared

__all__ = ["Mixture", "objective_of"]

_JUDGED = 2048  # held-out showers that drawn ones are compared with: a kernel takes 16 MiB each


def objective_of(flow: EnergyModel | VoxelFlow, config: TrainingConfig) -> Objective:
    """Return the objective that trains a flow as configured.

    Raises
    ------
    ConfigError
        The model cannot have the loss.
    """
    if isinstance(flow, VoxelFlow):
        return ShapeLikelihood(flow, mixed=config.precision != "full")
    if not isinstance(config, TrainConfig) or config.loss == LossConfig.likelihood_alone():
        return MaximumLikelihood(flow)
    return Mixture(flow, config.loss, config.seed)


class Mixture(MaximumLikelihood):
    """Weighted sum of losses of layer energies, in preprocessed coordinates.

    Losses that compare samples are a number for a batch as a whole, which each of its rows gets in
    full: the mean over rows is what is minimised. They share one drawn sample per step.

    Parameters
    ----------
    flow
        The model to train, in the dtype of the training.
    config
        Losses and weights.
    seed
        The run's seed: draws of all steps, and a critic's first weights.

    Raises
    ------
    ConfigError
        Samples are to be compared, but those the model draws have no gradient.
    """

    def __init__(self, flow: EnergyModel, config: LossConfig, seed: int) -> None:
        super().__init__(flow)
        self._likelihood = 0.0 if config.likelihood is None else config.likelihood.weight
        weight = next(flow.parameters())
        self._seed = seed
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(stream_seed(seed, Stream.LOSS))
            self._terms = sample_losses(config, flow.n_layers, weight.dtype)
        self._random = Generator().manual_seed(stream_seed(seed, Stream.LOSS))
        if self._terms:
            _refuse_without_gradient(flow, next(iter(self._terms)), self._random)

    def before_step(self, batch: list[Tensor], factor: float) -> None:
        """Let critics look at the model as it is; ``factor``: learning rate over its peak."""
        x, condition, _ = batch
        for term in self._terms.values():
            term.before_step(x, condition, self._draw, factor, self._random)

    def forward(self, *batch: Tensor) -> Tensor:
        """Return the loss (B,) of prepared rows; its mean is the batch's."""
        x, condition, _ = batch
        total = self._likelihood * self.nll(*batch) if self._likelihood else x.new_zeros(len(x))
        if self._terms:
            wanted = [len(x) if t.rows is None else t.rows for t in self._terms.values()]
            few = slice(0, min(len(x), max(wanted)))
            total = total + self._apart(x[few], condition[few], self._random, judging=False)
        return total

    def nll(self, *batch: Tensor) -> Tensor:
        """Return the negative log likelihood (B,) of prepared rows."""
        return super().forward(*batch)

    @torch.no_grad()
    def held_out(self, nll: float, rows: Prepared) -> float:
        """Return the loss of held-out rows with the same draws at every look; see `Objective`."""
        total = self._likelihood * nll if self._likelihood else 0.0
        if self._terms:
            every = -(-len(rows[0]) // _JUDGED)
            x, condition = (tensor[::every] for tensor in rows[:2])
            random = Generator(x.device).manual_seed(
                stream_seed(self._seed, Stream.VALIDATION_NOISE)
            )
            total += float(self._apart(x, condition, random, judging=True))
        return total

    def _draw(self, condition: Tensor) -> Tensor:
        return self.flow.draw_coordinates(condition, self._random)

    def _apart(self, x: Tensor, condition: Tensor, random: Generator, *, judging: bool) -> Tensor:
        """Return the weighted sum of the distances of drawn from real coordinates."""
        drawn = self.flow.draw_coordinates(condition, random)
        total = x.new_zeros(())
        for term in self._terms.values():
            few = slice(0, None if judging else term.rows)
            compare = term.distance if judging else term.loss
            total = total + term.config.weight * compare(x[few], drawn[few], condition[few], random)
        return total

    def to_device(self, device: torch.device) -> Self:
        """Move weights, critics and random numbers beside the data."""
        for term in self._terms.values():
            term.to(device)
        self._random = Generator(device).manual_seed(stream_seed(self._seed, Stream.LOSS))
        return super().to_device(device)

    def companions(self) -> dict[str, Any]:
        """Return the state of random numbers and critics."""
        terms = {name: term.state_dict() for name, term in self._terms.items()}
        return {"random": self._random.get_state(), "terms": terms}

    def load_companions(self, state: dict[str, Any]) -> None:
        """Restore :meth:`companions`."""
        self._random.set_state(state["random"].cpu())
        for name, term in self._terms.items():
            term.load_state_dict(state["terms"][name])


def _refuse_without_gradient(flow: EnergyModel, loss: str, random: Generator) -> None:
    parameter = next(flow.parameters())
    condition = torch.zeros((2, 2), dtype=parameter.dtype, device=parameter.device)
    if not flow.draw_coordinates(condition, random).requires_grad:
        raise ConfigError(
            f"loss '{loss}' follows the gradient of drawn showers, but those of this model have "
            "none (measured outcomes are discrete); use 'loss: likelihood' or another quantum.kind"
        )
