"""Likelihood of the voxels of held-out showers under a flow, and where nats are lost.

The voxels of a shower given its layer energies: added to the likelihood of the layer energies it is
that of the whole shower, over the energies (MeV) of the voxels that are not empty. Nothing is
dequantised by the autoregressive flow: empty voxels are probabilities, the likelihood is exact.

>>> from fastcaloq_infer.evaluation import read_sample
>>> from fastcaloq_infer.evaluation.likelihood.whole_showers import shape_likelihood
>>> from fastcaloq_infer.training import load_shape
>>> flow, _ = load_shape("photon")                                  # doctest: +SKIP
>>> shape_likelihood(flow, read_sample("held_out.hdf5")).nats       # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.likelihood.energies import measured_energies
from fastcaloq_infer.evaluation.likelihood.latent_layers import latent_layers
from fastcaloq_infer.evaluation.likelihood.nats import combined
from fastcaloq_infer.evaluation.likelihood.unlikely import UNLIKELY
from fastcaloq_infer.evaluation.metrics.moments import mean_error
from fastcaloq_infer.evaluation.progress import silent
from fastcaloq_infer.evaluation.results.shape_likelihood import ShapeLikelihood, ShapeLikelihoodAt
from fastcaloq_infer.evaluation.samples.groups import match_counts

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.progress import Progress
    from fastcaloq_infer.evaluation.samples.sample import Sample
    from fastcaloq_infer.flow.shape.voxel_flow import VoxelFlow

    Array = NDArray[np.float64]

MOST_SHOWERS = 500
"""Most showers at an incident energy: more cost time and teach little."""

_CHUNK = 500


def shape_likelihood(
    flow: VoxelFlow, held_out: Sample, *, seed: int = 1, progress: Progress = silent
) -> ShapeLikelihood:
    """Measure a flow of voxels on showers that it has not seen.

    Parameters
    ----------
    flow
        In float64 (``training.load_shape``).
    held_out
        Whole showers as simulated, without a cut, with eta.
    seed
        Of everything that is drawn; the same seed gives the same figures.
    progress
        Called with the name of a step and the fraction done.

    Raises
    ------
    InputError
        No voxels or eta, another binning than the flow's, or no incident energy with 200 showers.
    """
    _check(flow, held_out)
    notes: list[str] = []
    groups = measured_energies(held_out, "likelihood of voxels", notes)
    counts = np.minimum(groups.counts(held_out), MOST_SHOWERS)
    sample = match_counts(held_out, groups, counts, np.random.default_rng([seed, 17]))
    found = _encode(flow, sample, seed, lambda part: progress("likelihood of voxels", part))
    progress("likelihood of voxels", 1.0)
    rows = groups.rows(sample)
    energies = [
        _at(float(energy), found.log_prob[here], found.own[here])
        for energy, here in zip(groups.centers, rows, strict=True)
    ]
    ids = sample.layer_ids or tuple(range(sample.n_layers))
    layers, uniformity, tests, failed = latent_layers(flow, found.z, sample, groups, ids)
    weights = np.array([float(at.showers - at.impossible) for at in energies])
    lost = [
        [figure for figure in layers if figure.incident_energy == at.incident_energy]
        for at in energies
    ]

    def average(values: list[float], errors: list[float]) -> tuple[float, float]:
        return combined(np.array(values), np.array(errors), weights)

    nats, error = average([at.nats for at in energies], [at.error for at in energies])
    own, own_error = average([at.own for at in energies], [at.own_error for at in energies])
    lost_nats, lost_error = average(
        [sum(part.nats for part in parts) for parts in lost],
        [sum(part.error**2 for part in parts) ** 0.5 for parts in lost],
    )
    return ShapeLikelihood(
        layer_ids=ids,
        showers=sample.n_showers,
        impossible=sum(at.impossible for at in energies),
        latents=flow.n_latents,
        seed=seed,
        nats=nats,
        error=error,
        own=own,
        own_error=own_error,
        lost=lost_nats,
        lost_error=lost_error,
        tests=tests,
        failed=failed,
        energies=tuple(energies),
        layers=layers,
        uniformity=uniformity,
        notes=tuple(notes),
    )


def _check(flow: VoxelFlow, sample: Sample) -> None:
    if sample.voxel_energy is None or sample.binning is None or sample.eta is None:
        raise InputError(
            "the likelihood of voxels needs held-out showers with voxels and eta: give a file of "
            "whole showers, and state eta when reading it"
        )
    sizes = [layer.n_voxels for layer in sample.binning.layers]
    if sizes != flow.layer_sizes:
        raise InputError(
            f"the held-out showers have layers of {sizes} voxels, the flow was trained on "
            f"{flow.layer_sizes}: its density is of other showers; give showers in its binning"
        )


class _Encoded(NamedTuple):
    """Log densities (N,) of held-out showers and of own ones, and held-out latents (N, C)."""

    log_prob: Array
    own: Array
    z: Array


def _encode(
    flow: VoxelFlow, sample: Sample, seed: int, progress: Callable[[float], None]
) -> _Encoded:
    import torch

    generator = torch.Generator().manual_seed(seed)
    columns: tuple[list[Array], ...] = ([], [], [])
    with torch.no_grad():
        for start in range(0, sample.n_showers, _CHUNK):
            voxels, layers, *condition = _tensors(sample, slice(start, start + _CHUNK))
            drawn = flow.sample(layers, condition[0], condition[1], generator=generator)
            for column, values in zip(
                columns,
                (
                    flow.log_prob(voxels, condition[0], condition[1]),
                    flow.log_prob(drawn, condition[0], condition[1]),
                    flow.latents(voxels, condition[0], condition[1], generator),
                ),
                strict=True,
            ):
                column.append(values.numpy())
            progress(0.99 * min(start + _CHUNK, sample.n_showers) / sample.n_showers)
    log_prob, own, z = (np.concatenate(column) for column in columns)
    if np.isnan(log_prob).any() or np.isposinf(log_prob).any():
        row = int(np.flatnonzero(~(log_prob < np.inf))[0])
        raise InputError(
            f"the flow gives the voxels of a shower at {sample.incident_energy[row]:.6g} MeV no "
            "number as their density: the figures would be meaningless; check the model"
        )
    return _Encoded(log_prob, own, z)


def _tensors(sample: Sample, part: slice) -> list[torch.Tensor]:
    """Return voxels, layer energies, incident energies and eta of some rows, float64."""
    import torch

    columns = sample.voxel_energy, sample.layer_energy, sample.incident_energy, sample.eta
    return [
        torch.as_tensor(np.array(column[part], np.float64))
        for column in columns
        if column is not None
    ]


def _at(energy: float, log_prob: Array, own: Array) -> ShapeLikelihoodAt:
    possible = log_prob[np.isfinite(log_prob)]
    nats, error = mean_error(possible) if len(possible) > 1 else (0.0, 0.0)
    own_nats, own_error = mean_error(own)
    share = float((log_prob < np.quantile(own, UNLIKELY)).mean())
    n = len(log_prob)
    return ShapeLikelihoodAt(
        incident_energy=energy,
        showers=n,
        impossible=n - len(possible),
        nats=nats,
        error=error,
        own=own_nats,
        own_error=own_error,
        unlikely=share,
        # Both shares fluctuate: that of the held-out showers and the quantile of the own ones.
        unlikely_error=float(np.sqrt((share * (1 - share) + UNLIKELY * (1 - UNLIKELY)) / n)),
    )
