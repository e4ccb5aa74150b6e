"""Drawing as many showers as there are held-out ones, with their incident energies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from fastcaloq_infer.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.samples.sample import Sample
    from fastcaloq_infer.flow.energy_model import EnergyModel
    from fastcaloq_infer.flow.shape.voxel_flow import VoxelFlow

__all__ = ["draw_layers", "draw_voxels"]


def draw_layers(flow: EnergyModel, like: Sample, seed: int) -> NDArray[np.float64]:
    """Return layer energies (N, L) in MeV, drawn in float64."""
    random = torch.Generator().manual_seed(seed)
    layers: NDArray[np.float64] = (
        flow.double()
        .sample(torch.from_numpy(like.incident_energy), torch.from_numpy(_eta(like)), random)
        .numpy()
    )
    return layers


def draw_voxels(
    flow: VoxelFlow, layers: NDArray[np.float64], like: Sample, seed: int
) -> NDArray[np.float32]:
    """Return voxels (N, V) in MeV for layer energies (N, L), drawn in float32."""
    random = torch.Generator().manual_seed(seed)
    layer_energy, incident_energy, eta = (
        torch.from_numpy(column).float() for column in (layers, like.incident_energy, _eta(like))
    )
    drawn = flow.float().sample(layer_energy, incident_energy, eta, random)
    voxels: NDArray[np.float32] = drawn.numpy()
    return voxels


def _eta(sample: Sample) -> NDArray[np.float64]:
    if sample.eta is None:
        raise InputError("the held-out showers do not say their eta; set data.eta")
    return np.ascontiguousarray(sample.eta)
