"""The voxels of a layer: rings in r, bins in alpha, and what a shower looks like turned."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import torch

from fastcaloq_infer.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Generator, Tensor

__all__ = ["Layer", "LayerGrid", "turned"]


class Layer(Protocol):
    """A layer of a binning, of whatever class."""

    @property
    def r_edges(self) -> Sequence[float]:
        """Edges of the rings in mm, ascending."""

    @property
    def n_alpha(self) -> int:
        """Number of bins in alpha."""


class LayerGrid(NamedTuple):
    """Edges of the rings in mm, ascending, and number of bins in alpha of a layer."""

    r_edges: tuple[float, ...]
    n_alpha: int

    @classmethod
    def of(cls, layer: Layer) -> LayerGrid:
        """Copy any layer."""
        return cls(tuple(float(edge) for edge in layer.r_edges), int(layer.n_alpha))

    @property
    def n_rings(self) -> int:
        """Number of rings; none where the layer has no voxels."""
        return max(len(self.r_edges) - 1, 0)

    @property
    def n_voxels(self) -> int:
        """Number of voxels."""
        return self.n_rings * self.n_alpha

    @property
    def radii(self) -> tuple[float, ...]:
        """Middle of every ring in mm."""
        return tuple(0.5 * (a + b) for a, b in zip(self.r_edges, self.r_edges[1:], strict=False))


def turned(voxels: Tensor, layers: Sequence[LayerGrid], generator: Generator | None) -> Tensor:
    """Turn every shower by a random number of bins in alpha, and mirror half of them.

    All layers are turned alike, so that the shower stays whole.

    Parameters
    ----------
    voxels
        (N, V).
    layers
        Those with bins in alpha must have equally many.
    generator
        Where the random numbers come from.

    Raises
    ------
    ConfigError
        The layers do not have a symmetry in common.
    """
    counts = {layer.n_alpha for layer in layers if layer.n_rings > 0 and layer.n_alpha > 1}
    if len(counts) > 1:
        raise ConfigError(
            f"layers have {', '.join(map(str, sorted(counts)))} bins in alpha, so showers cannot "
            "be turned by whole bins; set shape.symmetry to none"
        )
    if not counts:
        return voxels
    n_alpha = counts.pop()
    rows = len(voxels)
    device = voxels.device
    steps = torch.randint(n_alpha, (rows, 1), generator=generator, device=device)
    sign = 1 - 2 * torch.randint(2, (rows, 1), generator=generator, device=device)
    source = (steps + sign * torch.arange(n_alpha, device=device)) % n_alpha
    parts = []
    for part, layer in zip(
        torch.split(voxels, [layer.n_voxels for layer in layers], dim=1), layers, strict=True
    ):
        if layer.n_alpha > 1 and layer.n_rings > 0:
            blocks = part.reshape(rows, n_alpha, layer.n_rings)
            index = source.unsqueeze(2).expand(-1, -1, layer.n_rings)
            parts.append(blocks.gather(1, index).reshape(rows, -1))
        else:
            parts.append(part)
    return torch.cat(parts, dim=1)
