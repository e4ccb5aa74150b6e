"""Mean energy along the rings and sectors of a layer, and whether voxels add up to layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from fastcaloq_infer.data.voxelisation import ALPHA_START
from fastcaloq_infer.evaluation.results import LayerSum, Profile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.data import LayerBinning
    from fastcaloq_infer.evaluation.samples.groups import EnergyGroups
    from fastcaloq_infer.evaluation.samples.sample import Sample

    Array = NDArray[np.float64]

Axis = Literal["r", "alpha"]


def profiles(samples: dict[str, Sample], groups: EnergyGroups) -> tuple[Profile, ...]:
    """Return the mean energy per ring and per sector of every layer, from all showers.

    At every incident energy, as a fraction of it. A layer with one ring has no profile in r, one
    with one sector none in alpha; without voxels there is none at all.
    """
    binning = samples["reference"].binning
    if binning is None:
        return ()
    rows = {role: groups.rows(sample) for role, sample in samples.items()}
    figures = []
    for layer, part in zip(binning.layers, binning.layer_slices, strict=True):
        for g, energy in enumerate(groups.centers):
            found = [_means(sample, part, layer, rows[role][g]) for role, sample in samples.items()]
            for axis in found[0]:
                (ref, ref_error), (gen, gen_error), (floor, floor_error) = (f[axis] for f in found)
                figures.append(
                    Profile(
                        layer=layer.id,
                        axis=axis,
                        incident_energy=float(energy),
                        edges=tuple(axis_edges(layer, axis).tolist()),
                        reference=ref,
                        reference_error=ref_error,
                        generated=gen,
                        generated_error=gen_error,
                        floor=floor,
                        floor_error=floor_error,
                    )
                )
    return tuple(figures)


def axis_edges(layer: LayerBinning, axis: Axis) -> Array:
    """Return the edges of the rings in mm, or of the sectors in radians."""
    if axis == "r":
        return np.asarray(layer.r_edges, np.float64)
    return ALPHA_START + 2 * np.pi * np.arange(layer.n_alpha + 1) / layer.n_alpha


def _means(
    sample: Sample, part: slice, layer: LayerBinning, rows: NDArray[np.intp]
) -> dict[Axis, tuple[tuple[float, ...], tuple[float, ...]]]:
    """Return mean and standard error of E/E_inc per ring and per sector."""
    if sample.voxel_energy is None:
        return {}
    energy = sample.voxel_energy[rows, part].astype(np.float64)
    share = energy / sample.incident_energy[rows, None]
    grid = share.reshape(len(rows), layer.n_alpha, layer.n_r)
    sums: dict[Axis, Array] = {}
    if layer.n_r > 1:
        sums["r"] = grid.sum(axis=1)
    if layer.n_alpha > 1:
        sums["alpha"] = grid.sum(axis=2)
    return {
        axis: (
            tuple(values.mean(axis=0).tolist()),
            tuple((values.std(axis=0, ddof=1) / np.sqrt(len(values))).tolist()),
        )
        for axis, values in sums.items()
    }


def layer_sums(sample: Sample, ids: tuple[int, ...]) -> tuple[LayerSum, ...]:
    """Return how far a sample's voxels are from adding up to its layer energies, layer by layer.

    Nothing where they agree in every bit: then the layer energies were summed from the voxels.
    Sums are in float64. A layer of which only one of the two holds energy is off by 1.
    """
    if sample.voxel_energy is None or sample.binning is None:
        return ()
    summed = sample.binning.layer_energies(sample.voxel_energy)
    if np.array_equal(summed, sample.layer_energy):
        return ()
    figures = []
    for layer, one, other in zip(ids, summed.T, sample.layer_energy.T, strict=True):
        largest = np.maximum(one, other)
        filled = largest > 0
        if filled.any():
            off = np.abs(one - other)[filled] / largest[filled]
            figures.append(
                LayerSum(
                    layer=layer,
                    showers=int(filled.sum()),
                    median=float(np.median(off)),
                    upper=float(np.quantile(off, 0.999)),
                    largest=float(off.max()),
                )
            )
    return tuple(figures)
