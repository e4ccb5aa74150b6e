"""The distribution of one fraction: two atoms and a spline of a logistic variable between them.

A logistic base is the natural one for fractions: with the identity in place of the spline and no
shift, sigmoid(t) is uniform.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch.nn import functional

from fastcaloq_infer.flow.shape.chain import ALL, INACTIVE, NOTHING, PART
from fastcaloq_infer.flow.spline import RationalQuadraticSpline

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from fastcaloq_infer.flow.shape.config import ShapeConfig

__all__ = ["FractionDensity"]

_EDGE = 1e-6  # quantiles of the continuous part stay this far from 0 and 1


class _Part(NamedTuple):
    """Parameters of the continuous part of some coordinates, along the first axis."""

    shift: Tensor
    log_scale: Tensor
    spline: Tensor  # (n, 3K - 1, 1)


class FractionDensity:
    """log p and quantiles of fractions, given the parameters a network makes.

    Parameters per coordinate, along the last axis: logits of "nothing" and of "all" (that of
    "part" is 0), shift, raw log scale, and the spline's.  The spline maps (t - shift) / scale to
    the logistic variable.
    """

    def __init__(self, config: ShapeConfig) -> None:
        self._bound = config.log_scale_bound
        self._spline = RationalQuadraticSpline(
            config.bins,
            config.tail_bound,
            config.min_bin_width,
            config.min_bin_height,
            config.min_derivative,
        )

    def log_states(self, parameters: Tensor) -> Tensor:
        """Log probabilities of the states ``PART, NOTHING, ALL``, (..., 3)."""
        part = torch.zeros_like(parameters[..., :1])
        return torch.cat([part, parameters[..., :2]], dim=-1).log_softmax(dim=-1)

    def log_prob(self, parameters: Tensor, state: Tensor, logit: Tensor) -> Tensor:
        """Return log p (N,) of whole showers, a density in the logits t of the parts.

        Parameters
        ----------
        parameters
            (N, C, P).
        state, logit
            (N, C), see :class:`~.chain.Chain`.
        """
        log_states = self.log_states(parameters)
        picked = log_states.gather(2, state.clamp(min=0).long().unsqueeze(2)).squeeze(2)
        total = torch.where(state == INACTIVE, 0.0, picked).sum(dim=1)
        rows, columns = (state == PART).nonzero(as_tuple=True)
        z, log_slope, log_scale = self._to_base(
            self._part(parameters[rows, columns]), logit[rows, columns]
        )
        log_logistic = -z - 2.0 * functional.softplus(-z)
        return total.index_add(0, rows, log_logistic + log_slope - log_scale)

    def quantile(self, parameters: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        """State and logit of the quantile Phi(z), z a standard normal number; all (...).

        In ascending order: nothing, the logits, all.
        """
        shape = z.shape
        u = 0.5 * torch.erfc(z * -(0.5**0.5))
        p_part, p_nothing, _ = self.log_states(parameters).exp().unbind(dim=-1)
        inside = ((u - p_nothing) / p_part).clamp(_EDGE, 1.0 - _EDGE)
        part = self._part(parameters.reshape(-1, parameters.shape[-1]))
        base = inside.log() - (-inside).log1p()
        y, _ = self._spline.inverse(base.reshape(-1, 1), part.spline)
        t = part.shift + part.log_scale.exp() * y.squeeze(1)
        all_ = torch.where(u >= p_nothing + p_part, ALL, PART)
        return torch.where(u < p_nothing, NOTHING, all_), t.reshape(shape)

    def latent(
        self, parameters: Tensor, state: Tensor, logit: Tensor, generator: Generator | None
    ) -> Tensor:
        """Return z of which :meth:`quantile` is the inverse; atoms get a random one of theirs.

        Where nothing is to be shared z is any standard normal number.
        """
        p_part, p_nothing, p_all = self.log_states(parameters).exp().unbind(dim=-1)
        part = self._part(parameters.reshape(-1, parameters.shape[-1]))
        base, _, _ = self._to_base(part, logit.reshape(-1))
        noise = torch.rand(logit.shape, generator=generator, dtype=logit.dtype, device=logit.device)
        u = p_nothing + p_part * base.reshape(logit.shape).sigmoid()
        u = torch.where(state == NOTHING, p_nothing * noise, u)
        u = torch.where(state == ALL, 1.0 - p_all * noise, u)
        z: Tensor = torch.special.ndtri(torch.where(state == INACTIVE, noise, u))
        return z

    def _part(self, parameters: Tensor) -> _Part:
        """Split the parameters (n, P)."""
        raw = parameters[:, 3]
        log_scale = self._bound * torch.tanh(raw / self._bound)
        return _Part(parameters[:, 2], log_scale, parameters[:, 4:].unsqueeze(2))

    def _to_base(self, part: _Part, logit: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logistic variable of logits (n,), log of the spline's slope, log scale."""
        y = (logit - part.shift) * torch.exp(-part.log_scale)
        z, log_slope = self._spline.forward(y.unsqueeze(1), part.spline)
        return z.squeeze(1), log_slope.squeeze(1), part.log_scale
