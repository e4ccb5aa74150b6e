"""The voxels of a shower: layers, each cut into rings (r) and sectors (alpha)."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALPHA_START = -math.pi
"""Where the first alpha bin begins, in radians (CaloChallenge convention); all are equally wide."""

MAX_LAYER_ID = 1000
"""Layer numbers stay below this, so that a typo cannot ask for a file of a billion layers."""


@dataclass(frozen=True)
class LayerBinning:
    """One calorimeter layer.

    Parameters
    ----------
    id
        Layer number (an ATLAS ``CaloSampling`` number for data set 1).
    r_edges
        Ring edges in mm, strictly ascending, ``n_r + 1`` of them.
    n_alpha
        Number of equal sectors in alpha over the full circle.

    Raises
    ------
    InputError
        Edges that do not ascend, are negative or not finite; fewer than two edges; no sector.
    """

    id: int
    r_edges: tuple[float, ...]
    n_alpha: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "r_edges", tuple(float(edge) for edge in self.r_edges))
        where = f"layer {self.id} of the binning"
        if not 0 <= self.id < MAX_LAYER_ID:
            raise InputError(f"{where}: layer numbers are 0 to {MAX_LAYER_ID - 1}; correct the id")
        if len(self.r_edges) < 2:
            raise InputError(
                f"{where}: has {len(self.r_edges)} r edges, a ring needs two; leave out layers "
                "without voxels"
            )
        if not all(math.isfinite(edge) for edge in self.r_edges) or self.r_edges[0] < 0:
            raise InputError(f"{where}: r edges must be finite and at least 0 mm")
        if any(b <= a for a, b in pairwise(self.r_edges)):
            raise InputError(f"{where}: r edges must ascend strictly, got {list(self.r_edges)}")
        if self.n_alpha < 1:
            raise InputError(f"{where}: has {self.n_alpha} alpha bins, needs at least 1")

    @property
    def n_r(self) -> int:
        """Number of rings."""
        return len(self.r_edges) - 1

    @property
    def n_voxels(self) -> int:
        """Number of voxels, rings times sectors."""
        return self.n_r * self.n_alpha


@dataclass(frozen=True)
class Binning:
    """The voxelisation of one particle's showers.

    Voxels are numbered with r running fastest, then alpha, then layer (the order of the
    CaloChallenge files, arXiv:2410.21611, section 2): voxel
    ``layer_slices[k].start + i_alpha * n_r + i_r``.

    Parameters
    ----------
    name
        Name of the binning, e.g. ``dataset-1-photons``.
    particle
        Name of the particle, e.g. ``photon``.
    pdg_id
        Particle Data Group number.
    layers
        Layers that have voxels, by ascending layer number.
    eta_range
        Range of |eta| the binning is meant for, or None.

    Raises
    ------
    InputError
        No layer, or layer numbers that do not ascend.

    Examples
    --------
    >>> binning = Binning("toy", "photon", 22, (LayerBinning(2, (0, 10, 30), n_alpha=4),))
    >>> binning.n_voxels, binning.voxel_index(2, i_alpha=1, i_r=0)
    (8, 2)
    """

    name: str
    particle: str
    pdg_id: int
    layers: tuple[LayerBinning, ...]
    eta_range: tuple[float, float] | None = field(default=None)

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        if not self.layers:
            raise InputError(f"binning {self.name!r} has no layer with voxels; check its r edges")
        if any(b.id <= a.id for a, b in pairwise(self.layers)):
            raise InputError(
                f"binning {self.name!r}: layer numbers must ascend, got {list(self.layer_ids)}; "
                "the order fixes the voxel numbers"
            )
        if self.eta_range is not None and not (
            0 <= self.eta_range[0] < self.eta_range[1] < math.inf
        ):
            raise InputError(
                f"binning {self.name!r}: the range of |eta| must ascend from 0 or more, "
                f"got {self.eta_range}"
            )

    @property
    def layer_ids(self) -> tuple[int, ...]:
        """Layer numbers, ascending."""
        return tuple(layer.id for layer in self.layers)

    @property
    def n_layers(self) -> int:
        """Number of layers with voxels (L)."""
        return len(self.layers)

    @property
    def n_voxels(self) -> int:
        """Number of voxels of a shower (V)."""
        return self._starts[-1]

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        return tuple(accumulate((layer.n_voxels for layer in self.layers), initial=0))

    @cached_property
    def layer_slices(self) -> tuple[slice, ...]:
        """Where each layer's voxels lie in a shower of shape (V,)."""
        return tuple(slice(a, b) for a, b in pairwise(self._starts))

    def voxel_index(self, layer_id: int, i_alpha: int, i_r: int) -> int:
        """Return the voxel's position in a shower.

        Raises
        ------
        InputError
            No such layer, sector or ring.
        """
        if layer_id not in self.layer_ids:
            raise InputError(f"binning {self.name!r} has no layer {layer_id}: {self.layer_ids}")
        k = self.layer_ids.index(layer_id)
        layer = self.layers[k]
        if not (0 <= i_alpha < layer.n_alpha and 0 <= i_r < layer.n_r):
            raise InputError(
                f"layer {layer_id} has {layer.n_alpha} alpha and {layer.n_r} r bins, "
                f"there is no bin ({i_alpha}, {i_r})"
            )
        return self._starts[k] + i_alpha * layer.n_r + i_r

    def voxel_coordinates(self, index: int) -> tuple[int, int, int]:
        """Return (layer number, alpha bin, r bin) of a voxel; inverse of `voxel_index`.

        Raises
        ------
        InputError
            The index is not in 0..V-1.
        """
        if not 0 <= index < self.n_voxels:
            raise InputError(f"binning {self.name!r} has {self.n_voxels} voxels, no voxel {index}")
        k = bisect_right(self._starts, index) - 1
        i_alpha, i_r = divmod(index - self._starts[k], self.layers[k].n_r)
        return self.layers[k].id, i_alpha, i_r

    def layer_energies(self, showers: NDArray[np.floating]) -> NDArray[np.float64]:
        """Sum voxel energies (N, V) to layer energies (N, L), both in MeV, in float64.

        Raises
        ------
        InputError
            The showers have another number of voxels.
        """
        if showers.ndim != 2 or showers.shape[1] != self.n_voxels:
            raise InputError(
                f"showers of shape {showers.shape} do not fit binning {self.name!r}, which needs "
                f"(N, {self.n_voxels}); choose the binning the showers were made with"
            )
        sums = [showers[:, voxels].sum(axis=1, dtype=np.float64) for voxels in self.layer_slices]
        return np.stack(sums, axis=1)
