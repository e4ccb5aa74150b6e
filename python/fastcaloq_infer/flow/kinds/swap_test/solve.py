"""Newton's method for many small systems at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    Function = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]

__all__ = ["solve"]

_CONVERGED = 1e-11  # of |f(x) - z|, of order 1: 1e5 roundings


@torch.no_grad()
def solve(
    function: Function, z: Tensor, start: Tensor, steps: int, longest: float
) -> tuple[Tensor, Tensor]:
    """Solve f(x) = z row by row, with steps cut to ``longest`` and halved until they help.

    Parameters
    ----------
    function
        ``f(x, rows)`` gives values (M, n) and Jacobians (M, n, n) at x (M, n) for these rows.
    z, start
        Values (N, n) and where to begin (N, n), float64.
    steps
        Most evaluations per row after the first.
    longest
        Longest step in any coordinate.

    Returns
    -------
    tuple
        x (N, n), and whether (N,) it was found; where not, x is ``start``.
    """
    found = torch.zeros(len(z), dtype=torch.bool, device=z.device)
    x = start.clone()
    rows = torch.arange(len(z), device=z.device)
    here, away = start.clone(), torch.full((len(z),), torch.inf, dtype=z.dtype, device=z.device)
    direction, length = torch.zeros_like(start), torch.ones_like(away)
    for _ in range(steps + 1):
        trial = here - length[:, None] * direction
        value, jacobian = function(trial, rows)
        missed = value - z[rows]
        distance = missed.abs().amax(dim=1)
        better = distance < away
        newton = torch.linalg.solve_ex(jacobian, missed[..., None])[0][..., 0]
        newton = torch.where(newton.isfinite(), newton, 0.0)
        cut = (longest / newton.abs().amax(dim=1).clamp(min=longest))[:, None]
        here = torch.where(better[:, None], trial, here)
        direction = torch.where(better[:, None], cut * newton, direction)
        away = torch.where(better, distance, away)
        length = torch.where(better, 1.0, 0.5 * length)
        done = away < _CONVERGED
        # One more, free step from there: convergence is quadratic.
        x[rows[done]] = (here - direction)[done]
        found[rows[done]] = True
        keep = ~done
        rows, here, away, direction, length = (
            part[keep] for part in (rows, here, away, direction, length)
        )
        if not len(rows):
            break
    return x, found
