"""Showers of a training as tensors: what is learnt from, what is held out, where it came from."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Self

import torch

from fastcaloq_infer import data
from fastcaloq_infer.artefact.provenance import TrainingData
from fastcaloq_infer.data.selection import equal_in_spectrum
from fastcaloq_infer.errors import ConfigError, InputError
from fastcaloq_infer.files import sha256_file
from fastcaloq_infer.training.config import PACKAGED
from fastcaloq_infer.training.seeds import Stream, stream_seed

if TYPE_CHECKING:
    from torch import Tensor

    from fastcaloq_infer.data import Binning, LayerEnergies
    from fastcaloq_infer.training.config import DataPath, TrainConfig

__all__ = ["ShowerTensors", "TrainingSet", "read_training_set"]


@dataclass(frozen=True)
class ShowerTensors:
    """Showers on one device, float64.

    Attributes
    ----------
    layer_energy
        (N, L) MeV.
    incident_energy
        (N,) MeV.
    eta
        (N,) pseudorapidity.
    """

    layer_energy: Tensor
    incident_energy: Tensor
    eta: Tensor

    def __len__(self) -> int:
        return self.incident_energy.shape[0]

    def __getitem__(self, rows: Tensor) -> ShowerTensors:
        return ShowerTensors(*(getattr(self, field.name)[rows] for field in fields(self)))

    def to(self, device: torch.device) -> ShowerTensors:
        """Return the showers on another device."""
        return ShowerTensors(*(getattr(self, field.name).to(device) for field in fields(self)))

    @classmethod
    def from_energies(cls, energies: LayerEnergies) -> Self:
        """Convert what the readers hand out."""
        columns = (energies.layer_energy, energies.incident_energy, energies.eta)
        return cls(*(torch.as_tensor(column, dtype=torch.float64) for column in columns))


@dataclass(frozen=True)
class TrainingSet:
    """Everything a training reads.

    Attributes
    ----------
    train, validation
        Showers to learn from and held-out showers.
    binning
        The calorimeter layers.
    files
        Names, SHA-256 and numbers of showers; the training file first.
    """

    train: ShowerTensors
    validation: ShowerTensors
    binning: Binning
    files: tuple[TrainingData, ...]


def read_training_set(config: TrainConfig) -> TrainingSet:
    """Read and split the showers a configuration names.

    Raises
    ------
    ConfigError
        The particle of the configuration is not the binning's; the same file is given for
        training and for holding out.
    InputError
        A file is missing or has bad showers, or there are too few of them.
    """
    binning = data.binning(config.data.binning, particle=config.particle)
    if data.particle(config.particle).pdg_id != binning.pdg_id:
        raise ConfigError(
            f"'particle' is {config.particle} but 'data.binning' {binning.name} is one for "
            f"{binning.particle}s; a model trained under a wrong label would be useless, so "
            "correct one of them"
        )
    showers, file = _read(config, config.data.train, binning)
    if config.data.validation is None:
        train, validation = _split(showers, config.data.validation_fraction, config.seed)
        return TrainingSet(train, validation, binning, (file,))
    validation, held_out = _read(config, config.data.validation, binning)
    if held_out.sha256 == file.sha256:
        raise ConfigError(
            "'data.validation' holds the same showers as 'data.train', so nothing would be held "
            "out; name another file, or leave it away and set 'data.validation_fraction'"
        )
    return TrainingSet(showers, validation, binning, (file, held_out))


def _read(
    config: TrainConfig, source: DataPath, binning: Binning
) -> tuple[ShowerTensors, TrainingData]:
    path = data.packaged_sample("train") if source == PACKAGED else Path(source)
    energies = data.read_layer_energies(path, binning, eta=config.data.eta)
    showers = ShowerTensors.from_energies(energies)
    file = TrainingData(name=path.name, sha256=sha256_file(path), showers=len(showers))
    return showers, file


def _split(
    showers: ShowerTensors, fraction: float, seed: int
) -> tuple[ShowerTensors, ShowerTensors]:
    """Hold out a random part with the same spectrum; both parts have at least one shower."""
    held_out = max(1, round(fraction * len(showers)))
    if len(showers) - held_out < 1:
        raise InputError(
            f"{len(showers)} showers are too few to hold out {fraction:g} of them; add showers"
        )
    random = torch.Generator().manual_seed(stream_seed(seed, Stream.SPLIT))
    order = torch.randperm(len(showers), generator=random)
    chosen = torch.from_numpy(
        equal_in_spectrum(showers.incident_energy.numpy(), order.numpy(), held_out)
    )
    return showers[~chosen], showers[chosen]
