"""Energy flows as learners of a study."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fastcaloq_infer import data
from fastcaloq_infer.artefact.provenance import TrainingData
from fastcaloq_infer.training.checkpoint import CHECKPOINT
from fastcaloq_infer.training.config import TrainConfig
from fastcaloq_infer.training.data import ShowerTensors, TrainingSet
from fastcaloq_infer.training.run import train as train_flow

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from fastcaloq_infer.data import LayerEnergies
    from fastcaloq_infer.flow.energy_model import EnergyModel
    from fastcaloq_infer.training.config import DataConfig

__all__ = ["FittedFlow", "FlowLearner", "learner"]

#: Places the zeros of held-out showers; the same for all flows, so that differences have no noise.
_NOISE_SEED = 20
_ROWS = 8192


class FittedFlow:
    """A trained flow in float64."""

    def __init__(self, flow: EnergyModel) -> None:
        self.flow = flow.double().eval()

    @property
    def n_parameters(self) -> int:
        """All weights, the normalisation's among them; the preprocessing's constants are data."""
        return sum(p.numel() for p in self.flow.parameters())

    @property
    def n_trained(self) -> int:
        """Weights that the training changes."""
        return sum(p.numel() for p in self.flow.parameters() if p.requires_grad)

    @property
    def n_conditioner(self) -> int:
        """Weights of the conditioner, or of the circuits where they sit elsewhere."""
        return self.flow.n_conditioner

    @property
    def n_features(self) -> int:
        """Features of the conditioner."""
        return self.flow.conditioner.n_features

    @torch.no_grad()
    def sample(
        self, incident_energy: NDArray[np.float64], eta: NDArray[np.float64], *, seed: int
    ) -> NDArray[np.float64]:
        """Draw layer energies (N, L) in MeV for incident energies (N,) in MeV and eta (N,)."""
        random = torch.Generator().manual_seed(seed)
        chunks = [
            self.flow.sample(energy, slope, random).numpy()
            for energy, slope in _chunks(incident_energy, eta)
        ]
        return np.concatenate(chunks)

    @torch.no_grad()
    def log_prob(
        self,
        layer_energy: NDArray[np.float64],
        incident_energy: NDArray[np.float64],
        eta: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Log density (N,) in nats per MeV^L, -inf where there is none."""
        noise = torch.Generator().manual_seed(_NOISE_SEED)
        chunks = [
            self.flow.log_prob(layers, energy, slope, noise).numpy()
            for layers, energy, slope in _chunks(layer_energy, incident_energy, eta)
        ]
        return np.concatenate(chunks)


def _chunks(*columns: NDArray[np.float64]) -> list[list[torch.Tensor]]:
    tensors = [torch.as_tensor(column, dtype=torch.float64) for column in columns]
    starts = range(0, len(tensors[0]), _ROWS)
    return [[tensor[start : start + _ROWS] for tensor in tensors] for start in starts]


class FlowLearner:
    """Trains an energy flow as its configuration says.

    A fit that finds the checkpoint of a killed one in its folder goes on from there.
    """

    def __init__(self, config: TrainConfig) -> None:
        self.config = config

    @property
    def data(self) -> DataConfig:
        """The section ``data``."""
        return self.config.data

    def fit(
        self, train: LayerEnergies, validation: LayerEnergies, *, seed: int, folder: Path
    ) -> FittedFlow:
        """Train; see :class:`~fastcaloq_infer.study.learner.Learner`."""
        config = self.config.model_copy(update={"seed": seed, "threads": 1})
        showers = TrainingSet(
            train=ShowerTensors.from_energies(train),
            validation=ShowerTensors.from_energies(validation),
            binning=data.binning(config.data.binning, particle=config.particle),
            files=(_describe("training", train), _describe("stopping", validation)),
        )
        resume = (folder / CHECKPOINT).exists()
        return FittedFlow(train_flow(config, folder, resume=resume, training_set=showers).flow)


def _describe(name: str, showers: LayerEnergies) -> TrainingData:
    digest = hashlib.sha256()
    for column in (showers.incident_energy, showers.eta, showers.layer_energy):
        digest.update(np.ascontiguousarray(column).tobytes())
    return TrainingData(name=name, sha256=digest.hexdigest(), showers=len(showers))


def learner(raw: dict[str, Any], source: str, folder: Path) -> FlowLearner:
    """Make the learner of a training configuration given as plain data."""
    return FlowLearner(TrainConfig.from_dict(raw, source=source, folder=folder))
