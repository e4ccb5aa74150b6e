"""What every density of the voxels has in common, however it is made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import torch
from torch import nn

from fastcaloq_infer.flow.condition import ConditionScaling, Validity
from fastcaloq_infer.flow.shape.chain import encode
from fastcaloq_infer.flow.shape.grid import LayerGrid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Generator, Tensor

    from fastcaloq_infer.conditioning import Conditioner
    from fastcaloq_infer.flow.shape.config import CouplingShapeConfig, ShapeConfig
    from fastcaloq_infer.flow.shape.grid import Layer

__all__ = ["VoxelFlow"]

_CHUNK = 1024  # rows at a time where all coordinates of all rows would fill the memory


class VoxelFlow(nn.Module, ABC):
    """p(voxels | layer energies, E_inc, eta) and its sampler; layer energies are kept.

    Energies are in MeV; (N, V) for voxels, (N, L) for layers, (N,) for incident energy and eta.
    Works in the dtype it was moved to.

    Parameters
    ----------
    layers
        Edges of the rings in mm and number of bins in alpha of every layer.
    validity
        Range of incident energies and eta, scales the condition.
    conditioner
        Module mapping the scaled condition (N, 2) to features (N, Q).
    energy_scale
        MeV at which the encoding of layer energies bends.

    Attributes
    ----------
    noisy
        Whether :meth:`prepare` draws noise, so that every epoch prepares its own rows.
    n_condition
        Numbers that the networks see of a shower's conditions, 2 + 2 L + Q.
    """

    noisy: bool
    config: ShapeConfig | CouplingShapeConfig

    def __init__(
        self,
        layers: Sequence[Layer],
        validity: Validity,
        conditioner: Conditioner,
        energy_scale: float,
    ) -> None:
        super().__init__()
        self.layers = tuple(LayerGrid.of(layer) for layer in layers)
        self.energy_scale = energy_scale
        self.condition = ConditionScaling(validity)
        self.conditioner = conditioner
        self.n_condition = 2 + 2 * len(self.layers) + conditioner.n_features

    @property
    def n_layers(self) -> int:
        """Number of calorimeter layers L."""
        return len(self.layers)

    @property
    def layer_sizes(self) -> list[int]:
        """Voxels of every layer."""
        return [layer.n_voxels for layer in self.layers]

    @property
    def n_voxels(self) -> int:
        """Number of voxels V."""
        return sum(self.layer_sizes)

    @property
    @abstractmethod
    def n_latents(self) -> int:
        """Latents that a shower is made of."""

    @property
    @abstractmethod
    def multiply_adds(self) -> int:
        """Multiply-adds of the matrix products per shower, without the conditioner's."""

    def layer_energies(self, voxels: Tensor) -> Tensor:
        """Sum voxels (N, V) over layers, (N, L)."""
        parts = torch.split(voxels, self.layer_sizes, dim=1)
        return torch.stack([part.sum(dim=1) for part in parts], dim=1)

    @abstractmethod
    def prepare(
        self,
        voxels: Tensor,
        incident_energy: Tensor,
        eta: Tensor,
        generator: Generator | None = None,
    ) -> tuple[Tensor, ...]:
        """Return all that :meth:`nll` needs and no weight decides, one row per shower."""

    @abstractmethod
    def nll(self, *prepared: Tensor) -> Tensor:
        """Negative log likelihood (N,) in nats of prepared showers."""

    @abstractmethod
    def inverse(
        self, z: Tensor, layer_energy: Tensor, incident_energy: Tensor, eta: Tensor
    ) -> Tensor:
        """Voxels (N, V) in MeV of latents (N, n_latents or more)."""

    @abstractmethod
    def latents(
        self,
        voxels: Tensor,
        incident_energy: Tensor,
        eta: Tensor,
        generator: Generator | None = None,
    ) -> Tensor:
        """Latents (N, n_latents) of voxels (N, V) MeV, standard normal for the right model."""

    @abstractmethod
    def initialise(self, voxels: Tensor, incident_energy: Tensor, eta: Tensor) -> None:
        """Set what need not be learnt, by voxels (N, V) MeV."""

    @abstractmethod
    def log_prob(self, voxels: Tensor, incident_energy: Tensor, eta: Tensor) -> Tensor:
        """Log density (N,) in nats of voxels (N, V) MeV; the class says which."""

    @torch.no_grad()
    def sample(
        self,
        layer_energy: Tensor,
        incident_energy: Tensor,
        eta: Tensor,
        generator: Generator | None = None,
    ) -> Tensor:
        """Draw voxels (N, V) in MeV with torch's own random numbers.

        For productions use :class:`fastcaloq_infer.Sampler`: counter-based and far faster.
        """
        voxels = []
        for layers, energies, etas in self._rows(layer_energy, incident_energy, eta):
            z = torch.randn(
                (len(energies), self.n_latents),
                generator=generator,
                dtype=layers.dtype,
                device=layers.device,
            )
            voxels.append(self.inverse(z, layers, energies, etas))
        return torch.cat(voxels)

    def _rows(self, *columns: Tensor) -> list[tuple[Tensor, ...]]:
        return list(zip(*(torch.split(column, _CHUNK) for column in columns), strict=True))

    def _layers(self, layer_energy: Tensor, incident_energy: Tensor) -> Tensor:
        """Return what the network sees of the layer energies, (N, 2L)."""
        scale = self.energy_scale
        share = torch.log((layer_energy + scale) / incident_energy.unsqueeze(1)) / 3.0
        return torch.cat([encode(layer_energy, scale), share], dim=1)

    def _condition(self, condition: Tensor, layers: Tensor) -> Tensor:
        with torch.autocast(condition.device.type, enabled=False):  # circuits keep all their digits
            return torch.cat([condition, layers, self.conditioner(condition)], dim=1)
