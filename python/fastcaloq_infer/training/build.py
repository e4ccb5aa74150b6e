"""Flows out of configurations and metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from fastcaloq_infer.artefact.sections import Ranges
from fastcaloq_infer.conditioning import build_conditioner
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
    """
    train = showers.train
    preprocessing = EnergyPreprocessing.fit(
        train.layer_energy.numpy(), train.incident_energy.numpy(), config.preprocessing
    )
    eta = train.eta.abs()
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
            eta=(float(eta.min()), float(eta.max())),
        ),
        preprocessing=preprocessing_section(preprocessing),
        flow=config.flow,
        quantum=config.quantum,
        training=None,
    )


def build_flow(metadata: ModelMetadata) -> EnergyFlow:
    """Return the flow that ``metadata`` describes, in float64, with random weights."""
    validity = Validity(metadata.validity.incident_energy, metadata.validity.eta)
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
