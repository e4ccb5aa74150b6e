"""What every model of layer energies is: a density in MeV given the incident particle."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import torch
from torch import nn

from fastcaloq_infer.conditioning import NoConditioner
from fastcaloq_infer.flow.condition import ConditionScaling, Validity

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from fastcaloq_infer.conditioning import Conditioner
    from fastcaloq_infer.preprocessing.energies import EnergyPreprocessing

__all__ = ["EnergyModel"]


class EnergyModel(nn.Module, ABC):
    """p(layer energies | E_inc, eta), a density in MeV, and its sampler.

    A subclass is a density of the preprocessed coordinates given the scaled condition; all that
    speaks of MeV is here. Energies are in MeV; (N, L) for the layers, (N,) for incident energy and
    eta. Works in the dtype it was moved to (``.float()``, ``.double()``).

    Parameters
    ----------
    preprocessing
        The bijection between layer energies and coordinates.
    validity
        Range of incident energies and eta, scales the condition.
    conditioner
        Module mapping the scaled condition (N, 2) to features (N, Q); None: no features.
    """

    def __init__(
        self,
        preprocessing: EnergyPreprocessing,
        validity: Validity,
        conditioner: Conditioner | None = None,
    ) -> None:
        super().__init__()
        self.preprocessing = preprocessing
        self.condition = ConditionScaling(validity)
        self.conditioner = NoConditioner() if conditioner is None else conditioner

    @property
    def n_layers(self) -> int:
        """Number of calorimeter layers L."""
        return self.preprocessing.n_layers

    @property
    def n_conditioner(self) -> int:
        """Numbers of the conditioner, or of the circuits where they sit elsewhere."""
        return self.conditioner.n_parameters

    @abstractmethod
    def coordinate_log_prob(self, x: Tensor, condition: Tensor) -> Tensor:
        """Log density (N,) in nats of coordinates (N, L) at scaled conditions (N, 2)."""

    def training_loss(self, x: Tensor, condition: Tensor) -> Tensor:
        """Loss (N,) in nats of a step: the negative log density, and what a kind adds to it."""
        return -self.coordinate_log_prob(x, condition)

    @abstractmethod
    def draw_coordinates(self, condition: Tensor, generator: Generator | None = None) -> Tensor:
        """Draw coordinates (N, L) at scaled conditions (N, 2) with torch's random numbers."""

    @abstractmethod
    def initialise_coordinates(self, x: Tensor, condition: Tensor) -> None:
        """Set what is set from data before training: coordinates (N, L), conditions (N, 2)."""

    def log_prob(
        self,
        layer_energy: Tensor,
        incident_energy: Tensor,
        eta: Tensor,
        generator: Generator | None = None,
    ) -> Tensor:
        """Log density (N,) in nats, with respect to dE (MeV) + delta(E) in every layer.

        For showers with empty layers this is the variational lower bound of uniform
        dequantisation (Theis et al., arXiv:1511.01844, section 3.1), exact where none is empty;
        ``generator`` places the zeros (see :mod:`fastcaloq_infer.preprocessing.energies`).
        """
        x, log_abs_det = self.preprocessing(layer_energy, incident_energy, generator)
        condition: Tensor = self.condition(incident_energy, eta)
        log_prob: Tensor = log_abs_det + self.coordinate_log_prob(x, condition)
        return log_prob

    @torch.no_grad()
    def sample(
        self, incident_energy: Tensor, eta: Tensor, generator: Generator | None = None
    ) -> Tensor:
        """Draw layer energies (N, L) in MeV with torch's own random numbers.

        For productions use :class:`fastcaloq_infer.Sampler`: counter-based and far faster.
        """
        x = self.draw_coordinates(self.condition(incident_energy, eta), generator)
        return self.preprocessing.inverse(x, incident_energy)

    @torch.no_grad()
    def initialise(
        self,
        layer_energy: Tensor,
        incident_energy: Tensor,
        eta: Tensor,
        generator: Generator | None = None,
    ) -> None:
        """Set from one large batch what is not trained, or starts from data.

        Layer energies (N, L) and incident energies (N,) in MeV, eta (N,).
        """
        x, _ = self.preprocessing(layer_energy, incident_energy, generator)
        self.initialise_coordinates(x, self.condition(incident_energy, eta))
