"""What is learnt: coordinates with their conditions, for training and for judging."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import torch

from fastcaloq_infer import data
from fastcaloq_infer.flow.condition import ConditionScaling, Validity
from fastcaloq_infer.preprocessing.config import PreprocessingConfig
from fastcaloq_infer.preprocessing.energies import EnergyPreprocessing
from fastcaloq_infer.study.univocal.z_boson import draw_pairs

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["TASKS", "Task", "load_task"]

TASKS = {"z_boson": "Z boson to leptons, from the formula", "photon": "photon layer energies"}
_EVENTS = (20_000, 10_000)


@dataclass(frozen=True)
class Task:
    """Coordinates (N, D) and contexts (N, C), float64; ``offset``: nats of the preprocessing."""

    x: Tensor
    context: Tensor
    judged: Tensor
    judged_context: Tensor
    offset: float


@cache
def load_task(name: str) -> Task:
    """Return the data of a task; the same whatever is trained on them."""
    if name == "z_boson":
        x, judged = (draw_pairs(events, seed) for seed, events in enumerate(_EVENTS, start=1))
        # Pairs have no condition: a number that is always 0 stands for it.
        return Task(
            x, torch.zeros(len(x), 1).double(), judged, torch.zeros(len(judged), 1).double(), 0.0
        )
    return _photons()


def _photons() -> Task:
    parts = {}
    for name in ("train", "heldout"):
        energies = data.read_layer_energies(data.packaged_sample(name))
        incident = torch.from_numpy(energies.incident_energy).double().reshape(-1)
        parts[name] = (incident, torch.from_numpy(energies.layer_energy).double())
    incident, layers = parts["train"]
    preprocessing = EnergyPreprocessing.fit(layers.numpy(), incident.numpy(), PreprocessingConfig())
    preprocessing = preprocessing.double()
    validity = Validity((float(incident.min()), float(incident.max())), (0.2, 0.25), False)
    condition = ConditionScaling(validity)
    made = []
    for seed, (energy, deposits) in enumerate(parts.values(), start=1):
        noise = torch.Generator().manual_seed(seed)
        x, log_abs_det = preprocessing(deposits, energy, noise)
        eta = torch.full_like(energy, 0.225)
        made.append((x, condition(energy, eta)[:, :1], log_abs_det))
    (x, context, _), (judged, judged_context, offset) = made
    usable = torch.isfinite(offset) & torch.isfinite(judged).all(dim=1)
    # In random order: the file may be sorted by energy.
    order = torch.randperm(len(judged), generator=torch.Generator().manual_seed(3))
    kept = order[usable[order]][: _EVENTS[1]]
    return Task(x, context, judged[kept], judged_context[kept], float(offset[kept].mean()))
