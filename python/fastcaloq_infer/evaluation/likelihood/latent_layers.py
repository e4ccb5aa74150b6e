"""What the latents of a flow of voxels lose, layer by layer.

Every coordinate of the flow is one latent, standard normal and independent of all others where the
model is right. One by one they are compared with N(0, 1) in bins (``nats``), in the showers only in
which there is energy to share; the others hold noise and lose nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats  # type: ignore[import-untyped]

from fastcaloq_infer.evaluation.likelihood.nats import normal_divergence
from fastcaloq_infer.evaluation.metrics.multiple_tests import holm
from fastcaloq_infer.evaluation.results.shape_likelihood import LatentsOfLayer, Uniformity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.samples.groups import EnergyGroups
    from fastcaloq_infer.evaluation.samples.sample import Sample
    from fastcaloq_infer.flow.shape.voxel_flow import VoxelFlow

    Array = NDArray[np.float64]

BINS = 20
"""Of the histograms of Phi(z)."""

FEWEST = 50
"""Showers with energy to share, for a latent to be looked at."""

LEVEL = 0.01


def latent_layers(
    flow: VoxelFlow, z: Array, sample: Sample, groups: EnergyGroups, ids: tuple[int, ...]
) -> tuple[tuple[LatentsOfLayer, ...], tuple[Uniformity, ...], int, int]:
    """Return figures per layer and energy, histograms per layer, tests done and tests failed.

    ``z`` (N, C) are the latents of the sample's showers.
    """
    active = _active(flow, sample, z.shape[1])
    layer_of, cells = _places(flow, z.shape[1])
    figures, p_values = [], []
    found = sorted({k for k in layer_of if k is not None})
    parts: list[int | None] = [*found] or [None]
    for layer in parts:
        columns = [k for k, of in enumerate(layer_of) if of == layer]
        for energy, rows in zip(groups.centers, groups.rows(sample), strict=True):
            lost: list[tuple[float, float, int]] = []
            for k in columns:
                values = z[rows, k][active[rows, k]]
                if len(values) >= FEWEST:
                    nats = normal_divergence(values)
                    share = len(values) / len(rows)
                    lost.append((share * nats.value, share * nats.error, k))
                    test = stats.kstest(values, "norm", method="asymp")
                    p_values.append(float(test.pvalue))
            value, error, k = max(lost, default=(0.0, 0.0, -1))
            figures.append(
                LatentsOfLayer(
                    layer=None if layer is None else ids[layer],
                    incident_energy=float(energy),
                    latents=len(lost),
                    nats=sum(v for v, _, _ in lost),
                    error=sum(e**2 for _, e, _ in lost) ** 0.5,
                    worst=cells[k] if k >= 0 else None,
                    worst_nats=value,
                    worst_error=error,
                )
            )
    failed = sum(p < LEVEL for p in holm(p_values))
    histograms = [
        Uniformity(
            layer=None if layer is None else ids[layer],
            counts=_counts(z, active, [k for k, of in enumerate(layer_of) if of == layer]),
        )
        for layer in parts
    ]
    return tuple(figures), tuple(histograms), len(p_values), failed


def _counts(z: Array, active: NDArray[np.bool_], columns: list[int]) -> tuple[int, ...]:
    u = stats.norm.cdf(z[:, columns][active[:, columns]])
    counts: list[int] = np.histogram(u, np.linspace(0, 1, BINS + 1))[0].tolist()
    return tuple(counts)


def _places(
    flow: VoxelFlow, latents: int
) -> tuple[list[int | None], list[tuple[int, int | None] | None]]:
    """Return the layer of every latent, and its ring and place in alpha, where it has one."""
    order = getattr(flow, "order", None)
    if order is None:  # latents of coupling blocks belong to the whole shower
        return [None] * latents, [None] * latents
    cells = [coordinate.cell for coordinate in order.coordinates]
    return [cell.layer for cell in cells], [(cell.ring, cell.alpha) for cell in cells]


def _active(flow: VoxelFlow, sample: Sample, latents: int) -> NDArray[np.bool_]:
    """Return in which showers a latent decides anything, (N, C)."""
    order = getattr(flow, "order", None)
    if order is None or sample.voxel_energy is None:
        return np.ones((sample.n_showers, latents), np.bool_)
    import torch

    from fastcaloq_infer.flow.shape.chain import INACTIVE, to_chain

    parts = [
        to_chain(torch.as_tensor(np.array(sample.voxel_energy[start : start + 1000])), order).state
        for start in range(0, sample.n_showers, 1000)
    ]
    found: NDArray[np.bool_] = (torch.cat(parts) != INACTIVE).numpy()
    return found
