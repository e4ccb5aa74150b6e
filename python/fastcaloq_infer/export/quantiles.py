"""Watching a shape flow draw: how far its quantiles are from the edges of atoms."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

    from fastcaloq_infer.flow.shape.density import FractionDensity
    from fastcaloq_infer.flow.shape.shape_flow import ShapeFlow

_ENDS = 1e-4  # nudged latents stay this far from probabilities 0 and 1


class Recorder:
    """Stands in for the density of a shape flow during one run and writes down what it sees.

    Parameters
    ----------
    density
        The flow's.
    nudge
        Latents whose quantiles are closer than this to the edge of an atom are moved away, inside
        their state where there is room for that; in float32, as all latents.
    """

    def __init__(self, density: FractionDensity, nudge: float = 0.0) -> None:
        self._density, self._nudge = density, nudge
        self._latents: list[Tensor] = []
        self._margins: list[Tensor] = []

    def run(self, flow: ShapeFlow, *inputs: Tensor) -> Tensor:
        """Return ``flow.inverse(*inputs)``, written down on the way."""
        watched = copy.copy(flow)
        object.__setattr__(watched, "density", self)
        return watched.inverse(*inputs)

    @property
    def latents(self) -> Tensor:
        """Latents (N, C) that were used."""
        return torch.cat(self._latents, dim=1)

    @property
    def margins(self) -> Tensor:
        """Quantiles minus the lower and the upper edge of what lies between atoms, (N, C, 2)."""
        return torch.cat(self._margins, dim=1)

    def quantile(self, parameters: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        """Answer as `FractionDensity.quantile` does."""
        part, nothing, _ = self._density.log_states(parameters).exp().unbind(dim=-1)
        edges = torch.stack([nothing, nothing + part], dim=-1)
        if self._nudge:
            z = self._nudged(z, edges)
        u = torch.special.ndtr(z)
        self._latents.append(z)
        self._margins.append(u.unsqueeze(-1) - edges)
        return self._density.quantile(parameters, z)

    def _nudged(self, z: Tensor, edges: Tensor) -> Tensor:
        """Move quantiles to the nearest place that is far enough from both edges."""
        u = torch.special.ndtr(z)
        distance = 1.5 * self._nudge
        low, high = edges.unbind(dim=-1)
        # Allowed are three intervals: nothing, part, all; some may be empty.
        starts = torch.stack([torch.zeros_like(low), low + distance, high + distance], dim=-1)
        stops = torch.stack([low - distance, high - distance, torch.ones_like(low)], dim=-1)
        starts, stops = starts.clamp(min=_ENDS), stops.clamp(max=1.0 - _ENDS)
        places = torch.minimum(torch.maximum(u.unsqueeze(-1), starts), stops)
        away = torch.where(stops > starts, (places - u.unsqueeze(-1)).abs(), torch.inf)
        best = places.gather(-1, away.argmin(dim=-1, keepdim=True)).squeeze(-1)
        near = (u.unsqueeze(-1) - edges).abs().amin(dim=-1) < self._nudge
        moved = torch.where(near, torch.special.ndtri(best), z)
        return moved.float().double()
