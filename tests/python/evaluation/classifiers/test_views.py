"""What classifiers see: voxels in both sets of coordinates, by hand, and bad input."""

from __future__ import annotations

import numpy as np
import pytest

from fastcaloq_infer.data import Binning, LayerBinning
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.classifiers.classify import classify, description
from fastcaloq_infer.evaluation.classifiers.columns import Columns, GroupScaler, undefined_somewhere
from fastcaloq_infer.evaluation.classifiers.views import challenge_columns, view_columns
from fastcaloq_infer.evaluation.features.high_level import Features
from fastcaloq_infer.evaluation.samples.groups import energy_groups
from fastcaloq_infer.evaluation.samples.sample import Sample

TOY = Binning(
    "toy", "photon", 22, (LayerBinning(0, (0, 10, 30)), LayerBinning(2, (0, 4), n_alpha=2))
)


def showers(voxels, energy):
    voxels = np.asarray(voxels, np.float32)
    return Sample(
        np.broadcast_to(np.asarray(energy, np.float64), len(voxels)),
        TOY.layer_energies(voxels),
        voxel_energy=voxels,
        binning=TOY,
    )


ONE = showers([[30, 10, 0, 0], [0, 0, 5, 20]], 100.0)


def test_challenge_columns_by_hand():
    """``prepare_low_data_for_classifier`` of the challenge: columns, order and units."""
    low = challenge_columns(ONE, "low")
    np.testing.assert_allclose(low, [[2, 0.3, 0.1, 0, 0], [2, 0, 0, 0.05, 0.2]], rtol=1e-6)
    normalised = challenge_columns(ONE, "normalised")
    tiny = -8.0
    np.testing.assert_allclose(
        normalised,
        [
            [2, 0.75, 0.25, 0, 0, np.log10(40), tiny],
            [2, 0, 0, 0.2, 0.8, tiny, np.log10(25)],
        ],
        rtol=1e-6,
    )


def test_challenge_high_level_columns_by_hand():
    table = Features(("E_0", "x", "s"), ("", "", ""), ("MeV", "mm", ""), np.array([[10, 50, 0.2]]))
    found = challenge_columns(ONE.take(np.array([0])), "high", table)
    np.testing.assert_allclose(found, [[2, 1, 0.5, 0.2]], rtol=1e-6)
    table = Features(("x",), ("",), ("mm",), np.array([[np.nan]]))
    assert challenge_columns(ONE.take(np.array([0])), "high", table)[0, 1] == 0


@pytest.mark.parametrize("hits", [True, False])
@pytest.mark.parametrize("view", ["low", "normalised"])
def test_voxel_views_hold_everything(rng, view, hits):
    """Two showers look alike only if they are."""
    voxels = rng.exponential(size=(40, 4)) * (rng.random((40, 4)) < 0.7)
    columns = view_columns(showers(voxels, 100.0), view, hits=hits).values
    alike = np.array([[np.array_equal(a, b, equal_nan=True) for a in columns] for b in columns])
    same = np.array([[np.array_equal(a, b) for a in voxels] for b in voxels])
    np.testing.assert_array_equal(alike, same)


def test_columns_are_standardised_per_energy(rng):
    energy = np.repeat([100.0, 1000.0], 500)
    values = rng.normal(size=(1000, 2)) * np.array([3.0, 1.0]) + energy[:, None]
    values[::5, 1] = np.nan
    columns = Columns(energy, values, np.zeros((1000, 0), bool))
    groups = energy_groups(Sample(energy, values))
    scaled = GroupScaler.fit(columns, groups, undefined_somewhere(columns))(columns)
    assert scaled.shape == (1000, 1 + 2 + 1)
    for rows in (slice(0, 500), slice(500, 1000)):
        np.testing.assert_allclose(scaled[rows, 1].mean(), 0, atol=1e-12)
        np.testing.assert_allclose(scaled[rows, 1].std(), 1, rtol=1e-12)
    np.testing.assert_array_equal(scaled[::5, 2], 0)
    np.testing.assert_array_equal(scaled[:, 3], np.arange(1000) % 5 > 0)


def test_bad_input(rng):
    sample = showers(rng.exponential(size=(120, 4)), 100.0)
    groups = energy_groups(sample)
    with pytest.raises(InputError, match="99 showers are too few"):
        classify(sample, sample.take(np.arange(99)), groups, view="low")
    blind = Sample(sample.incident_energy, sample.layer_energy)
    for view in ("low", "normalised"):
        with pytest.raises(InputError, match="needs voxels"):
            classify(sample, blind, groups, view=view)
    with pytest.raises(InputError, match="the challenge has no classifier on layer energies"):
        classify(sample, sample, groups, view="layers", architecture="challenge")
    with pytest.raises(InputError, match="at least one seed"):
        classify(sample, sample, groups, view="low", seeds=0)


def test_description_says_what_it_is():
    text = description("low", "challenge")
    for word in ("CaloChallenge", "3 hidden layers of 2048", "0.0002", "50 epochs", "every voxel"):
        assert word in text
    assert "trees" in description("high", "trees")
