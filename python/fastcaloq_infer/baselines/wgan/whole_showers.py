"""A WGAN trained on whole showers, and a file of what it generates.

A generator of voxels that is modest, but whole: `fastcaloq evaluate` judges what it writes like
any other simulation.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer import data
from fastcaloq_infer.baselines.wgan.fit import WganLearner
from fastcaloq_infer.baselines.wgan.training import Deposits
from fastcaloq_infer.data.selection import equal_in_spectrum
from fastcaloq_infer.errors import ConfigError, InputError
from fastcaloq_infer.training.config import PACKAGED
from fastcaloq_infer.training.seeds import Stream, stream_seed

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastcaloq_infer.baselines.wgan.config import WganConfig
    from fastcaloq_infer.baselines.wgan.fit import FittedWgan
    from fastcaloq_infer.baselines.wgan.training import Look
    from fastcaloq_infer.data import Binning

__all__ = ["read_whole_showers", "train_whole_showers", "write_generated"]

_WRITTEN_AT_ONCE = 8192


def read_whole_showers(path: Path, config: WganConfig) -> tuple[Deposits, Binning]:
    """Read all voxels of a file into memory, in MeV, and their binning.

    Raises
    ------
    InputError
        No such file, no voxels in it, a bad row, or showers without eta.
    """
    binning = data.binning(config.data.binning, particle=config.particle)
    with data.open_showers(path, binning, eta=config.data.eta) as file:
        batches = list(file.iterate())
    eta = [batch.eta for batch in batches if batch.eta is not None]
    if len(eta) != len(batches):
        raise InputError(f"{path} does not say at which eta its showers are; set data.eta")
    energy = np.concatenate([batch.incident_energy for batch in batches]).astype(np.float64)
    voxels = np.concatenate([batch.showers for batch in batches]).astype(np.float64)
    return Deposits(voxels, energy, np.concatenate(eta)), binning


def train_whole_showers(
    config: WganConfig,
    folder: Path,
    *,
    seed: int | None = None,
    on_look: Callable[[Look], None] | None = None,
) -> tuple[FittedWgan, Binning]:
    """Train on the voxels the configuration names; ``folder`` gets ``looks.json``.

    ``data.train: packaged`` is the packaged sample of whole showers. ``seed`` replaces that of the
    configuration.

    Raises
    ------
    ConfigError
        The configuration is one for layer energies.
    InputError
        The showers cannot be read or are too few.
    TrainingError
        The generator never gave finite showers.
    """
    if config.output != "voxels":
        raise ConfigError(
            f"{config.name}: 'output' is {config.output}, but whole showers are asked for; set "
            "output=voxels, or compare layer energies with 'fastcaloq study'"
        )
    source = config.data.train
    path = data.packaged_sample("showers") if source == PACKAGED else Path(source)
    showers, binning = read_whole_showers(path, config)
    seed = config.seed if seed is None else seed
    order = np.random.default_rng(stream_seed(seed, Stream.SPLIT)).permutation(
        len(showers.incident_energy)
    )
    held_out = round(config.data.validation_fraction * len(order))
    if not 0 < held_out < len(order):
        raise InputError(f"{path}: {len(order)} showers are too few to hold out a part of them")
    chosen = equal_in_spectrum(showers.incident_energy, order, held_out)
    fitted = WganLearner(config).fit_deposits(
        showers.take(~chosen),
        showers.take(chosen),
        seed=seed,
        folder=folder,
        layers=binning.layer_slices,
        on_look=on_look,
    )
    return fitted, binning


def write_generated(
    path: Path, fitted: FittedWgan, binning: Binning, conditions: Path, *, seed: int, name: str
) -> int:
    """Draw one shower per shower of the file ``conditions`` and write them with their voxels.

    ``conditions`` has whole showers or layer energies; its incident energies and eta are taken.
    Returns the number of showers.

    Raises
    ------
    InputError
        ``conditions`` cannot be read.
    OutputError
        ``path`` cannot be written.
    """
    table = data.read_layer_energies(conditions, binning)
    voxels = fitted.sample(table.incident_energy.astype(np.float64), table.eta, seed=seed)
    etas = np.unique(table.eta)
    eta = float(etas[0]) if len(etas) == 1 else None
    attributes = {"generator": f"fastcaloq-infer {name}", "seed": seed}
    with data.write_showers(path, binning, eta=eta, attributes=attributes) as writer:
        for start in range(0, len(table), _WRITTEN_AT_ONCE):
            part = slice(start, start + _WRITTEN_AT_ONCE)
            slopes = None if eta is not None else table.eta[part]
            writer.append(table.incident_energy[part], voxels[part], slopes)
    return len(table)
