"""Flows out of configurations and metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

import torch

from fastcaloq_infer.artefact.sections import Ranges
from fastcaloq_infer.conditioning import build_conditioner
from fastcaloq_infer.errors import ConfigError, InputError
from fastcaloq_infer.flow.condition import Validity
from fastcaloq_infer.flow.kinds.build import build_energy_model
from fastcaloq_infer.flow.shape.build import build_voxel_flow
from fastcaloq_infer.flow.shape.voxel_flow import VoxelFlow
from fastcaloq_infer.preprocessing.energies import EnergyPreprocessing
from fastcaloq_infer.training.config import ShapeTrainConfig, TrainConfig
from fastcaloq_infer.training.metadata import (
    FlowMetadata,
    ModelMetadata,
    ShapeMetadata,
    binning_section,
    constants_of,
    preprocessing_section,
)
from fastcaloq_infer.training.seeds import Stream, stream_seed

if TYPE_CHECKING:
    from torch import Tensor

    from fastcaloq_infer.flow.energy_model import EnergyModel
    from fastcaloq_infer.training.config import TrainingConfig
    from fastcaloq_infer.training.data import ShowerTensors, TrainingSet

__all__ = ["build_flow", "describe", "initial_flow"]

_INITIALISATION_ROWS = 50_000
_INITIALISATION_SHAPES = 10_000


@overload
def describe(config: TrainConfig, showers: TrainingSet) -> ModelMetadata: ...
@overload
def describe(config: ShapeTrainConfig, showers: TrainingSet) -> ShapeMetadata: ...
def describe(
    config: TrainConfig | ShapeTrainConfig, showers: TrainingSet
) -> ModelMetadata | ShapeMetadata:
    """Write down what the model will be; fits the preprocessing of layer energies to the showers.

    Raises
    ------
    InputError
        A layer holds too few showers to be standardised.
    ConfigError
        The showers do not lie in ``data.eta_slice``.
    """
    eta, eta_dependent = _eta_range(showers.train.eta.abs(), config.data.eta_slice)
    incident_energy = showers.train.incident_energy
    common = FlowMetadata(
        name=config.name,
        particle=showers.binning.particle,
        pdg_id=showers.binning.pdg_id,
        binning=binning_section(showers.binning),
        validity=Ranges(
            incident_energy=(float(incident_energy.min()), float(incident_energy.max())), eta=eta
        ),
        eta_dependent=eta_dependent,
        quantum=config.quantum,
        training=None,
    )
    if isinstance(config, ShapeTrainConfig):
        return ShapeMetadata(**dict(common), shape=config.shape)
    preprocessing = EnergyPreprocessing.fit(
        showers.train.layer_energy.numpy(), incident_energy.numpy(), config.preprocessing
    )
    return ModelMetadata(
        **dict(common),
        preprocessing=preprocessing_section(preprocessing),
        flow=config.flow,
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


@overload
def build_flow(metadata: ModelMetadata) -> EnergyModel: ...
@overload
def build_flow(metadata: ShapeMetadata) -> VoxelFlow: ...
def build_flow(metadata: ModelMetadata | ShapeMetadata) -> EnergyModel | VoxelFlow:
    """Return the flow that ``metadata`` describes, in float64, with random weights."""
    validity = Validity(
        metadata.validity.incident_energy, metadata.validity.eta, metadata.eta_dependent
    )
    if isinstance(metadata, ShapeMetadata):
        layers = metadata.binning.layers
        conditioner = build_conditioner(metadata.quantum)
        return build_voxel_flow(metadata.shape, layers, validity, conditioner).double()
    preprocessing = EnergyPreprocessing(constants_of(metadata.preprocessing))
    model = build_energy_model(metadata.quantum, metadata.flow, preprocessing, validity)
    return model.double()


@overload
def initial_flow(
    config: TrainingConfig, metadata: ModelMetadata, showers: TrainingSet
) -> EnergyModel: ...
@overload
def initial_flow(
    config: TrainingConfig, metadata: ShapeMetadata, showers: TrainingSet
) -> VoxelFlow: ...
def initial_flow(
    config: TrainingConfig, metadata: ModelMetadata | ShapeMetadata, showers: TrainingSet
) -> EnergyModel | VoxelFlow:
    """Return the flow a training starts from; its weights depend on seed and data alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(config.seed, Stream.WEIGHTS))
        flow = build_flow(metadata)
    if isinstance(flow, VoxelFlow):
        few = showers.train[_first(showers.train, _INITIALISATION_SHAPES)]
        if few.voxels is None:
            raise InputError("a shape flow learns from voxels, but there are layer energies only")
        flow.initialise(few.voxels, few.incident_energy, few.eta)
    else:
        few = showers.train[_first(showers.train, _INITIALISATION_ROWS)]
        noise = torch.Generator().manual_seed(stream_seed(config.seed, Stream.INITIALISATION))
        flow.initialise(few.layer_energy, few.incident_energy, few.eta, noise)
    return flow.to(torch.float32 if config.dtype == "float32" else torch.float64)


def _first(showers: ShowerTensors, rows: int) -> Tensor:
    return torch.arange(min(len(showers), rows))
