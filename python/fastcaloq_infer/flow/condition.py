"""The condition of a shower, (E_inc, eta), scaled to [-1, 1] over the range of validity."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

__all__ = ["ConditionScaling", "Validity"]


@dataclass(frozen=True)
class Validity:
    """Ranges a model is valid for: incident energy in MeV, |eta| without unit.

    A sample with one eta stands for its slice of the detector: the model is valid over the slice
    and, ``eta_dependent`` being False, the same everywhere in it.
    """

    incident_energy: tuple[float, float]
    eta: tuple[float, float]
    eta_dependent: bool = True


_NO_DEPENDENCE = 1e30  # half width that makes a condition vanish; a normal number in float32


def _centre_and_half_width(low: float, high: float) -> tuple[float, float]:
    half_width = 0.5 * (high - low)
    return 0.5 * (low + high), half_width if half_width > 0 else 1.0


class ConditionScaling(nn.Module):
    """(E_inc in MeV, eta) of shape (N,) each to c of shape (N, 2).

    c_0 = (log E_inc - centre) / half width, c_1 the same of |eta|: the detector is symmetric.  A
    range without extent gets half width 1.  Where eta does not matter its half width is 1e30, so
    that c_1 is nothing beside any number.
    """

    centre: Tensor
    half_width: Tensor

    def __init__(self, validity: Validity) -> None:
        super().__init__()
        self.validity = validity
        low, high = validity.incident_energy
        energy = _centre_and_half_width(math.log(low), math.log(high))
        eta = _centre_and_half_width(*validity.eta)
        if not validity.eta_dependent:
            eta = (eta[0], _NO_DEPENDENCE)
        centre, half_width = torch.tensor([energy, eta], dtype=torch.float64).T
        self.register_buffer("centre", centre.contiguous(), persistent=False)
        self.register_buffer("half_width", half_width.contiguous(), persistent=False)

    def forward(self, incident_energy: Tensor, eta: Tensor) -> Tensor:
        """Scale energies (N,) MeV and eta (N,) to (N, 2) in the dtype of the inputs."""
        raw = torch.stack([incident_energy.log(), eta.abs()], dim=1)
        return (raw - self.centre.to(raw.dtype)) / self.half_width.to(raw.dtype)
