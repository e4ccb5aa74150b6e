"""From latents to deposits, and the numbers in which generator and critic see a shower.

A deposit E (a layer's or a voxel's energy) is seen as::

    t = log(1 + E / (r E_inc))         0 where E = 0; r is the configuration's ``resolution``
    y = (t - mean(E_inc)) / scale(E_inc)

with mean and scale over all showers, empty deposits included. The generator gives any real y; a t
below 0 is cut to 0. So an exact zero has a probability of its own, that of the generator's output
left of the cut, and no threshold is needed. As in FastCaloGAN (arXiv:2109.02551, section 5.3) a
deposit is a part of the incident energy and nothing forces the parts to add up: the sum is learnt.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from fastcaloq_infer.flow.condition import ConditionScaling, Validity
from fastcaloq_infer.preprocessing.fit import energy_knots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from fastcaloq_infer.baselines.wgan.config import WganConfig

__all__ = ["ShowerGenerator", "ShowerView", "perceptron"]

_SMALLEST_SUM_SCALE = 1e-3  # of a sum that does not fluctuate


def perceptron(inputs: int, hidden: Sequence[int], outputs: int) -> nn.Sequential:
    """Return a multi-layer perceptron; SiLU has the second derivatives a penalty asks for."""
    layers: list[nn.Module] = []
    for before, after in pairwise((inputs, *hidden)):
        layers += [nn.Linear(before, after), nn.SiLU()]
    return nn.Sequential(*layers, nn.Linear((inputs, *hidden)[-1], outputs))


class _Standard(nn.Module):
    """Mean and scale (N, D) as functions of log E_inc, piecewise linear between knots."""

    knots: Tensor  # (K,) log MeV
    table: Tensor  # (K, 2 D): means, scales

    def __init__(
        self, values: NDArray[np.float64], log_energy: NDArray[np.float64], smallest: float
    ) -> None:
        super().__init__()
        self.smallest = smallest
        knots, nearest = energy_knots(log_energy)
        rows = [values[nearest == k] for k in range(len(knots))]
        table = [np.concatenate([row.mean(axis=0), row.std(axis=0)]) for row in rows]
        self.register_buffer("knots", torch.as_tensor(knots))
        self.register_buffer("table", torch.as_tensor(np.array(table)))

    def forward(self, log_energy: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and scale (N, D) at (N,)."""
        knots, table = self.knots.to(log_energy.dtype), self.table.to(log_energy.dtype)
        if len(knots) == 1:
            found = table.expand(len(log_energy), -1)
        else:
            left = (log_energy.unsqueeze(1) >= knots[1:-1]).sum(dim=1)
            weight = (log_energy - knots[left]) / (knots[left + 1] - knots[left])
            found = torch.lerp(table[left], table[left + 1], weight.clamp(0, 1).unsqueeze(1))
        mean, scale = found.chunk(2, dim=1)
        return mean, scale.clamp(min=self.smallest)


class ShowerView(nn.Module):
    """Deposits (N, D) in MeV as the numbers y (N, D) above, and the sums beside them.

    The critic also sees sums of deposits as parts of the incident energy, standardised in the same
    way: the total, and for whole showers every layer. Resolution is a matter of per mille in the
    sum, which no critic of this size finds in hundreds of voxels by itself.

    Parameters
    ----------
    deposits
        (N, D) MeV, to fit means and scales to.
    incident_energy, eta
        (N,) MeV and (N,).
    config
        Has r and the smallest scale.
    layers
        Columns of every layer; for layer energies none.
    """

    def __init__(
        self,
        deposits: NDArray[np.float64],
        incident_energy: NDArray[np.float64],
        eta: NDArray[np.float64],
        config: WganConfig,
        layers: Sequence[slice] = (),
    ) -> None:
        super().__init__()
        self.resolution = config.resolution
        self.layers = tuple(layers)
        self.n_deposits = int(deposits.shape[1])
        spread = float(np.abs(eta).min()), float(np.abs(eta).max())
        energies = float(incident_energy.min()), float(incident_energy.max())
        self.condition = ConditionScaling(Validity(energies, spread, spread[0] < spread[1]))
        log_energy = np.log(incident_energy)
        parts = deposits / incident_energy[:, None]
        t = np.log1p(parts / config.resolution)
        self.deposit = _Standard(t, log_energy, config.smallest_scale)
        sums = self._sums(torch.as_tensor(parts)).numpy()
        self.sum = _Standard(sums, log_energy, _SMALLEST_SUM_SCALE)

    @property
    def n_inputs(self) -> int:
        """Numbers per shower that a critic sees, the condition not counted."""
        return self.n_deposits + 1 + len(self.layers)

    def _sums(self, parts: Tensor) -> Tensor:
        per_layer = [parts[:, columns].sum(dim=1) for columns in self.layers]
        return torch.stack([parts.sum(dim=1), *per_layer], dim=1)

    def see(self, deposits: Tensor, incident_energy: Tensor) -> Tensor:
        """Numbers (N, n_inputs) a critic sees of deposits (N, D) in MeV."""
        parts = deposits / incident_energy.unsqueeze(1)
        seen = []
        for standard, values in (
            (self.deposit, torch.log1p(parts / self.resolution)),
            (self.sum, self._sums(parts)),
        ):
            mean, scale = standard(incident_energy.log())
            seen.append((values - mean) / scale)
        return torch.cat(seen, dim=1)

    def deposits(self, y: Tensor, incident_energy: Tensor) -> Tensor:
        """Deposits (N, D) in MeV of numbers y (N, D); exactly 0 where t is below 0."""
        mean, scale = self.deposit(incident_energy.log())
        t = torch.relu(mean + scale * y)
        return incident_energy.unsqueeze(1) * self.resolution * torch.expm1(t)


class ShowerGenerator(nn.Module):
    """Deposits out of latents and condition: what is kept of a training."""

    def __init__(self, view: ShowerView, latent: int, hidden: Sequence[int]) -> None:
        super().__init__()
        self.view = view
        self.latent = latent
        self.network = perceptron(latent + 2, hidden, view.n_deposits)

    def forward(self, latent: Tensor, incident_energy: Tensor, eta: Tensor) -> Tensor:
        """Deposits (N, D) in MeV of latents (N, latent), energies (N,) in MeV and eta (N,)."""
        condition = self.view.condition(incident_energy, eta)
        y = self.network(torch.cat([latent, condition], dim=1))
        return self.view.deposits(y, incident_energy)
