"""The training loop: one object that holds everything a training is, and takes steps."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import torch
from torch import Generator

from fastcaloq_infer.training.batches import EpochBatches
from fastcaloq_infer.training.compiling import compiled
from fastcaloq_infer.training.divergence import possible, refuse_divergence
from fastcaloq_infer.training.ema import ExponentialMovingAverage
from fastcaloq_infer.training.history import History, Record
from fastcaloq_infer.training.losses.mixture import objective_of
from fastcaloq_infer.training.optimiser import adamw
from fastcaloq_infer.training.processes import (
    launch,
    mean_over_processes,
    own_part,
    sum_over_processes,
)
from fastcaloq_infer.training.schedule import learning_rate_factor
from fastcaloq_infer.training.seeds import Stream, stream_seed

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from fastcaloq_infer.flow.energy_model import EnergyModel
    from fastcaloq_infer.flow.shape.voxel_flow import VoxelFlow
    from fastcaloq_infer.training.config import TrainingConfig
    from fastcaloq_infer.training.data import ShowerTensors

__all__ = ["Trainer"]


class Trainer:
    """Trains a flow as configured; its state can be saved and restored at any step.

    Parameters
    ----------
    config
        What to do.
    flow
        Flow to train in place, initialised, in the dtype of the configuration.
    train, validation
        Showers to learn from and to be judged on, float64.

    Attributes
    ----------
    step
        Number of steps taken.
    history
        One record per look at the held-out showers.
    best
        Weights of the averaged flow at its best look.
    impossible
        Number of held-out showers with an empty layer that no training shower has: their
        likelihood is zero under any weights, and they are left out of the held-out likelihood.
    """

    def __init__(
        self,
        config: TrainingConfig,
        flow: EnergyModel | VoxelFlow,
        train: ShowerTensors,
        validation: ShowerTensors,
    ) -> None:
        self.config = config
        self.fabric = launch(config)
        device = self.fabric.device
        objective = objective_of(flow, config).to_device(device)
        self._objective = objective
        self.ema = ExponentialMovingAverage(objective, config.ema_decay)
        self._module, self._optimiser = self.fabric.setup(
            compiled(objective, device) if config.compile else objective,
            adamw(objective, config.optimiser),
        )
        self._weights = [p for p in objective.parameters() if p.requires_grad]
        self._batches = EpochBatches(objective, train.to(device), config.batch_size, config.seed)
        # The same noise at every look: looks differ by the weights alone.
        noise = Generator(device).manual_seed(stream_seed(config.seed, Stream.VALIDATION_NOISE))
        self._validation, self.impossible = possible(
            objective.prepare(validation.to(device), noise)
        )
        self.total_steps = config.total_steps(self._batches.per_epoch)
        self.step = self.skipped_steps = self._failures = 0
        self.last_loss = math.nan
        self._losses: list[float] = []
        self.history = History()
        self.best: dict[str, Tensor] = {}
        self._seconds, self._since = 0.0, time.perf_counter()

    @property
    def batch_size(self) -> int:
        """Showers per step."""
        return self._batches.batch_size

    @property
    def finished(self) -> bool:
        """Whether all steps are taken, or patience with the held-out loss has run out."""
        patience = self.config.patience
        return self.step >= self.total_steps or (
            patience is not None and self.history.since_best >= patience
        )

    @property
    def seconds(self) -> float:
        """Wall-clock time of the training so far, interruptions not counted."""
        return self._seconds + time.perf_counter() - self._since

    @property
    def learning_rate(self) -> float:
        """Learning rate of the next step."""
        factor = learning_rate_factor(self.config.schedule, self.step, self.total_steps)
        return self.config.optimiser.lr * factor

    def run(
        self,
        on_step: Callable[[Trainer], None] | None = None,
        on_look: Callable[[Trainer], None] | None = None,
        on_checkpoint: Callable[[Trainer], None] | None = None,
    ) -> None:
        """Take steps until :attr:`finished`.

        Parameters
        ----------
        on_step
            Called after every step; keep it cheap.
        on_look
            Called after every look at the held-out showers.
        on_checkpoint
            Called every ``checkpoint_every`` steps and at the end.

        Raises
        ------
        TrainingError
            The loss stays non-finite.
        """
        self._module.train()
        while not self.finished:
            self.take_step()
            if self.step >= self.total_steps or (
                self._batches.at_epoch_end and self._batches.epoch % self.config.evaluate_every == 0
            ):
                self._look()
                if on_look is not None:
                    on_look(self)
            if on_step is not None:
                on_step(self)
            if on_checkpoint is not None and (
                self.finished or self.step % self.config.checkpoint_every == 0
            ):
                on_checkpoint(self)

    def start_epoch(self) -> None:
        """Prepare the showers of the present epoch, which the first step does otherwise."""
        self._batches.start_epoch()

    def take_step(self) -> None:
        """Take one step, or skip it where loss or gradient are not finite."""
        batch = self._batches.next()
        for group in self._optimiser.param_groups:
            group["lr"] = self.learning_rate
        self._objective.before_step(batch, self.learning_rate / self.config.optimiser.lr)
        part = own_part(self.fabric, batch)
        loss = mean_over_processes(self.fabric, self._module(*part), len(batch[0]))
        self.fabric.backward(loss)
        limit = self.config.gradient_clip
        norm = torch.nn.utils.clip_grad_norm_(self._weights, math.inf if limit is None else limit)
        # The one wait for the device in a step; on the CPU it costs nothing.
        value = sum_over_processes(self.fabric, float(loss.detach())) / self.fabric.world_size
        if math.isfinite(value) and math.isfinite(float(norm)):
            self._optimiser.step()
            self.ema.update()
            self._failures = 0
            self.last_loss = value
            self._losses.append(value)
        else:
            self.skipped_steps += 1
            self._failures += 1
            refuse_divergence(self._failures, self.step, value, self.config.optimiser.lr)
        self._optimiser.zero_grad(set_to_none=True)
        self.step += 1

    def _look(self) -> None:
        seconds, nll = self.seconds, self.validation_nll()
        steps, elapsed = self.history.since_last(self.step, seconds)
        record = Record(
            epoch=self.step / self._batches.per_epoch,
            step=self.step,
            train_loss=math.fsum(self._losses) / len(self._losses) if self._losses else math.nan,
            validation_loss=self.ema.model.held_out(nll, self._validation),
            validation_nll=nll,
            learning_rate=self.learning_rate,
            skipped_steps=self.skipped_steps,
            seconds=seconds,
            showers_per_second=steps * self.batch_size / elapsed,
        )
        self._losses = []
        if self.history.add(record):
            self.best = {k: v.clone() for k, v in self.ema.model.flow.state_dict().items()}

    @torch.no_grad()
    def validation_nll(self) -> float:
        """Return nats per held-out shower under the averaged weights, with the fixed noise."""
        total, rows = 0.0, len(self._validation[0])
        at_once = self._objective.rows_at_once
        for start in range(0, rows, at_once):
            chunk = [tensor[start : start + at_once] for tensor in self._validation]
            total += float(self.ema.model.nll(*own_part(self.fabric, chunk)).double().sum())
        return sum_over_processes(self.fabric, total) / rows

    def state_dict(self) -> dict[str, Any]:
        """Return everything that decides how the training goes on; tensors are not copied."""
        return {
            "model": self._objective.flow.state_dict(),
            "ema": self.ema.model.flow.state_dict(),
            "ema_updates": self.ema.updates,
            "best": self.best,
            "optimiser": self._optimiser.state_dict(),
            "companions": self._objective.companions(),
            "batches": self._batches.state_dict(),
            "torch_random": torch.get_rng_state(),
            "step": self.step,
            "skipped_steps": self.skipped_steps,
            "failures": self._failures,
            "losses": self._losses,
            "history": self.history.as_dict(),
            "seconds": self.seconds,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore :meth:`state_dict`; the configuration and the data must be the same."""
        self._objective.flow.load_state_dict(state["model"], strict=True)
        self.ema.model.flow.load_state_dict(state["ema"], strict=True)
        self.ema.updates = state["ema_updates"]
        self.best = dict(state["best"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._objective.load_companions(state["companions"])
        self._batches.load_state_dict(state["batches"])
        torch.set_rng_state(state["torch_random"].cpu())
        self.step, self.skipped_steps = state["step"], state["skipped_steps"]
        self._failures, self._losses = state["failures"], list(state["losses"])
        self.history = History.from_dict(state["history"])
        self._seconds, self._since = state["seconds"], time.perf_counter()
