"""What circuits inside the coupling blocks cost in training, as ratios within one run.

The same flow takes the same gradient steps on the same showers with its circuits contracted and on
PennyLane's simulator, and a perceptron flow of as many trained numbers stands beside them.
"""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

from fastcaloq_infer.benchmark.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from fastcaloq_infer.flow import EnergyModel
    from fastcaloq_infer.training import TrainConfig
    from fastcaloq_infer.training.data import TrainingSet

__all__ = ["subnet_figures"]

_TARGET = 20.0


def subnet_figures(*, quick: bool = False) -> dict[str, Any]:
    """Time training steps (forward, backward, AdamW) of ``subnet.yaml``, batches of 1024.

    Parameters
    ----------
    quick
        One round and a batch of 128.

    Returns
    -------
    dict
        Medians in ms: ``contracted_ms``, ``reference_ms`` (default.qubit, backprop),
        ``classical_ms`` (``subnet_classical.yaml``); ``speedup`` of the first over the second;
        ``figures``: that against its target.
    """
    from dataclasses import asdict

    from fastcaloq_infer.training import TrainConfig
    from fastcaloq_infer.training.data import read_training_set
    from fastcaloq_infer.training.threads import torch_threads

    configs = [
        TrainConfig.load(name, ["threads=1"]) for name in ("subnet", "subnet", "subnet_classical")
    ]
    showers = read_training_set(configs[0])
    with torch_threads(1):
        flows = [_flow(config, showers) for config in configs]
        _on_reference(flows[1])
        batch = _batch(flows[0], showers, 128 if quick else 1024)
        steps = [_step(flow, batch) for flow in flows]
        for step in steps:
            step()  # the first call builds constants and PennyLane's caches
        times: list[list[float]] = [[], [], []]
        for _ in range(1 if quick else 5):
            for series, step, repeats in zip(times, steps, (10, 1, 10), strict=True):
                series.extend(_milliseconds(step) for _ in range(repeats))
    contracted, reference, classical = (statistics.median(series) for series in times)
    speedup = reference / contracted
    label = "training step, circuits in the blocks: default.qubit / contracted"
    figures = [Figure(label, speedup, "times", _TARGET, "at least")]
    return {
        "contracted_ms": contracted,
        "reference_ms": reference,
        "classical_ms": classical,
        "speedup": speedup,
        "figures": [asdict(figure) for figure in figures],
    }


def _flow(config: TrainConfig, showers: TrainingSet) -> EnergyModel:
    from fastcaloq_infer.training.build import describe, initial_flow

    return initial_flow(config, describe(config, showers), showers)


def _on_reference(flow: EnergyModel) -> None:
    """Put PennyLane's circuits in the place of the contracted ones, with their weights."""
    from fastcaloq_infer.flow.kinds.subnet.model import SubnetFlow
    from fastcaloq_infer.quantum.execution import Execution
    from fastcaloq_infer.quantum.reference_bank import ReferenceBank

    if not isinstance(flow, SubnetFlow):
        raise TypeError(type(flow))
    for net in flow.subnets:
        bank = net.circuits
        reference = ReferenceBank(bank.circuit, bank.count, Execution(diff_method="backprop"))
        reference.load_state_dict(bank.state_dict())
        net.circuits = reference.to(bank.weights.dtype)  # type: ignore[assignment]


def _batch(flow: EnergyModel, showers: TrainingSet, rows: int) -> tuple[torch.Tensor, ...]:
    """Coordinates (rows, L) and conditions (rows, 2)."""
    import copy

    import torch

    few = showers.train[torch.arange(rows)]
    noise = torch.Generator().manual_seed(1)
    double = copy.deepcopy(flow.preprocessing).double()
    x, _ = double(few.layer_energy.double(), few.incident_energy.double(), noise)
    condition = flow.condition(few.incident_energy, few.eta)
    return x.float(), condition.float()


def _step(flow: EnergyModel, batch: tuple[torch.Tensor, ...]) -> Callable[[], None]:
    import torch

    optimiser = torch.optim.AdamW(flow.parameters(), lr=1e-4)

    def step() -> None:
        optimiser.zero_grad()
        (-flow.coordinate_log_prob(*batch)).mean().backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return step


def _milliseconds(call: Callable[[], None]) -> float:
    start = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - start)
