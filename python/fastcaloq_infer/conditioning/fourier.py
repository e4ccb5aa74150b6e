"""Random Fourier features: the classical rival with fixed frequencies."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from fastcaloq_infer.conditioning.base import Conditioner

if TYPE_CHECKING:
    from fastcaloq_infer.quantum.circuit import Circuit


class FourierConditioner(Conditioner):
    r"""Features :math:`\cos(\omega_i \cdot c + b_i)`, as many as the circuit has.

    Frequencies :math:`\omega_i \sim N(0, s^2)` and offsets :math:`b_i \sim U(0, 2\pi)` are drawn
    once, from torch's random numbers, and stay: their inner product approximates a Gaussian kernel
    of width 1/s (Rahimi and Recht 2007, NIPS 20, algorithm 1, without the factor sqrt(2/Q), so that
    features lie in [-1, 1]). With ``readout`` a trained linear map (Q to Q, starting as the
    identity) follows, and the range is free.

    Parameters
    ----------
    circuit
        Gives the numbers of inputs and features.
    scale
        s, radians per unit of input.
    readout
        Whether a trained linear map follows.
    """

    kind = "fourier"

    def __init__(self, circuit: Circuit, scale: float, *, readout: bool = False) -> None:
        super().__init__()
        self.n_features = circuit.n_features
        frequencies = scale * torch.randn(self.n_features, circuit.n_inputs)
        offsets = 2.0 * math.pi * torch.rand(self.n_features)
        # Parameters, so that they count as numbers of the model and travel with its weights.
        self.frequencies = nn.Parameter(frequencies, requires_grad=False)
        self.offsets = nn.Parameter(offsets, requires_grad=False)
        self.readout = nn.Linear(self.n_features, self.n_features) if readout else None
        if self.readout is not None:
            nn.init.eye_(self.readout.weight)
            nn.init.zeros_(self.readout.bias)

    def forward(self, c: Tensor) -> Tensor:
        """Features (N, Q) of conditions (N, 2)."""
        c = self.checked(c, self.frequencies.shape[1])
        features = torch.cos(nn.functional.linear(c, self.frequencies, self.offsets))
        return features if self.readout is None else self.readout(features)
