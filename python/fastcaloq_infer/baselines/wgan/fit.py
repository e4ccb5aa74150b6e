"""A WGAN as a learner of studies: trains on layer energies, draws layer energies, no likelihood."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcaloq_infer.baselines.wgan.config import WganConfig
from fastcaloq_infer.baselines.wgan.training import Deposits, Look, draw, train_generator
from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.files import atomic_path
from fastcaloq_infer.training.threads import torch_threads

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from fastcaloq_infer.baselines.wgan.generator import ShowerGenerator
    from fastcaloq_infer.data import LayerEnergies
    from fastcaloq_infer.training.config import DataConfig

__all__ = ["LOOKS", "FittedWgan", "WganLearner", "learner"]

LOOKS = "looks.json"
"""What a training leaves in its folder: chi2/ndf of E_tot and the critic's distance per look."""


def learner(raw: dict[str, Any], source: str, folder: Path) -> WganLearner:
    """Make the learner of a configuration, as `fastcaloq_infer.study.learner` asks for.

    Raises
    ------
    ConfigError
        Unknown, missing or impossible keys, in one line.
    """
    return WganLearner(WganConfig.from_dict(raw, source=source, folder=folder))


@dataclass(frozen=True)
class FittedWgan:
    """A trained generator."""

    generator: ShowerGenerator
    n_conditioner: int = 0
    n_features: int = 0

    @property
    def n_parameters(self) -> int:
        """Numbers of the generator; the critic draws no showers."""
        return sum(p.numel() for p in self.generator.network.parameters())

    @property
    def n_trained(self) -> int:
        """All of them."""
        return self.n_parameters

    def sample(
        self, incident_energy: NDArray[Any], eta: NDArray[Any], *, seed: int
    ) -> NDArray[np.float64]:
        """Draw deposits (N, L) or (N, V) in MeV at energies (N,) in MeV and eta (N,)."""
        return draw(self.generator, incident_energy, eta, seed)

    def log_prob(
        self, layer_energy: NDArray[Any], incident_energy: NDArray[Any], eta: NDArray[Any]
    ) -> None:
        """Return None: a generator of this kind has no likelihood."""


@dataclass(frozen=True)
class WganLearner:
    """Trains a WGAN as configured."""

    config: WganConfig

    @property
    def data(self) -> DataConfig:
        """The configuration's section ``data``."""
        return self.config.data

    def fit(
        self, train: LayerEnergies, validation: LayerEnergies, *, seed: int, folder: Path
    ) -> FittedWgan:
        """Train on layer energies; the checkpoint is chosen on ``validation``.

        Raises
        ------
        ConfigError
            The configuration is one for whole showers.
        TrainingError
            The generator never gave finite showers.
        """
        if self.config.output != "layers":
            raise ConfigError(
                f"{self.config.name}: 'output' is {self.config.output}, but these are layer "
                "energies; set output=layers, or train on whole showers with "
                "'python -m fastcaloq_infer.baselines'"
            )
        return self.fit_deposits(_deposits(train), _deposits(validation), seed=seed, folder=folder)

    def fit_deposits(
        self,
        train: Deposits,
        validation: Deposits,
        *,
        seed: int,
        folder: Path,
        layers: tuple[slice, ...] = (),
        on_look: Callable[[Look], None] | None = None,
    ) -> FittedWgan:
        """Train on deposits of any kind; ``layers`` are the columns of every layer of voxels."""
        with torch_threads(self.config.threads):
            generator, looks = train_generator(
                self.config, train, validation, seed=seed, layers=layers, on_look=on_look
            )
        with atomic_path(folder / LOOKS) as temporary:
            rows = [
                {k: v if np.isfinite(v) else None for k, v in asdict(look).items()}
                for look in looks
            ]
            temporary.write_text(json.dumps(rows, indent=1, allow_nan=False) + "\n")
        return FittedWgan(generator)


def _deposits(energies: LayerEnergies) -> Deposits:
    return Deposits(
        energies.layer_energy, energies.incident_energy.astype(np.float64), energies.eta
    )
