"""Layer energies in MeV to the coordinates the energy flow sees, and back.

A chain of fractions as in CaloFlow (arXiv:2106.05285, section III) with the layers ordered from
the most often empty to the least.  Layers whose signal has a scale in MeV come first and stand
alone: a presampler sees a few minimum-ionising particles, whose peaks lie at fixed energies and
would be smeared by a division through the fluctuating rest (layer 0 at 256 MeV: separation from
Geant4 4.7 times the statistical floor with fractions only, 3,000 training steps)::

    t_0 = log(E_shared / E_inc)              E_shared: the layers that do not stand alone
    t_k = log(E_k / E_inc)                   k stands alone
    t_k = logit(E_k / (E_k + rest_k))        rest_k: what the layers after k in the chain hold
    y_k = (t_k - mean_k(log E_inc)) / scale_k(log E_inc)

**Empty layers.**  A shower leaves a layer empty with a probability that runs from 0 to 99 %, so
zeros are a category and get an interval of their own.  Where a coordinate has a value, y_k is
squeezed smoothly into (lower_k, upper_k); where the layer is empty, x_k is drawn uniformly from an
interval of ``zero_width`` that ends ``zero_gap`` below lower_k; where everything after it is empty,
from one that starts ``zero_gap`` above upper_k.  The gap is for the flow: it draws edges a little
blurred, and without room half of the blur turned zeros into energies (0.5 % of the showers).
Decoding looks at the bounds alone: zeros come out as exact zeros.  (A threshold in MeV would ask
the flow to draw an edge that moves with the incident energy; here it stands still.)

**Tails.**  A flow with Gaussian latents puts some density everywhere, and one latent in a million
would give a presampler 400 times Geant4's largest energy.  Values y_k approach a ceiling a little
above the largest one seen and never pass it; data beyond it have no density.

``log_abs_det`` refers to the measure dE + delta(E) in every layer: a density in MeV where there is
energy, a probability where there is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import torch
from torch import nn
from torch.nn import functional

from fastcaloq_infer.preprocessing.bounds import lift, press, squeeze, unsqueeze
from fastcaloq_infer.preprocessing.config import PreprocessingConfig
from fastcaloq_infer.preprocessing.fit import FittedConstants, fit_constants

if TYPE_CHECKING:
    import numpy as np
    from torch import Generator, Tensor

__all__ = ["EnergyPreprocessing"]


class _Chain(NamedTuple):
    """A batch seen along the chain of fractions."""

    t: Tensor  # (N, L) log response and logits, 0 where there is none
    empty: Tensor  # (N, L) bool: nothing at this coordinate
    rest_empty: Tensor  # (N, L) bool: something here and nothing after it
    log_jacobian: Tensor  # (N,) log|d t / d E| over the coordinates that have a value


class EnergyPreprocessing(nn.Module):
    """The bijection, with its constants as buffers.

    Parameters
    ----------
    constants
        Fitted by :meth:`fit` or read from a checkpoint; float64.
    """

    layer_order: Tensor  # (L,) int64, positions of the layers along the chain
    knots: Tensor  # (K,) log energies
    mean: Tensor  # (L, K)
    scale: Tensor  # (L, K)
    lower: Tensor  # (L,), -inf where a coordinate is never empty
    upper: Tensor  # (L,), +inf where the rest is never empty
    ceiling: Tensor  # (L,), +inf where there is none
    sharpness: Tensor  # (L,)

    def __init__(self, constants: FittedConstants) -> None:
        super().__init__()
        self.energy_threshold = constants.energy_threshold
        self.zero_width = constants.zero_width
        self.zero_gap = constants.zero_gap
        self.n_absolute = constants.n_absolute
        self.register_buffer("layer_order", torch.as_tensor(constants.layer_order))
        for name in ("knots", "mean", "scale", "lower", "upper", "ceiling", "sharpness"):
            self.register_buffer(name, torch.as_tensor(getattr(constants, name)))

    @classmethod
    def fit(
        cls,
        layer_energy: np.ndarray,
        incident_energy: np.ndarray,
        config: PreprocessingConfig | None = None,
    ) -> Self:
        """Fit order, means, scales and bounds to (N, L) and (N,) energies in MeV."""
        return cls(fit_constants(layer_energy, incident_energy, config or PreprocessingConfig()))

    @property
    def n_layers(self) -> int:
        """Number of calorimeter layers L."""
        return int(self.layer_order.shape[0])

    def _standard(self, log_energy: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and scale (N, L) at log energies (N,): piecewise linear, ends continued."""
        knots = self.knots
        if knots.shape[0] == 1:
            shape = (log_energy.shape[0], self.n_layers)
            return self.mean[:, 0].expand(shape), self.scale[:, 0].expand(shape)
        segment = (log_energy.unsqueeze(1) >= knots[1:-1]).sum(dim=1)
        weight = (log_energy - knots[segment]) / (knots[segment + 1] - knots[segment])
        weight = weight.unsqueeze(1)
        mean = self.mean.T[segment] * (1 - weight) + self.mean.T[segment + 1] * weight
        scale = self.scale.T[segment] * (1 - weight) + self.scale.T[segment + 1] * weight
        return mean, scale

    def _chain(self, layer_energy: Tensor, incident_energy: Tensor) -> _Chain:
        energy = layer_energy[:, self.layer_order]
        energy = torch.where(energy > self.energy_threshold, energy, 0.0)
        log_incident = incident_energy.log().unsqueeze(1)
        alone, shared = energy[:, : self.n_absolute], energy[:, self.n_absolute :]
        # rest_from[:, k] = shared energy from chain element k on.
        rest_from = shared.flip(1).cumsum(dim=1).flip(1)
        absolute = torch.cat([rest_from[:, :1], alone], dim=1)
        log_absolute = torch.where(absolute > 0, absolute, 1.0).log()
        response = torch.where(absolute > 0, log_absolute - log_incident, 0.0)
        here, after = shared[:, :-1], rest_from[:, 1:]
        valued = (here > 0) & (after > 0)
        log_here = torch.where(valued, here, 1.0).log()
        log_after = torch.where(valued, after, 1.0).log()
        log_both = torch.where(valued, here + after, 1.0).log()
        return _Chain(
            t=torch.cat([response, log_here - log_after], dim=1),
            empty=torch.cat([absolute == 0, here == 0], dim=1),
            rest_empty=torch.cat(
                [torch.zeros_like(absolute, dtype=torch.bool), (here > 0) & (after == 0)], dim=1
            ),
            # d t_k/d u_k = 1/(u (1-u)) and d(E_shared, u)/dE = prod 1/rest_from: together, per
            # element, rest_from / (E_k rest_k); 1/E for what is taken alone.
            log_jacobian=(log_both - log_here - log_after).sum(dim=1) - log_absolute.sum(dim=1),
        )

    def forward(
        self,
        layer_energy: Tensor,
        incident_energy: Tensor,
        generator: Generator | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Map layer energies (N, L) MeV to coordinates x (N, L), with log|det dx/dE| (N,).

        ``generator`` draws the places of the zeros inside their intervals.  A zero where the
        fitted data had none has no place: its log_abs_det is -inf.
        """
        chain = self._chain(layer_energy, incident_energy)
        mean, scale = self._standard(incident_energy.log())
        y = (chain.t - mean) / scale
        free, log_slope_free = lift(y, self.ceiling, self.sharpness)
        x, log_slope = squeeze(free, self.lower, self.upper, self.sharpness)
        log_slope = log_slope + log_slope_free
        valued = ~(chain.empty | chain.rest_empty)
        log_abs_det = chain.log_jacobian + torch.where(valued, log_slope - scale.log(), 0.0).sum(1)
        noise = torch.rand(x.shape, generator=generator, dtype=x.dtype, device=x.device)
        noise = self.zero_gap + self.zero_width * noise
        x = torch.where(chain.empty, self.lower - noise, x)
        x = torch.where(chain.rest_empty, self.upper + noise, x)
        n_zeros = (chain.empty | chain.rest_empty).sum(dim=1)
        log_abs_det = log_abs_det - n_zeros * torch.log(x.new_tensor(1.0 / self.zero_width))
        impossible = torch.isinf(x).any(dim=1)
        return (
            torch.where(torch.isinf(x), 0.0, x),
            torch.where(impossible, -torch.inf, log_abs_det),
        )

    def inverse(self, x: Tensor, incident_energy: Tensor) -> Tensor:
        """Map coordinates x (N, L) back to layer energies (N, L) in MeV; zeros are exact."""
        mean, scale = self._standard(incident_energy.log())
        empty, rest_empty = x < self.lower, x > self.upper
        inside = torch.where(empty | rest_empty, self._middle(x), x)
        free = unsqueeze(inside, self.lower, self.upper, self.sharpness)
        t = mean + scale * press(free, self.ceiling, self.sharpness)
        alone = 1 + self.n_absolute
        absolute = incident_energy.unsqueeze(1) * t[:, :alone].exp()
        absolute = torch.where(empty[:, :alone], 0.0, absolute)
        rest, *energies = absolute.unbind(dim=1)
        for k in range(alone, self.n_layers):
            taken = rest * functional.sigmoid(t[:, k])
            left = rest * functional.sigmoid(-t[:, k])
            energies.append(
                torch.where(empty[:, k], 0.0, torch.where(rest_empty[:, k], rest, taken))
            )
            rest = torch.where(empty[:, k], rest, torch.where(rest_empty[:, k], 0.0, left))
        chain = torch.stack([*energies, rest], dim=1)
        return chain[:, torch.argsort(self.layer_order)]

    def _middle(self, x: Tensor) -> Tensor:
        """Return a harmless point inside the bounds, for a branch computed but not taken."""
        low = torch.where(torch.isfinite(self.lower), self.lower + 1.0, 0.0)
        high = torch.where(torch.isfinite(self.upper), self.upper - 1.0, 0.0)
        both = torch.isfinite(self.lower) & torch.isfinite(self.upper)
        return torch.where(both, 0.5 * (self.lower + self.upper), low + high).expand_as(x)
