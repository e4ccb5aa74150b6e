"""Train one network on one task and judge it."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fastcaloq_infer.flow.blocks import coupling_blocks
from fastcaloq_infer.flow.energy_flow import standard_normal_log_prob
from fastcaloq_infer.flow.kinds.swap_test.measurement import MeasuredBlock
from fastcaloq_infer.flow.kinds.swap_test.model import invert, swap_test_blocks, with_fidelity
from fastcaloq_infer.study.univocal.tasks import Task, load_task
from fastcaloq_infer.study.univocal.z_boson import invariant_mass
from fastcaloq_infer.training.losses.mmd import mmd_squared
from fastcaloq_infer.training.losses.terms import joint

if TYPE_CHECKING:
    from torch import Tensor

    from fastcaloq_infer.flow.config import FlowConfig
    from fastcaloq_infer.flow.kinds.swap_test.config import SwapTestConfig
    from fastcaloq_infer.flow.transform import Composition, Transform

__all__ = ["Network", "do_cell"]

_WARM_UP = 0.1
_CONDITION_SCALE = 4.0  # as of `training.losses.config.SampleTerm`
_COMPARED = 256
_ROUND_TRIPS = 2000
_GENERATED = 5_000
_AT_ONCE = 2000
_HIGHEST_MASS = 200.0  # GeV; what is above counts as this


@dataclass(frozen=True)
class Network:
    """A network of the study; without ``quantum`` it is classical."""

    name: str
    label: str
    flow: FlowConfig
    quantum: SwapTestConfig | None = None
    mmd_weight: float = 0.0

    def blocks(self, features: int, context: int) -> Composition:
        """Build it with torch's random numbers."""
        if self.quantum is None:
            return coupling_blocks(self.flow, features, context)
        return swap_test_blocks(self.quantum, self.flow, features, context)


@dataclass
class Cell:
    """What came of one network on one task with one seed.

    NLL in nats per row; ``mass_distance``: Wasserstein-1 distance of the mass in GeV; round trips
    in standard deviations of a coordinate.
    """

    task: str
    network: str
    seed: int
    parameters: int
    preparation_parameters: int
    nll: float = math.nan
    seconds: float = math.nan
    fidelity: float | None = None
    mass_distance: float | None = None
    round_trip: dict[str, float] = field(default_factory=dict)


def do_cell(task_name: str, network: Network, seed: int, steps: int, batch: int) -> dict[str, Any]:
    """Train and judge; the same result whatever else runs."""
    torch.set_num_threads(1)
    task = load_task(task_name)
    torch.manual_seed(seed)
    made = network.blocks(task.x.shape[1], task.context.shape[1])
    blocks: list[Transform] = list(made.transforms)  # type: ignore[arg-type]
    _initialise(blocks, task)
    start = time.process_time()
    _train(network, made, task, steps, batch, seed)
    preparation = sum(
        p.numel()
        for block in blocks
        if isinstance(block, MeasuredBlock)
        for p in block.measurement.preparation.parameters()
    )
    total = sum(p.numel() for p in made.parameters())
    cell = Cell(task_name, network.name, seed, total - preparation, preparation)
    cell.seconds = time.process_time() - start
    _judge(cell, made.double(), task, seed)
    return asdict(cell)


@torch.no_grad()
def _initialise(blocks: list[Transform], task: Task) -> None:
    x, context = task.x[:10_000].float(), task.context[:10_000].float()
    for block in blocks:
        block.actnorm.initialise(x)  # type: ignore[union-attr, operator]
        x = block(x, context)[0]


def _train(
    network: Network, made: Composition, task: Task, steps: int, batch: int, seed: int
) -> None:
    """AdamW with one cycle; the loss is NLL + fidelity + MMD as the network says."""
    blocks: list[Transform] = list(made.transforms)  # type: ignore[arg-type]
    optimiser = torch.optim.AdamW(made.parameters(), lr=1e-2, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=1e-2, total_steps=steps + 1, pct_start=_WARM_UP
    )
    random = torch.Generator().manual_seed(seed)
    scale = task.x.std(dim=0).float()
    for _ in range(steps):
        rows = torch.randint(len(task.x), (batch,), generator=random)
        x, context = task.x[rows].float(), task.context[rows].float()
        if network.quantum is None:
            z, log_abs_det = made(x, context)
            loss = (-standard_normal_log_prob(z) - log_abs_det).mean()
        else:
            z, log_abs_det, fidelities = with_fidelity(blocks, x, context)
            loss = (-standard_normal_log_prob(z) - log_abs_det).mean()
            missing = (1.0 - fidelities).sum(dim=1).mean()
            loss = loss + network.quantum.fidelity_weight * missing
        if network.mmd_weight:
            few = slice(0, _COMPARED)
            latents = torch.randn(x[few].shape, generator=random)
            drawn = invert(blocks, latents, context[few], polish=False)[0]
            real, made_up = (
                joint(part / scale, context[few], _CONDITION_SCALE) for part in (x[few], drawn)
            )
            loss = loss + network.mmd_weight * mmd_squared(real, made_up)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(made.parameters(), 5.0)
        optimiser.step()
        schedule.step()


@torch.no_grad()
def _judge(cell: Cell, made: Composition, task: Task, seed: int) -> None:
    blocks: list[Transform] = list(made.transforms)  # type: ignore[arg-type]
    z, log_abs_det = _in_parts(made, task.judged, task.judged_context)
    nll = -standard_normal_log_prob(z) - log_abs_det
    cell.nll = float(nll.mean()) - task.offset
    random = torch.Generator().manual_seed(seed)
    latents = torch.randn((_GENERATED, z.shape[1]), generator=random, dtype=torch.float64)
    context = task.judged_context[:_GENERATED]
    latents = latents[: len(context)]
    drawn, found = invert(blocks, latents, context)
    if cell.task == "z_boson" and found.any():
        from scipy.stats import wasserstein_distance  # type: ignore[import-untyped]

        # One pair far out in a tail would outweigh all others.
        masses = (
            invariant_mass(part).clamp(max=_HIGHEST_MASS).numpy()
            for part in (drawn[found], task.judged)
        )
        cell.mass_distance = float(wasserstein_distance(*masses))
    if not any(isinstance(block, MeasuredBlock) for block in blocks):
        return
    x, context = task.judged[:_ROUND_TRIPS], task.judged_context[:_ROUND_TRIPS]
    z, _, fidelities = with_fidelity(blocks, x, context)
    cell.fidelity = float(fidelities.mean())
    cell.round_trip = {"no_inverse": float((~found).double().mean())}
    scale = task.x.std(dim=0)
    for name, polish in (("learnt", False), ("polished", True)):
        back, found = invert(blocks, z, context, polish=polish)
        error = ((back - x) / scale).abs().amax(dim=1)
        cell.round_trip |= {
            f"{name}_median": float(error.median()),
            f"{name}_90": float(np.quantile(error.numpy(), 0.9)),
            f"{name}_above_1e-6": float((error > 1e-6).double().mean()),
            f"{name}_above_1e-12": float((error > 1e-12).double().mean()),
        }
        if polish:
            cell.round_trip["no_solution"] = float((~found).double().mean())
            cell.round_trip["other_solution"] = float((found & (error > 1e-6)).double().mean())


def _in_parts(made: Composition, x: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
    parts = [
        made(x[start : start + _AT_ONCE], context[start : start + _AT_ONCE])
        for start in range(0, len(x), _AT_ONCE)
    ]
    return torch.cat([z for z, _ in parts]), torch.cat([log for _, log in parts])
