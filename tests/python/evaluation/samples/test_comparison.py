"""What samples must be, and what is done to make them comparable."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fastcaloq_infer.data import Binning, LayerBinning, binning
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation import Sample
from fastcaloq_infer.evaluation.samples.comparison import compare

TOY = Binning("toy", "photon", 22, (LayerBinning(1, (0, 5, 9)), LayerBinning(2, (0, 4, 8), 2)))
ENERGIES = (1000.0, 4000.0)


def showers(seed, energy=None, *, voxels=True, n=200):
    rng = np.random.default_rng(seed)
    energy = np.resize(ENERGIES, n) if energy is None else np.asarray(energy, float)
    deposits = rng.exponential(1.0, (len(energy), TOY.n_voxels)) * energy[:, None] / 6
    deposits = deposits.astype(np.float32)
    return Sample(
        energy,
        TOY.layer_energies(deposits),
        voxel_energy=deposits if voxels else None,
        binning=TOY if voxels else None,
        layer_ids=(1, 2),
    )


def test_equal_counts():
    energies = np.repeat(ENERGIES, [30, 170])
    comparison = compare(showers(1), showers(2, energies), showers(3))
    assert comparison.level == "voxels"
    assert comparison.layer_ids == (1, 2)
    assert comparison.counts.tolist() == [30, 100]
    for sample in comparison.equal.values():
        assert sample.incident_energy.tolist() == [1000.0] * 30 + [4000.0] * 100
        assert sample.voxel_energy.shape == (130, TOY.n_voxels)
        np.testing.assert_allclose(TOY.layer_energies(sample.voxel_energy), sample.layer_energy)
    assert comparison.samples["generated"].n_showers == 200
    assert any("another incident-energy spectrum" in note for note in comparison.notes)


def test_reweighted_to_the_reference():
    """Nothing is repeated, and the shares are the reference's."""
    generated = showers(2, np.repeat(ENERGIES, [60, 600]))
    comparison = compare(showers(1), generated, showers(3), reweight=True)
    drawn = comparison.samples["generated"]
    assert [int((drawn.incident_energy == e).sum()) for e in ENERGIES] == [60, 60]
    assert len(np.unique(drawn.layer_energy[:, 0])) == 120
    assert comparison.counts.tolist() == [60, 60]
    assert any("so that it follows the reference's" in note for note in comparison.notes)


def test_continuous_spectrum_is_followed():
    rng = np.random.default_rng(7)
    flat, steep = rng.uniform(1e3, 1e4, 4000), 1e3 * 10 ** rng.uniform(0, 1, 6000)
    plain = compare(showers(1, flat), showers(2, steep), showers(3, rng.uniform(1e3, 1e4, 4000)))
    assert sum("--reweight" in note for note in plain.notes) == 1
    followed = compare(
        showers(1, flat), showers(2, steep), showers(3, rng.uniform(1e3, 1e4, 4000)), reweight=True
    )
    mean, error = flat.mean(), flat.std() / np.sqrt(4000)
    for role in ("generated", "floor"):
        energy = followed.samples[role].incident_energy
        assert abs(energy.mean() - mean) < 4 * (error + energy.std() / np.sqrt(len(energy)))
    assert abs(steep.mean() - mean) > 20 * error
    shares = [followed.groups.counts(s) for s in followed.equal.values()]
    assert (shares[0] == shares[1]).all()
    assert (shares[0] == shares[2]).all()


def test_reference_is_split_without_a_floor():
    reference = showers(1)
    first = compare(reference, showers(2), seed=4)
    halves = [first.samples[role] for role in ("reference", "floor")]
    for half in halves:
        assert [int((half.incident_energy == e).sum()) for e in ENERGIES] == [50, 50]
    together = np.concatenate([half.layer_energy[:, 0] for half in halves])
    assert sorted(together) == sorted(reference.layer_energy[:, 0])
    assert "split into two halves" in first.notes[0]
    again, other = (compare(reference, showers(2), seed=seed) for seed in (4, 5))
    for role, sample in first.equal.items():
        np.testing.assert_array_equal(sample.layer_energy, again.equal[role].layer_energy)
    assert (first.equal["floor"].layer_energy != other.equal["floor"].layer_energy).any()


def shuffled(sample, n=None):
    return sample.take(np.random.default_rng(0).permutation(sample.n_showers)[:n])


def together(first, second):
    return replace(
        first,
        incident_energy=np.concatenate([first.incident_energy, second.incident_energy]),
        layer_energy=np.concatenate([first.layer_energy, second.layer_energy]),
        voxel_energy=np.concatenate([first.voxel_energy, second.voxel_energy]),
    )


@pytest.mark.parametrize(
    ("generated", "floor", "message"),
    [
        (showers(1), showers(3), "the generated sample is the reference itself"),
        (shuffled(showers(1)), showers(3), "the generated sample is the reference itself"),
        (shuffled(showers(1), 90), showers(3), "the reference itself.*90 of its 90"),
        (
            together(showers(1), showers(2, n=1000)),
            showers(3),
            r"in good part the reference.*200 of its 1200",
        ),
        (shuffled(showers(1)).without_voxels(), showers(3), "the reference itself"),
        (showers(2), shuffled(showers(1)), "the floor sample is the reference itself.*--floor"),
        (showers(2), shuffled(showers(2)), "the generated sample is the floor sample itself"),
    ],
)
def test_copies_are_refused(generated, floor, message):
    with pytest.raises(InputError, match=message):
        compare(showers(1), generated, floor)


