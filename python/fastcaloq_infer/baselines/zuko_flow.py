"""A neural spline flow of the library zuko (Rozet et al.) between our preprocessing and MeV.

It sees the same coordinates and the same condition as our own blocks and is trained by the same
trainer, so its likelihood is a density in MeV as well: what differs is the flow.  zuko comes with
the extra ``benchmark`` and is imported only when a flow is built.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any

import torch
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from fastcaloq_infer import data
from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.flow.condition import Validity
from fastcaloq_infer.flow.config import FlowConfig
from fastcaloq_infer.flow.energy_flow import EnergyFlow
from fastcaloq_infer.flow.transform import Composition, Transform
from fastcaloq_infer.preprocessing.energies import EnergyPreprocessing
from fastcaloq_infer.study.flow_learner import FittedFlow
from fastcaloq_infer.training.build import describe
from fastcaloq_infer.training.config import TrainConfig
from fastcaloq_infer.training.config_errors import validate
from fastcaloq_infer.training.data import ShowerTensors, TrainingSet
from fastcaloq_infer.training.divergence import TrainingError
from fastcaloq_infer.training.history import History
from fastcaloq_infer.training.metadata import constants_of
from fastcaloq_infer.training.seeds import Stream, stream_seed
from fastcaloq_infer.training.threads import torch_threads
from fastcaloq_infer.training.trainer import Trainer

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from fastcaloq_infer.data import LayerEnergies
    from fastcaloq_infer.training.config import DataConfig

__all__ = ["NsfConfig", "ZukoBlocks", "ZukoConfig", "ZukoEnergyFlow", "ZukoLearner", "learner"]

HISTORY = "history.json"


class NsfConfig(BaseModel):
    """Arguments of ``zuko.flows.NSF`` (Durkan et al., arXiv:1906.04032)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    transforms: Annotated[int, Field(ge=1, le=64)] = 3
    hidden: tuple[Annotated[int, Field(ge=1, le=4096)], ...] = (64, 64)
    bins: Annotated[int, Field(ge=2, le=64)] = 16
    passes: PositiveInt | None = Field(
        None, description="2: coupling; null: autoregressive, one pass per layer when drawing"
    )


class ZukoConfig(TrainConfig):
    """A training configuration with the section ``zuko`` in place of ``flow`` and ``quantum``."""

    zuko: NsfConfig = NsfConfig()

    @model_validator(mode="after")
    def _own_sections(self) -> ZukoConfig:
        for section in ("flow", "quantum"):
            if section in self.model_fields_set:
                msg = f"a flow of zuko has no section '{section}': its choices are under 'zuko'"
                raise ValueError(msg)
        return self


class ZukoBlocks(Transform):
    """Standardisation and the transformations of ``zuko.flows.NSF`` as one of our own."""

    shift: Tensor  # (L,)
    scale: Tensor  # (L,)

    def __init__(self, features: int, context: int, config: NsfConfig) -> None:
        super().__init__()
        from zuko.flows import NSF

        self.nsf = NSF(
            features,
            context,
            bins=config.bins,
            transforms=config.transforms,
            hidden_features=config.hidden,
            passes=config.passes,
        )
        self.register_buffer("shift", torch.zeros(features))
        self.register_buffer("scale", torch.ones(features))

    def forward(self, x: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Map coordinates (N, L) to latents (N, L); also log|det dz/dx| (N,)."""
        z, log_abs_det = self.nsf.transform(context).call_and_ladj((x - self.shift) / self.scale)
        return z, log_abs_det - self.scale.log().sum()

    def inverse(self, z: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Map latents (N, L) to coordinates (N, L); also log|det dx/dz| (N,)."""
        x, log_abs_det = self.nsf.transform(context).inv.call_and_ladj(z)
        return x * self.scale + self.shift, log_abs_det + self.scale.log().sum()


class ZukoEnergyFlow(EnergyFlow):
    """`EnergyFlow` with zuko's transformations for blocks and the condition alone for context."""

    def __init__(
        self, config: NsfConfig, preprocessing: EnergyPreprocessing, validity: Validity
    ) -> None:
        zuko = ZukoBlocks(preprocessing.n_layers, 2, config)
        super().__init__(FlowConfig(n_blocks=1), Composition([zuko]), preprocessing, validity)
        self.zuko = zuko

    def initialise_coordinates(self, x: Tensor, condition: Tensor) -> None:
        """Standardise the coordinates (N, L): zuko's splines act between -5 and 5 alone."""
        self.zuko.shift.copy_(x.mean(dim=0))
        self.zuko.scale.copy_(x.std(dim=0))


class ZukoLearner:
    """Trains a flow of zuko as configured, with our preprocessing and our trainer."""

    def __init__(self, config: ZukoConfig) -> None:
        self.config = config

    @property
    def data(self) -> DataConfig:
        """The section ``data``."""
        return self.config.data

    def fit(
        self, train: LayerEnergies, validation: LayerEnergies, *, seed: int, folder: Path
    ) -> FittedFlow:
        """Train; see :class:`~fastcaloq_infer.study.learner.Learner`.

        Raises
        ------
        TrainingError
            The loss stays non-finite.
        """
        config = self.config.model_copy(update={"seed": seed})
        showers = TrainingSet(
            train=ShowerTensors.from_energies(train),
            validation=ShowerTensors.from_energies(validation),
            binning=data.binning(config.data.binning, particle=config.particle),
            files=(),
        )
        with torch_threads(config.threads):
            trainer = Trainer(config, _initial(config, showers), showers.train, showers.validation)
            trainer.run()
        History.save(trainer.history, folder / HISTORY)
        if not trainer.best:
            raise TrainingError("the held-out likelihood was never finite; lower optimiser.lr")
        flow = _initial(config, showers)
        flow.load_state_dict(trainer.best)
        return FittedFlow(flow)


def _initial(config: ZukoConfig, showers: TrainingSet) -> ZukoEnergyFlow:
    """Return the flow a training starts from, in the dtype of the configuration."""
    metadata = describe(config, showers)
    validity = metadata.validity
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(config.seed, Stream.WEIGHTS))
        flow = ZukoEnergyFlow(
            config.zuko,
            EnergyPreprocessing(constants_of(metadata.preprocessing)),
            Validity(validity.incident_energy, validity.eta, metadata.eta_dependent),
        ).double()
    noise = torch.Generator().manual_seed(stream_seed(config.seed, Stream.INITIALISATION))
    train = showers.train
    flow.initialise(train.layer_energy, train.incident_energy, train.eta, noise)
    return flow.to(torch.float32 if config.dtype == "float32" else torch.float64)


def learner(raw: dict[str, Any], source: str, folder: Path) -> ZukoLearner:
    """Make the learner of a configuration given as plain data.

    Raises
    ------
    ConfigError
        Keys that are refused, or zuko is not installed.
    """
    config = validate(ZukoConfig, raw, source, {"folder": folder})
    if find_spec("zuko") is None:
        raise ConfigError(
            f"{source}: a flow of zuko needs the package zuko, which only comparisons use; "
            "pip install 'fastcaloq-infer[benchmark]'"
        )
    return ZukoLearner(config)
