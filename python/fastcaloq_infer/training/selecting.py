"""Which showers of a file a training uses: the keys of ``data`` that choose among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from fastcaloq_infer.data.selection import equal_in_spectrum
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.training.seeds import Stream, stream_seed

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from fastcaloq_infer.training.config import TrainingConfig
    from fastcaloq_infer.training.data import ShowerTensors

__all__ = ["chosen_by_seed", "chosen_showers"]

_SAME_ENERGY = 1e-6
_SHOWN = 12


def chosen_showers(showers: ShowerTensors, config: TrainingConfig, path: Path) -> ShowerTensors:
    """Return the showers that ``data.energies``, ``leave_out`` and ``limit`` leave of a file.

    Raises
    ------
    InputError
        An energy is named that no shower has, or no shower or fewer than ``limit`` are left.
    """
    wanted = config.data
    if wanted.energies:
        kept = [_of_energy(showers, energy, path, "energies") for energy in wanted.energies]
        showers = showers[torch.stack(kept).any(dim=0)]
    for energy in wanted.leave_out:
        showers = showers[~_of_energy(showers, energy, path, "leave_out")]
    if wanted.leave_out and not len(showers):
        raise InputError(f"'data.leave_out' leaves out every shower of {path}; name fewer energies")
    if wanted.limit is not None:
        if wanted.limit > len(showers):
            raise InputError(
                f"'data.limit' asks for {wanted.limit} showers, but {path} has {len(showers)} that "
                "can be used; lower it or leave it out"
            )
        showers = showers[chosen_by_seed(showers, wanted.limit, config.seed, Stream.LIMIT)]
    return showers


def chosen_by_seed(showers: ShowerTensors, number: int, seed: int, stream: Stream) -> Tensor:
    """Return a mask (N,) of ``number`` showers with the spectrum of all."""
    random = torch.Generator().manual_seed(stream_seed(seed, stream))
    order = torch.randperm(len(showers), generator=random)
    return torch.from_numpy(
        equal_in_spectrum(showers.incident_energy.numpy(), order.numpy(), number)
    )


def _of_energy(showers: ShowerTensors, energy: float, path: Path, key: str) -> Tensor:
    """Return the mask (N,) of the showers of one incident energy, of which there must be some."""
    same = (showers.incident_energy / energy - 1.0).abs() <= _SAME_ENERGY
    if not same.any():
        there = np.unique(showers.incident_energy.numpy()).tolist()
        known = ", ".join(f"{value:g}" for value in there[:_SHOWN])
        what = "cannot leave it out" if key == "leave_out" else "cannot choose it"
        raise InputError(
            f"{path} has no shower of {energy:g} MeV, so 'data.{key}' {what}; "
            f"there are {known}{', ...' if len(there) > _SHOWN else ''} MeV"
        )
    return same
