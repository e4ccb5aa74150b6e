"""Showers of a training as tensors: what is learnt from, what is held out, where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import torch

from fastcaloq_infer import data
from fastcaloq_infer.artefact.provenance import TrainingData
from fastcaloq_infer.errors import ConfigError, InputError
from fastcaloq_infer.files import sha256_file
from fastcaloq_infer.training.config import PACKAGED, ShapeTrainConfig
from fastcaloq_infer.training.memory import refuse_too_large
from fastcaloq_infer.training.seeds import Stream
from fastcaloq_infer.training.selecting import chosen_by_seed, chosen_showers

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from fastcaloq_infer.data import Binning, LayerEnergies
    from fastcaloq_infer.training.config import DataPath, TrainingConfig

__all__ = ["ShowerTensors", "TrainingSet", "read_training_set"]


@dataclass(frozen=True)
class ShowerTensors:
    """Showers on one device, float64 but for the voxels.

    Attributes
    ----------
    layer_energy
        (N, L) MeV.
    incident_energy
        (N,) MeV.
    eta
        (N,) pseudorapidity.
    voxels
        (N, V) MeV, float32; None where the training is of layer energies.
    """

    layer_energy: Tensor
    incident_energy: Tensor
    eta: Tensor
    voxels: Tensor | None = None

    def __len__(self) -> int:
        return self.incident_energy.shape[0]

    def __getitem__(self, rows: Tensor) -> ShowerTensors:
        return self._each(lambda column: column[rows])

    def to(self, device: torch.device) -> ShowerTensors:
        """Return the showers on another device."""
        return self._each(lambda column: column.to(device))

    def _each(self, change: Callable[[Tensor], Tensor]) -> ShowerTensors:
        voxels = None if self.voxels is None else change(self.voxels)
        return ShowerTensors(
            change(self.layer_energy), change(self.incident_energy), change(self.eta), voxels
        )

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


def read_training_set(config: TrainingConfig) -> TrainingSet:
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
    if config.data.train == PACKAGED and config.particle != "photon":
        raise ConfigError(
            f"'data.train' is packaged, but the packaged showers are photons, not "
            f"{config.particle}s; name a file with --set data.train=FILE"
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
    config: TrainingConfig, source: DataPath, binning: Binning
) -> tuple[ShowerTensors, TrainingData]:
    if isinstance(config, ShapeTrainConfig):
        path = data.packaged_sample("showers") if source == PACKAGED else Path(source)
        showers = _read_voxels(path, binning, config.data.eta)
    else:
        path = data.packaged_sample("train") if source == PACKAGED else Path(source)
        energies = data.read_layer_energies(path, binning, eta=config.data.eta)
        showers = ShowerTensors.from_energies(energies)
    showers = chosen_showers(showers, config, path)
    file = TrainingData(name=path.name, sha256=sha256_file(path), showers=len(showers))
    return showers, file


def _read_voxels(path: Path, binning: Binning, eta: float | None) -> ShowerTensors:
    """Read whole showers into memory, checking every row.

    Raises
    ------
    InputError
        No voxels, no eta, a bad row, another binning, or more showers than fit in memory.
    """
    with data.open_showers(path, binning, eta=eta) as file:
        if not file.has_voxels:
            raise InputError(
                f"{path} {file.why_no_voxels()}; 'model: shape' learns from voxels, so name a file "
                "of whole showers with --set data.train=FILE"
            )
        if not file.has_eta:
            raise InputError(
                f"{path}: eta is not stated in the file (attribute 'eta' or a dataset); the model "
                "is conditioned on it, so set 'data.eta'"
            )
        n = file.n_showers
        row = 4 * binning.n_voxels + 8 * (binning.n_layers + 2)
        refuse_too_large(n * row, f"{path}: the voxels of its {n} showers")
        voxels = torch.empty(n, binning.n_voxels, dtype=torch.float32)
        layer_energy = torch.empty(n, binning.n_layers, dtype=torch.float64)
        incident_energy = torch.empty(n, dtype=torch.float64)
        etas = torch.empty(n, dtype=torch.float64)
        for batch in file.iterate():
            rows = slice(batch.first_row, batch.first_row + len(batch))
            voxels[rows] = torch.from_numpy(batch.showers)
            layer_energy[rows] = torch.from_numpy(binning.layer_energies(batch.showers))
            incident_energy[rows] = torch.from_numpy(batch.incident_energy)
            if batch.eta is not None:
                etas[rows] = torch.from_numpy(batch.eta)
    return ShowerTensors(layer_energy, incident_energy, etas, voxels)


def _split(
    showers: ShowerTensors, fraction: float, seed: int
) -> tuple[ShowerTensors, ShowerTensors]:
    """Hold out a random part with the same spectrum; both parts have at least one shower."""
    held_out = max(1, round(fraction * len(showers)))
    if len(showers) - held_out < 1:
        raise InputError(
            f"{len(showers)} showers are too few to hold out {fraction:g} of them; add showers"
        )
    chosen = chosen_by_seed(showers, held_out, seed, Stream.SPLIT)
    return showers[~chosen], showers[chosen]
