"""The likelihood of voxels: on showers of the flow itself, and on showers of another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from models import random_flows

from fastcaloq_infer.data import Binning, LayerBinning
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation import Sample
from fastcaloq_infer.evaluation.likelihood.whole_showers import shape_likelihood

LAYERS = ((3, 1), (4, 3))


@pytest.fixture(scope="module")
def flow():
    _, _, (flow, _) = random_flows(3, layers=LAYERS)
    return flow


@pytest.fixture(scope="module")
def own(flow):
    """Showers that the flow drew itself, at two energies."""
    n = 600
    energy = np.repeat([1000.0, 8000.0], n // 2)
    eta = np.full(n, 0.2)
    layers = energy[:, None] * np.random.default_rng(1).uniform(0.2, 0.6, (n, 2))
    layers[::7, 0] = 0.0
    with torch.no_grad():
        voxels = flow.sample(
            *map(torch.as_tensor, (layers, energy, eta)),
            generator=torch.Generator().manual_seed(2),
        ).numpy()
    binning = Binning(
        "toy",
        "photon",
        22,
        tuple(
            LayerBinning(i, tuple(5.0 * j * (j + 1) for j in range(rings + 1)), alpha)
            for i, (rings, alpha) in enumerate(LAYERS)
        ),
    )
    voxels = voxels.astype(np.float32)
    return Sample(
        energy, binning.layer_energies(voxels), eta, voxels, binning, layer_ids=binning.layer_ids
    )


@pytest.fixture(scope="module")
def perfect(flow, own):
    return shape_likelihood(flow, own)


def test_a_perfect_flow_loses_nothing(perfect, own, flow):
    assert (perfect.showers, perfect.impossible, perfect.failed) == (600, 0, 0)
    # Four standard errors of the difference.
    assert abs(perfect.nats - perfect.own) < 4 * np.hypot(perfect.error, perfect.own_error)
    assert abs(perfect.lost) < 4 * perfect.lost_error
    for at in perfect.energies:
        assert abs(at.unlikely - 0.01) < 4 * at.unlikely_error
    assert [u.layer for u in perfect.uniformity] == [0, 1]
    for uniformity in perfect.uniformity:
        counts = np.array(uniformity.counts)
        # chi2 of 19 degrees of freedom exceeds 50 with probability 1.3e-4.
        assert ((counts - counts.mean()) ** 2 / counts.mean()).sum() < 50
    with torch.no_grad():
        log_prob = flow.log_prob(
            *map(torch.as_tensor, (own.voxel_energy.astype(float), own.incident_energy, own.eta))
        )
    assert perfect.nats == pytest.approx(float(log_prob.mean()), rel=1e-6)


def test_another_layer_shape_is_found_where_it_is(flow, own, perfect):
    """Energy of layer 1 moved to its first ring; layer 0 as it was."""
    voxels = own.voxel_energy.copy()
    ring = np.arange(2 * 3 - 3, voxels.shape[1], 4)  # r runs fastest: ring 0 of every sector
    outer = np.setdiff1d(np.arange(3, voxels.shape[1]), ring).reshape(3, 3)
    moved = 0.5 * voxels[:, outer]
    voxels[:, outer] -= moved
    voxels[:, ring] += moved.sum(axis=2)
    found = shape_likelihood(
        flow, replace(own, voxel_energy=voxels, layer_energy=own.binning.layer_energies(voxels))
    )
    lost = {
        layer: next(f for f in found.layers if (f.layer, f.incident_energy) == (layer, 1000.0))
        for layer in (0, 1)
    }
    assert found.nats < perfect.nats - 5 * perfect.error
    assert found.failed > 0
    assert lost[1].nats > 5 * lost[1].error
    assert abs(lost[0].nats) < 4 * lost[0].error
    assert lost[1].worst_nats > 5 * lost[1].worst_error


def test_same_seed_same_figures(flow, own, perfect):
    assert shape_likelihood(flow, own) == perfect
    assert shape_likelihood(flow, own, seed=2) != perfect


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.without_voxels(), "needs held-out showers with voxels"),
        (lambda s: replace(s, eta=None), "voxels and eta"),
        (lambda s: s.take(slice(0, 150)), "no incident energy has 200"),
    ],
)
def test_unusable_showers(flow, own, change, message):
    with pytest.raises(InputError, match=message):
        shape_likelihood(flow, change(own))


def test_another_binning(own):
    _, _, (other, _) = random_flows(3, layers=((3, 1), (4, 2)))
    with pytest.raises(InputError, match=r"layers of \[3, 12\] voxels"):
        shape_likelihood(other, own)


def test_few_showers_at_an_energy_are_left_out(flow, own):
    found = shape_likelihood(flow, own.take(slice(0, 400)))
    assert [at.incident_energy for at in found.energies] == [1000.0]
    assert found.notes == ("likelihood of voxels: 8000 MeV is left out, fewer than 200 showers",)


def test_a_run_is_measured_by_the_flows_it_has(flow, own, tmp_path):
    """A run of a shape, and showers that it fits, through what ``--model`` calls."""
    from types import SimpleNamespace

    from fastcaloq_infer.errors import ModelError
    from fastcaloq_infer.evaluation.many_showers import likelihoods
    from fastcaloq_infer.evaluation.progress import silent
    from fastcaloq_infer.training.checkpoint import MODEL, save_model

    _, _, (_, metadata) = random_flows(3, layers=LAYERS)
    save_model(tmp_path / MODEL, flow, metadata)
    notes: list[str] = []
    comparison = SimpleNamespace(held_out=own, seed=1)
    energies, voxels = likelihoods(comparison, tmp_path, notes, silent)
    assert energies is None
    assert voxels is not None
    assert voxels.layer_ids == (0, 1)
    few = SimpleNamespace(held_out=own.take(slice(0, 50)), seed=1)
    assert likelihoods(few, tmp_path, notes, silent) == (None, None)
    assert "the likelihood is left out" in notes[-1]
    with pytest.raises(ModelError):
        likelihoods(comparison, tmp_path / "nothing", notes, silent)
