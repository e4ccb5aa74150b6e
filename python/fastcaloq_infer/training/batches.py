"""Batches of an epoch, in an order and with noise that a resumed training repeats exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Generator

from fastcaloq_infer.training.seeds import Stream, stream_seed

if TYPE_CHECKING:
    from torch import Tensor

    from fastcaloq_infer.training.data import ShowerTensors
    from fastcaloq_infer.training.objective import Objective, Prepared

__all__ = ["EpochBatches"]


class EpochBatches:
    """All showers once per epoch, permuted, in batches of equal size.

    The order depends on the seed and the epoch alone; the noise on a generator whose state at the
    start of the epoch is part of :meth:`state_dict`. So a training resumed inside an epoch sees
    the batches it would have seen. The rows that do not fill a batch sit out, other ones every
    epoch.

    Parameters
    ----------
    objective
        Makes rows out of showers.
    showers
        Showers, on the device of the training.
    batch_size
        Rows per batch; all showers where there are fewer.
    seed
        The run's seed.
    """

    def __init__(
        self, objective: Objective, showers: ShowerTensors, batch_size: int, seed: int
    ) -> None:
        self._objective = objective
        self._showers: ShowerTensors | None = showers
        self._n = len(showers)
        self._seed = seed
        self._device = showers.layer_energy.device
        self._noise = Generator(self._device).manual_seed(stream_seed(seed, Stream.NOISE))
        self._noise_at_epoch = self._noise.get_state()
        self._rows: Prepared | None = None
        self._order: Tensor | None = None
        self.batch_size = min(batch_size, self._n)
        self.per_epoch = self._n // self.batch_size
        self.epoch = 0
        self.position = 0

    def next(self) -> list[Tensor]:
        """Return the next batch, tensors (B, ...), and move on."""
        rows, order = self.start_epoch()
        start = self.position * self.batch_size
        chosen = order[start : start + self.batch_size]
        batch = [tensor[chosen] for tensor in rows]
        self.position += 1
        if self.position == self.per_epoch:
            self.epoch += 1
            self.position = 0
            self._order = None
            if self._objective.noisy:
                self._rows = None
                self._noise_at_epoch = self._noise.get_state()
        return batch

    @property
    def at_epoch_end(self) -> bool:
        """Whether the last batch ended an epoch."""
        return self.position == 0

    def start_epoch(self) -> tuple[Prepared, Tensor]:
        """Prepare rows and order of the present epoch, where that has not happened yet."""
        if self._rows is None:
            self._rows = self._prepared()
        if self._order is None:
            random = Generator().manual_seed(stream_seed(self._seed, Stream.ORDER + self.epoch))
            self._order = torch.randperm(self._n, generator=random).to(self._device)
        return self._rows, self._order

    def _prepared(self) -> Prepared:
        if self._showers is None:  # rows without noise are never made twice
            msg = "the showers have been let go"
            raise RuntimeError(msg)
        self._noise_at_epoch = self._noise.get_state()
        rows = self._objective.prepare(self._showers, self._noise)
        if not self._objective.noisy:
            self._showers = None
        return rows

    def state_dict(self) -> dict[str, Any]:
        """Return the place in the sequence of batches."""
        return {"epoch": self.epoch, "position": self.position, "noise": self._noise_at_epoch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to the place of :meth:`state_dict`."""
        self.epoch, self.position = state["epoch"], state["position"]
        self._noise.set_state(state["noise"].cpu())
        self._noise_at_epoch = state["noise"]
        self._order = None
        if self._objective.noisy:
            self._rows = None
