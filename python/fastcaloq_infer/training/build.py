"""Flows out of configurations and metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from fastcaloq_infer.artefact.sections import Ranges
from fastcaloq_infer.conditioning import build_conditioner
from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.flow.condition import Validity
from fastcaloq_infer.flow.energy_flow import EnergyFlow
from fastcaloq_infer.preprocessing.energies import EnergyPreprocessing
from fastcaloq_infer.training.metadata import (
    ModelMetadata,
    binning_section,
    constants_of,
    preprocessing_section,
)
from fastcaloq_infer.training.seeds import Stream, stream_seed

if TYPE_CHECKING:
    from torch import Tensor

    from fastcaloq_infer.training.config import TrainConfig
    from fastcaloq_infer.training.data import TrainingSet

__all__ = ["build_flow", "describe", "initial_flow"]

_INITIALISATION_ROWS = 50_000


def describe(config: TrainConfig, showers: TrainingSet) -> ModelMetadata:
    """Fit the preprocessing to the training showers and write down what the model will be.

    Raises
    ------
    InputError
        A layer holds too few showers to be standardised.
    ConfigError
        The showers do not lie in ``data.eta_slice``.
    """
    train = showers.train
    preprocessing = EnergyPreprocessing.fit(
        train.layer_energy.numpy(), train.incident_energy.numpy(), config.preprocessing
    )
    eta, eta_dependent = _eta_range(train.eta.abs(), config.data.eta_slice)
    return ModelMetadata(
        name=config.name,
        particle=showers.binning.particle,
        pdg_id=showers.binning.pdg_id,
        binning=binning_section(showers.binning),
        validity=Ranges(
            incident_energy=(
                float(train.incident_energy.min()),
                float(train.incident_energy.max()),
            ),
            eta=eta,
        ),
        eta_dependent=eta_dependent,
        preprocessing=preprocessing_section(preprocessing),
        flow=config.flow,
        quantum=config.quantum,
        training=None,
    )


def _eta_range(eta: Tensor, piece: tuple[float, float] | None) -> tuple[tuple[float, float], bool]:
    """Range of |eta| the model is valid for, and whether it depends on eta inside.

    Raises
    ------
    ConfigError
        The showers do not have one eta inside the slice they are said to stand for.
    """
    low, high = float(eta.min()), float(eta.max())
    if piece is None:
        return (low, high), True
    if low == high and piece[0] <= low <= piece[1]:
        return piece, False
    raise ConfigError(
        f"data.eta_slice is [{piece[0]:g}, {piece[1]:g}], but the showers have |eta| from {low:g} "
        f"to {high:g}: a slice is for showers of one eta inside it; leave the key out"
    )


def build_flow(metadata: ModelMetadata) -> EnergyFlow:
    """Return the flow that ``metadata`` describes, in float64, with random weights."""
    validity = Validity(
        metadata.validity.incident_energy, metadata.validity.eta, metadata.eta_dependent
    )
    return EnergyFlow(
        metadata.flow,
        EnergyPreprocessing(constants_of(metadata.preprocessing)),
        validity,
        build_conditioner(metadata.quantum),
    ).double()


def initial_flow(config: TrainConfig, metadata: ModelMetadata, showers: TrainingSet) -> EnergyFlow:
    """Return the flow a training starts from; its weights depend on seed and data alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(config.seed, Stream.WEIGHTS))
        flow = build_flow(metadata)
    few = showers.train[torch.arange(min(len(showers.train), _INITIALISATION_ROWS))]
    noise = torch.Generator().manual_seed(stream_seed(config.seed, Stream.INITIALISATION))
    flow.initialise(few.layer_energy, few.incident_energy, few.eta, noise)
    return flow.to(torch.float32 if config.dtype == "float32" else torch.float64)
