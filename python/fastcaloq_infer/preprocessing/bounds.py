"""A smooth squeeze of the real line into an interval, to make room for atoms beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["lift", "press", "squeeze", "unsqueeze"]


def _softplus(x: Tensor) -> Tensor:
    """log(1 + exp(x)) everywhere; torch's own turns linear at 20, which costs the last digits."""
    return -functional.logsigmoid(-x)


def _log_expm1(x: Tensor) -> Tensor:
    """log(exp(x) - 1) for x > 0 without overflow."""
    return x + torch.log(-torch.expm1(-x))


def squeeze(y: Tensor, lower: Tensor, upper: Tensor, sharpness: Tensor) -> tuple[Tensor, Tensor]:
    """Map the real line onto (lower, upper); away from the ends it is the identity.

    x = lower + [softplus(k (y - lower)) - softplus(k (y - upper))] / k, k the sharpness.
    An infinite bound is no bound.  All arguments broadcast.

    Returns x and log(dx/dy).
    """
    has_lower, has_upper = torch.isfinite(lower), torch.isfinite(upper)
    b = torch.where(has_lower, lower, 0.0)
    t = torch.where(has_upper, upper, 0.0)
    above = torch.where(has_lower, b + _softplus(sharpness * (y - b)) / sharpness, y)
    excess = torch.where(has_upper, _softplus(sharpness * (y - t)) / sharpness, 0.0)
    # dx/dy = sigmoid(k(y-b)) - sigmoid(k(y-t)) = sigmoid(k(y-b)) sigmoid(k(t-y)) (1 - e^{-k(t-b)})
    log_slope = torch.where(has_lower, functional.logsigmoid(sharpness * (y - b)), 0.0)
    log_slope = log_slope + torch.where(has_upper, functional.logsigmoid(sharpness * (t - y)), 0.0)
    overlap = torch.where(has_lower & has_upper, sharpness * (t - b), 1.0)
    log_slope = log_slope + torch.where(
        has_lower & has_upper, torch.log(-torch.expm1(-overlap)), 0.0
    )
    return above - excess, log_slope


def unsqueeze(x: Tensor, lower: Tensor, upper: Tensor, sharpness: Tensor) -> Tensor:
    """Undo :func:`squeeze`; x must lie inside (lower, upper)."""
    has_lower, has_upper = torch.isfinite(lower), torch.isfinite(upper)
    tiny = torch.finfo(x.dtype).tiny
    up = torch.where(has_lower, sharpness * (x - torch.where(has_lower, lower, 0.0)), 1.0)
    down = torch.where(has_upper, sharpness * (torch.where(has_upper, upper, 0.0) - x), 1.0)
    up, down = up.clamp(min=tiny), down.clamp(min=tiny)
    log_up, log_down = _log_expm1(up) / sharpness, _log_expm1(down) / sharpness
    only_lower = lower + log_up
    only_upper = upper - log_down
    both = lower + log_up - torch.log(-torch.expm1(-down)) / sharpness
    one = torch.where(has_lower, only_lower, torch.where(has_upper, only_upper, x))
    return torch.where(has_lower & has_upper, both, one)


def press(x: Tensor, ceiling: Tensor, sharpness: Tensor) -> Tensor:
    """Map the real line below ``ceiling``: y = x - softplus(k (x - ceiling)) / k.

    Far below the ceiling it is the identity; an infinite ceiling is none. x has shape (N, L), the
    others (L,).
    """
    has = torch.isfinite(ceiling)
    top = torch.where(has, ceiling, 0.0)
    return torch.where(has, x - _softplus(sharpness * (x - top)) / sharpness, x)


def lift(y: Tensor, ceiling: Tensor, sharpness: Tensor) -> tuple[Tensor, Tensor]:
    """Undo :func:`press` for y (N, L), ceiling and sharpness (L,).

    Returns x and log(dx/dy), (N, L) each, +inf and -inf for y at the ceiling or above.
    """
    has = torch.isfinite(ceiling)
    room = torch.where(has, sharpness * (torch.where(has, ceiling, 0.0) - y), 1.0)
    below = room > 0
    safe = torch.where(below, room, 1.0)
    # x = y - log(1 - exp(-k (ceiling - y))) / k and dx/dy = 1 / (1 - exp(-k (ceiling - y)))
    log_slope = -torch.log(-torch.expm1(-safe))
    x = torch.where(has, y + log_slope / sharpness, y)
    log_slope = torch.where(has, log_slope, 0.0)
    return torch.where(below, x, torch.inf), torch.where(below, log_slope, -torch.inf)
