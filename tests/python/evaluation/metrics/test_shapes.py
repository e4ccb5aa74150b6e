"""Occupancy, profiles and sums of voxels against what a few voxels must give."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fastcaloq_infer.data import Binning, LayerBinning
from fastcaloq_infer.evaluation import Sample
from fastcaloq_infer.evaluation.metrics.layer_shares import occupancies
from fastcaloq_infer.evaluation.metrics.profiles import layer_sums, profiles
from fastcaloq_infer.evaluation.samples.groups import energy_groups

TOY = Binning(
    "toy", "photon", 22, (LayerBinning(0, (0, 10, 30)), LayerBinning(2, (0, 4, 10, 20), n_alpha=4))
)


def toy(voxels, energy=1000.0):
    voxels = np.asarray(voxels, np.float32)
    layers = TOY.layer_energies(voxels)
    return Sample(
        np.full(len(voxels), energy), layers, voxel_energy=voxels, binning=TOY, layer_ids=(0, 2)
    )


@pytest.fixture
def samples(rng):
    """Twenty showers each; those of the reference hold 1 MeV in every voxel of every second one."""
    full = np.zeros((20, TOY.n_voxels))
    full[::2] = 1.0
    half = rng.uniform(1, 2, full.shape)
    half[:, 2:8] = 0.0  # half of layer 2: the first two sectors
    return {"reference": toy(full), "generated": toy(half), "floor": toy(full)}


def test_occupancy_is_a_mean_over_showers(samples):
    found = occupancies(samples, energy_groups(samples["reference"]), (0, 2))
    assert [(o.layer, o.reference, o.generated, o.floor) for o in found] == [
        (0, 0.5, 1.0, 0.5),
        (2, 0.5, 0.5, 0.5),
    ]
    # A coin's standard deviation, with one degree of freedom less, over the root of 20 showers.
    assert found[0].reference_error == pytest.approx(0.5 * np.sqrt(20 / 19) / np.sqrt(20))
    assert found[1].generated_error == 0.0


def test_profiles_sum_the_right_voxels(samples):
    found = {(p.layer, p.axis): p for p in profiles(samples, energy_groups(samples["reference"]))}
    assert set(found) == {(0, "r"), (2, "r"), (2, "alpha")}
    assert found[0, "r"].edges == (0, 10, 30)
    assert found[2, "alpha"].edges == pytest.approx(np.pi * np.array([-1, -0.5, 0, 0.5, 1]))
    # In 1000 MeV: half of the showers hold 1 MeV in each of the 4 voxels of a ring.
    assert found[2, "r"].reference == pytest.approx([0.002] * 3)
    assert found[2, "alpha"].reference == pytest.approx([0.0015] * 4)
    voxels = samples["generated"].voxel_energy.astype(float).reshape(20, -1)[:, 2:]
    grid = voxels.reshape(20, 4, 3) / 1000  # r runs fastest
    assert found[2, "r"].generated == pytest.approx(grid.sum(axis=1).mean(axis=0))
    assert found[2, "alpha"].generated == pytest.approx(grid.sum(axis=2).mean(axis=0))
    assert found[2, "alpha"].generated[:2] == (0, 0)
    error = grid.sum(axis=2).std(axis=0, ddof=1) / np.sqrt(20)
    assert found[2, "alpha"].generated_error == pytest.approx(error)


def test_without_voxels_there_are_none(samples):
    layers = {role: sample.without_voxels() for role, sample in samples.items()}
    groups = energy_groups(samples["reference"])
    assert occupancies(layers, groups, (0, 2)) == profiles(layers, groups) == ()
    assert layer_sums(layers["generated"], (0, 2)) == ()


def test_sums_of_voxels(samples):
    sample = samples["reference"]
    assert layer_sums(sample, (0, 2)) == ()  # summed from the voxels: nothing to be learnt
    stated = sample.layer_energy.copy()
    stated[0, 0] *= 1 - 1e-3
    stated[1, 1] = 5.0  # the voxels of this layer are all empty
    found = layer_sums(replace(sample, layer_energy=stated), (0, 2))
    assert [(s.layer, s.showers, s.median) for s in found] == [(0, 10, 0.0), (2, 11, 0.0)]
    assert [s.largest for s in found] == pytest.approx([1e-3, 1.0])
