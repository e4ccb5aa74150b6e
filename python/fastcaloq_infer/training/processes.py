"""The processes of a training: one, or several under ``torchrun`` that share every step.

Each process holds all showers and prepares the same rows from the same seeds; of every batch it
takes its own part, and gradients are averaged over the processes (DistributedDataParallel). So
``batch_size`` stays the number of showers per step, whatever the number of processes, and the loss
curve is that of one process up to the order of sums.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy

from fastcaloq_infer.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from fastcaloq_infer.training.config import TrainingConfig

__all__ = ["is_first", "launch", "mean_over_processes", "own_part", "sum_over_processes"]


def launch(config: TrainingConfig) -> Fabric:
    """Return the Fabric of this process, joined to the others where ``torchrun`` started several.

    The back end is gloo on processors and NCCL on GPUs.

    Raises
    ------
    ConfigError
        More processes than showers in a batch, or a loss that cannot be shared.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world > config.batch_size:
        raise ConfigError(
            f"{world} processes share batches of {config.batch_size} showers, so some would have "
            "nothing to do; raise 'batch_size' or start fewer processes"
        )
    loss = getattr(config, "loss", None)
    if world > 1 and loss is not None and loss.compares_samples:
        raise ConfigError(
            f"loss.{[*loss.terms][-1]} compares batches as a whole, which {world} processes would "
            "cut into parts; train it with one process"
        )
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    fabric = Fabric(
        accelerator=config.device,
        devices=local,
        num_nodes=max(world // local, 1),
        strategy=DDPStrategy() if world > 1 else "auto",
        # Mixed precision is the objective's: Fabric's would round the data, too.
        precision="32-true" if config.dtype == "float32" else "64-true",
    )
    fabric.launch()
    return fabric


def is_first() -> bool:
    """Return whether this process is the one that talks and writes."""
    return os.environ.get("RANK", "0") == "0"


def own_part(fabric: Fabric, rows: Sequence[Tensor]) -> list[Tensor]:
    """Return this process's rows of tensors (B, ...): every process a near-equal share."""
    size, rank, world = len(rows[0]), fabric.global_rank, fabric.world_size
    share = slice(size * rank // world, size * (rank + 1) // world)
    return [tensor[share] for tensor in rows]


def mean_over_processes(fabric: Fabric, values: Tensor, rows: int) -> Tensor:
    """Return the loss whose gradient, averaged over processes, is that of the whole batch.

    ``values`` (b,) are the losses of this process's share of a batch of ``rows`` showers. Shares
    may differ by a shower, so a mean of means would weigh some showers more.
    """
    return values.sum() * fabric.world_size / rows


def sum_over_processes(fabric: Fabric, value: float) -> float:
    """Return the sum of a number over all processes, the same on each."""
    if fabric.world_size == 1:
        return value
    total = torch.tensor(value, dtype=torch.float64, device=fabric.device)
    torch.distributed.all_reduce(total)
    return float(total)
