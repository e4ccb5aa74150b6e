"""Histograms as they are drawn: contents, errors, and the choice of bins."""

from __future__ import annotations

import numpy as np
import pytest

from fastcaloq_infer.evaluation.results import FeatureSeparation
from fastcaloq_infer.report.binned import Edges, bin_showers, choose_edges
from fastcaloq_infer.report.histograms import _edges
from fastcaloq_infer.report.voxels import count_voxels, mean_counts


def test_histogram_is_normalised_to_all_showers():
    values = np.array([0.0, 1.5, 1.6, 2.5, 99.0])
    binned = bin_showers(values, np.array([1.0, 2.0, 3.0]))
    assert binned.fraction.tolist() == [0.4, 0.2]
    assert binned.error == pytest.approx(np.sqrt([2, 1]) / 5)
    weighted = bin_showers(values, np.array([1.0, 2.0, 3.0]), np.array([1, 3, 3, 1, 2.0]))
    assert weighted.fraction == pytest.approx([0.6, 0.1])


def test_undefined_values_count_in_the_normalisation_only():
    binned = bin_showers(np.array([np.nan, 1.5, np.nan, 1.7]), np.array([1.0, 2.0]))
    assert binned.fraction.tolist() == [0.5]


def test_edges_follow_the_distribution():
    narrow = choose_edges(np.random.default_rng(1).normal(50, 1, 5000))
    assert not narrow.logarithmic
    assert 44 < narrow.values[0] < narrow.values[-1] < 56
    wide = choose_edges(np.random.default_rng(1).lognormal(0, 2, 5000))
    assert wide.logarithmic
    assert np.diff(np.log(wide.values)) == pytest.approx(np.log(wide.values[1] / wide.values[0]))
    signed = choose_edges(np.random.default_rng(1).normal(0, 3, 5000))
    assert signed.values[0] == pytest.approx(-signed.values[-1], rel=0.2)


@pytest.mark.parametrize("values", [np.zeros(10), np.full(10, np.nan), np.ones(1), np.full(9, 3.0)])
def test_edges_of_nothing(values):
    """An empty layer, and one value alone, can be drawn."""
    assert (np.diff(choose_edges(values).values) > 0).all()


@pytest.mark.parametrize("n_voxels", [5, 8, 190])
def test_counts_fall_into_equal_numbers_of_values(n_voxels):
    """Bins of a sparsity hold as many possible values each, or the histogram is a comb."""
    counts = np.random.default_rng(3).integers(0, n_voxels + 1, 4000)
    edges = choose_edges(counts / n_voxels).values
    possible = np.arange(n_voxels + 1) / n_voxels
    inside = possible[(possible > edges[0]) & (possible < edges[-1])]
    held, _ = np.histogram(inside, edges)
    assert len(set(held[:-1])) == 1  # the last bin may reach beyond the last value
    assert np.abs(inside[:, None] - edges).min() > 1e-6


def test_voxel_spectrum_counts_every_voxel_once(voxels):
    sample = voxels.reference
    edges = Edges(np.geomspace(1.0, float(sample.voxel_energy.max()), 40), logarithmic=True)
    counts = count_voxels(sample, slice(None), edges)
    positive = sample.voxel_energy[sample.voxel_energy > 0]
    expected, _ = np.histogram(positive.astype(float), edges.values)
    assert counts.shape == (sample.n_showers, 39)
    # A voxel on an edge may fall to either side of it.
    assert np.abs(counts.sum(axis=0) - expected).sum() <= 4
    assert counts.sum() == expected.sum()


def test_mean_counts_know_that_voxels_of_a_shower_belong_together():
    counts = np.repeat([[0], [10]], 50, axis=0)  # half of the showers hold ten voxels, half none
    binned = mean_counts(counts)
    assert binned.fraction == pytest.approx([5.0])
    assert binned.error == pytest.approx([5 / np.sqrt(100)])  # Poisson: sqrt(500) / 100
    weighted = mean_counts(counts, np.repeat([0.0, 1.0], 50))
    assert weighted.fraction == pytest.approx([10.0])
    assert weighted.error == pytest.approx([0.0], abs=1e-6)


@pytest.mark.parametrize("values", [np.ones(50), np.zeros(50), np.full(50, 0.5)])
def test_evaluation_edges_hold_a_reference_of_one_value(values):
    """The sparsity of a layer that is always empty is the last edge of its histogram."""
    edges = np.linspace(0.0, 1.0, 21)
    drawn = _edges(FeatureSeparation.model_construct(edges=tuple(edges)), values).values
    assert len(drawn) >= 2
    assert drawn[0] <= values[0] <= drawn[-1]


def test_a_tiny_gap_between_values_is_no_lattice() -> None:
    """All numbers are nearly multiples of the distance between two that are nearly equal."""
    random = np.random.default_rng(2)
    values = np.r_[np.zeros(5000), random.choice([1.0, 1.0 + 1e-13, 2.0, 3.7], 5000)]
    edges = choose_edges(values).values
    assert len(edges) < 60
    assert edges[0] <= 0.0
    assert edges[-1] >= 3.7