@pytest.mark.parametrize("n", [200, 60])
def test_copies_of_a_reference_that_is_split_are_those_of_the_whole(n):
    with pytest.raises(InputError, match=f"is the reference itself.*{n} of its {n} showers"):
        compare(showers(1), shuffled(showers(1), n))


def test_a_few_copies_are_noted():
    generated = together(showers(2), showers(1).take(np.arange(5)))
    comparison = compare(showers(1), generated, showers(3))
    note = next(note for note in comparison.notes if "copies" in note)
    assert note.startswith("5 of 205 showers of the generated sample are copies")


def test_same_layer_energies_with_other_voxels_are_no_copies():
    """A model of shapes alone may take the energies from the reference."""
    reference = showers(1)
    voxels = reference.voxel_energy.copy()
    voxels[:, [0, 1]] = voxels[:, [1, 0]]
    swapped = replace(reference, voxel_energy=voxels)
    assert not any("copies" in n for n in compare(reference, swapped, showers(3)).notes)


def test_empty_showers_are_counted_and_are_no_copies():
    def emptied(sample, n):
        voxels = sample.voxel_energy.copy()
        voxels[:n] = 0
        return replace(sample, voxel_energy=voxels, layer_energy=TOY.layer_energies(voxels))

    comparison = compare(emptied(showers(1), 30), emptied(showers(2), 60), showers(3))
    assert comparison.notes == (
        "showers without any energy: 30 of 200 (reference), 60 of 200 (generated), 0 of 200 "
        "(floor); they count as showers whose every layer is empty",
    )
    nothing = emptied(showers(2), 200)
    assert compare(showers(1), nothing, showers(3)).samples["generated"].n_showers == 200


def test_the_challenges_cut():
    """1 MeV in data set 1, on voxels and hence on layers; not where it is given otherwise."""
    photons = binning("dataset-1-photons")

    def sample(seed):
        rng = np.random.default_rng(seed)
        voxels = rng.exponential(1.0, (60, photons.n_voxels)).astype(np.float32)
        return Sample(
            np.full(60, 500.0),
            photons.layer_energies(voxels),
            voxel_energy=voxels,
            binning=photons,
            layer_ids=photons.layer_ids,
        )

    cut = compare(sample(1), sample(2), sample(3))
    assert cut.voxel_threshold == 1.0
    voxels = cut.samples["generated"].voxel_energy
    assert ((voxels == 0) | (voxels >= 1)).all()
    np.testing.assert_allclose(
        cut.samples["generated"].layer_energy, photons.layer_energies(voxels), rtol=1e-12
    )
    np.testing.assert_array_equal(cut.held_out.layer_energy, sample(1).layer_energy)
    whole = compare(sample(1), sample(2), sample(3), voxel_threshold=0.0)
    np.testing.assert_array_equal(whole.samples["floor"].voxel_energy, sample(3).voxel_energy)


def test_different_binnings_are_refused():
    other = Binning("other", "photon", 22, (TOY.layers[0], LayerBinning(2, (0, 4, 9), 2)))
    with pytest.raises(InputError, match=r"binned as 'other', the reference as 'toy'"):
        compare(showers(1), replace(showers(2), binning=other), showers(3))
    with pytest.raises(InputError, match=r"layers \(1, 3\), the reference \(1, 2\)"):
        compare(showers(1), replace(showers(2).without_voxels(), layer_ids=(1, 3)), showers(3))


def test_layer_energies_against_voxels():
    comparison = compare(showers(1), showers(2, voxels=False), showers(3))
    assert comparison.level == "layers"
    assert all(sample.voxel_energy is None for sample in comparison.samples.values())
    assert any("holds layer energies only" in note for note in comparison.notes)


def test_energies_that_not_all_have():
    """Missing, rare and foreign energies are left out and named; nothing left is an error."""
    energies = np.concatenate([np.full(100, 1000.0), np.full(19, 4000.0), np.full(7, 1500.0)])
    comparison = compare(showers(1), showers(2, energies), showers(3))
    assert comparison.groups.centers.tolist() == [1000.0]
    assert comparison.samples["generated"].n_showers == 100
    assert any("19 showers at 4000 MeV" in note for note in comparison.notes)
    assert any("26 of 126 showers of the generated" in note for note in comparison.notes)
    with pytest.raises(InputError, match=r"0 showers at 1000 MeV.*no other incident energy"):
        compare(showers(1), showers(2, np.full(50, 300.0)), showers(3))


def damaged(value):
    sample = showers(2)
    sample.voxel_energy[17, 3] = value
    return sample


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_bad_voxels(value):
    with pytest.raises(InputError, match=r"voxel energy that is negative, NaN or infinite.*row 17"):
        compare(showers(1), damaged(value), showers(3))


def test_voxels_that_do_not_fit_their_binning():
    with pytest.raises(InputError, match=r"voxels of shape \(200, 6\).*368 voxels"):
        compare(showers(1), replace(showers(2), binning=binning("dataset-1-photons")), showers(3))
