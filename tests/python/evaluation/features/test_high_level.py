"""High-level features: by hand, by loops over voxels, and against the challenge's own script."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fastcaloq_infer.data import Binning, LayerBinning, binning, packaged_sample
from fastcaloq_infer.evaluation import Sample, high_level_features, read_sample
from fastcaloq_infer.evaluation.features.binnings import feature_edges, voxel_cut
from fastcaloq_infer.evaluation.metrics.feature_histograms import (
    challenge_separation,
    counts_in,
    feature_separations,
)
from fastcaloq_infer.evaluation.metrics.voxel_spectrum import voxel_spectra
from fastcaloq_infer.evaluation.samples.comparison import Comparison
from fastcaloq_infer.evaluation.samples.groups import energy_groups

TOY = Binning(
    "toy",
    "photon",
    22,
    (LayerBinning(0, (0, 10, 30)), LayerBinning(2, (0, 4, 10, 20), n_alpha=4)),
)


def shower(binning_, voxels, energy=1000.0):
    voxels = np.asarray(voxels, np.float32)
    return Sample(
        np.full(len(voxels), energy),
        binning_.layer_energies(voxels),
        voxel_energy=voxels,
        binning=binning_,
    )


def by_loops(voxels, which, energy):
    """The formulas, voxel by voxel, as in the docstring."""
    found = {"E_tot": sum(voxels) / energy}
    for layer, part in zip(which.layers, which.layer_slices, strict=True):
        total = sum(float(v) for v in voxels[part])
        found[f"E_{layer.id}"] = total
        found[f"sparsity_{layer.id}"] = sum(v == 0 for v in voxels[part]) / layer.n_voxels
        sums = {axis: [0.0, 0.0] for axis in ("eta", "phi", "r")}
        for i_alpha in range(layer.n_alpha):
            for i_r in range(layer.n_r):
                v = float(voxels[which.voxel_index(layer.id, i_alpha, i_r)])
                r = (layer.r_edges[i_r] + layer.r_edges[i_r + 1]) / 2
                alpha = -math.pi + (i_alpha + 0.5) * 2 * math.pi / layer.n_alpha
                places = {"eta": r * math.cos(alpha), "phi": r * math.sin(alpha), "r": r}
                for axis, x in places.items():
                    sums[axis][0] += v * x
                    sums[axis][1] += v * x * x
        for axis, (first, second) in sums.items():
            if axis != "r" and layer.n_alpha == 1:
                continue
            mean = first / total if total else math.nan
            found[f"centre_{axis}_{layer.id}"] = mean
            variance = second / total - mean**2 if total else math.nan
            found[f"width_{axis}_{layer.id}"] = math.sqrt(max(variance, 0.0))
    return found


def test_formulas(rng):
    voxels = rng.exponential(3.0, (20, TOY.n_voxels)) * (rng.random((20, TOY.n_voxels)) < 0.6)
    voxels[3] = 0
    voxels[4, TOY.layer_slices[1]] = 0
    sample = shower(TOY, voxels)
    features = high_level_features(sample)
    assert len(features.names) == len(features.labels) == len(features.units)
    assert features.values.dtype == np.float64
    for row in range(20):
        expected = by_loops(sample.voxel_energy[row].astype(float), TOY, 1000.0)
        assert set(expected) == set(features.names)
        for name, value in expected.items():
            # 12 numbers added, and for a width the root of a difference: 1e-7 of 20 mm.
            found = features.column(name)[row]
            assert found == pytest.approx(value, rel=1e-12, abs=1e-6, nan_ok=True), name


def test_one_voxel():
    """All energy in one place: its centre is known, its width 0."""
    voxels = np.zeros((1, TOY.n_voxels))
    voxels[0, TOY.voxel_index(2, i_alpha=3, i_r=2)] = 5.0
    features = high_level_features(shower(TOY, voxels))
    values = dict(zip(features.names, features.values[0], strict=True))
    assert values["E_2"] == 5
    assert values["centre_r_2"] == pytest.approx(15.0)
    # The last of four sectors lies around alpha = 3/4 pi.
    assert values["centre_eta_2"] == pytest.approx(-15 / math.sqrt(2))
    assert values["centre_phi_2"] == pytest.approx(15 / math.sqrt(2))
    assert [values[f"width_{axis}_2"] for axis in ("eta", "phi", "r")] == [0, 0, 0]
    assert values["sparsity_2"] == pytest.approx(11 / 12)
    assert np.isnan([values["centre_r_0"], values["width_r_0"]]).all()
    assert (values["E_0"], values["sparsity_0"]) == (0, 1)


def test_two_voxels_opposite():
    """Equal energies at -x and +x: centre 0, width x."""
    voxels = np.zeros((1, TOY.n_voxels))
    for i_alpha in (0, 2):
        voxels[0, TOY.voxel_index(2, i_alpha=i_alpha, i_r=0)] = 1.0
    features = high_level_features(shower(TOY, voxels))
    for axis in ("eta", "phi"):
        assert features.column(f"centre_{axis}_2")[0] == pytest.approx(0, abs=1e-12)
        assert features.column(f"width_{axis}_2")[0] == pytest.approx(2 / math.sqrt(2))
    assert features.column("width_r_2")[0] == 0


def test_layer_energies_only():
    sample = Sample(np.array([100.0]), np.array([[30.0, 20.0]]), layer_ids=(1, 5))
    features = high_level_features(sample)
    assert features.names == ("E_tot", "E_1", "E_5")
    assert features.values.tolist() == [[0.5, 30.0, 20.0]]


# Made once with the challenge's script (https://github.com/CaloChallenge/homepage, commit 9b41df7,
# HighLevelFeatures.py and the histograms of evaluate_plotting_helper.py) from the packaged showers
# in float64 after its 1 MeV cut: rows 0, 2, 4, ... as reference, rows 1, 3, 5, ... as input.
SEPARATIONS = {
    "E_tot": 0.027802218859388016,
    "E_0": 0.011439459418402095,
    "E_1": 0.010530616871289367,
    "E_2": 0.012805604705028234,
    "E_3": 0.01784922752851336,
    "E_12": 0.028411992283735338,
    "centre_eta_1": 0.010225836953931585,
    "centre_eta_2": 0.024514274364427262,
    "centre_phi_1": 0.008589232628106971,
    "centre_phi_2": 0.019282056008991785,
    "width_eta_1": 0.018384751227327058,
    "width_eta_2": 0.022064092109816122,
    "width_phi_1": 0.018888330117773584,
    "width_phi_2": 0.023860605265345766,
    "sparsity_0": 0.002734862799412739,
    "sparsity_1": 0.005140262802052827,
    "sparsity_2": 0.002905360173020311,
    "sparsity_3": 0.0006403082507889904,
    "sparsity_12": 0.0027634985139456756,
    "centre_r_0": 0.016081322050118887,
    "centre_r_1": 0.004292295298129658,
    "centre_r_2": 0.006380000160709709,
    "centre_r_3": 0.012905533915840706,
    "centre_r_12": 0.009554402296341311,
    "width_r_0": 0.009578920599170378,
    "width_r_1": 0.003994545660380584,
    "width_r_2": 0.008568893163954126,
    "width_r_3": 0.011847771754139133,
    "width_r_12": 0.006643722912129628,
    "voxel_energy": 0.00028999714686830366,
}
# Features of the reference's shower 7 (row 14), and the mean of all, by the same script.
SHOWER_7 = {
    "E_1": 1337.8049691915512,
    "E_2": 6974.216650366783,
    "centre_eta_1": 1.8011372007472637,
    "centre_phi_2": 0.9916098066169515,
    "width_eta_2": 18.318490307371903,
    "width_phi_1": 8.412564234060383,
    "centre_r_3": 158.35813345360884,
    "width_r_3": 34.40729026257357,
    "sparsity_2": 0.31052631578947365,
}
MEANS = {
    "E_tot": 1.0179365989426052,
    "centre_eta_2": 0.38911055491386115,
    "width_phi_2": 23.364378260670644,
    "centre_r_12": 45.68537647571611,
    "width_r_0": 14.400540000653104,
}


@pytest.fixture(scope="module")
def packaged():
    """Reference and input of the numbers above, compared without groups."""
    showers = read_sample(packaged_sample("showers")).cut(1.0)
    even, odd = showers.take(slice(0, None, 2)), showers.take(slice(1, None, 2))
    return {"reference": even, "generated": odd, "floor": odd}


def test_same_numbers_as_the_challenge(packaged):
    tables = {role: high_level_features(sample) for role, sample in packaged.items()}
    reference = tables["reference"]
    for name, value in SHOWER_7.items():
        # The script adds 1e-16 MeV to denominators and sums in another order.
        assert reference.column(name)[7] == pytest.approx(value, rel=1e-12)
    for name, value in MEANS.items():
        mean = np.nan_to_num(reference.column(name)).mean()  # an empty layer's centre is 0 there
        # Widths of single voxels are 0 here and the root of a rounding error there.
        assert mean == pytest.approx(value, rel=1e-9)
    for name in reference.names:
        columns = [tables[role].column(name) for role in ("reference", "generated")]
        edges = feature_edges(name, columns[0], packaged["reference"].binning, 1.0)
        counts = [counts_in(c, edges, np.array([len(c)]))[0] for c in columns]
        zero = 50 if name.startswith(("centre_eta", "centre_phi")) else 0
        zero_bin = zero if name.startswith(("centre", "width")) else None
        # Exact counts; the sums over bins have another order.
        found = challenge_separation(counts[0], counts[1], zero_bin)
        assert found == pytest.approx(SEPARATIONS[name], rel=1e-10), name


def test_same_numbers_in_the_figures(packaged):
    """Through the figures themselves; equal counts leave out one shower of 1,488."""
    groups = energy_groups(packaged["reference"])
    odd = packaged["generated"].n_showers
    samples = {role: sample.take(slice(0, odd)) for role, sample in packaged.items()}
    comparison = Comparison(
        samples=samples,
        equal=samples,
        groups=groups,
        counts=np.array([odd]),
        layer_ids=(0, 1, 2, 3, 12),
        level="voxels",
        energy_threshold=0.0,
        voxel_threshold=1.0,
        seed=1,
        given={},
        held_out=packaged["reference"],
        layer_sums=(),
        notes=(),
    )
    tables = {role: high_level_features(sample) for role, sample in samples.items()}
    rng = np.random.default_rng(1)
    spectra = voxel_spectra(comparison, rng)
    figures = [*feature_separations(comparison, tables, rng), spectra[0]]
    assert {figure.feature for figure in figures} == set(SEPARATIONS)
    for figure in figures:
        # One shower moves one of 1,488 entries: the separation by a few of its own steps.
        assert figure.challenge == pytest.approx(SEPARATIONS[figure.feature], abs=4 / odd)
        assert figure.challenge == figure.challenge_floor
        assert figure.value == figure.floor
    spectrum = spectra[0]
    assert spectrum.challenge == pytest.approx(SEPARATIONS["voxel_energy"], rel=0.05)
    layers = [f"voxel_energy_{layer}" for layer in comparison.equal["reference"].binning.layer_ids]
    assert [figure.feature for figure in spectra[1:]] == layers


def test_edges_of_the_challenge():
    photons, electrons = binning("dataset-1-photons"), binning("dataset-2")
    x = np.linspace(-20, 20, 1000)
    positive = np.geomspace(0.5, 5000.0, 1000)
    for name, values, which, expected in [
        ("E_tot", x / 40 + 1, photons, np.linspace(0.5, 1.5, 101)),
        ("E_12", positive, photons, np.geomspace(1, 5000, 40)),
        ("voxel_energy", positive, photons, np.geomspace(1, 5000, 50)),
        ("centre_phi_2", x, photons, np.linspace(-100, 100, 101)),
        ("width_eta_1", abs(x), photons, np.linspace(0, 100, 101)),
        ("centre_r_12", abs(x), photons, np.linspace(0, 1500, 101)),
        ("width_r_0", abs(x), photons, np.linspace(0, 500, 101)),
        ("sparsity_3", abs(x) / 20, photons, np.linspace(0, 1, 21)),
        ("centre_eta_17", x, electrons, np.linspace(-30, 30, 101)),
        ("centre_r_17", abs(x), electrons, np.linspace(0, 42, 101)),
        ("width_r_17", abs(x) / 2, electrons, np.linspace(0, 20, 101)),
    ]:
        np.testing.assert_allclose(feature_edges(name, values, which, 1.0), expected, atol=1e-12)
    assert voxel_cut(photons) == 1.0
    assert voxel_cut(electrons) == pytest.approx(0.0151515, rel=1e-5)
    assert voxel_cut(TOY) == voxel_cut(None) == 0


def test_edges_elsewhere(rng):
    """Other detectors, and values that the challenge's range would lose, get the sample's own."""
    x = rng.normal(300.0, 5.0, 10_000)
    for which in (TOY, None, binning("dataset-1-photons")):
        edges = feature_edges("centre_eta_2", x, which, 0.0)
        assert len(edges) == 101
        assert ((x >= edges[0]) & (x <= edges[-1])).mean() == pytest.approx(0.998, abs=1e-3)
    nothing = feature_edges("centre_eta_2", np.full(5, np.nan), TOY, 0.0)
    assert np.isfinite(nothing).all()
    assert len(feature_edges("E_2", np.zeros(5), TOY, 0.0)) > 1
    assert np.ptp(feature_edges("width_r_0", np.full(9, 3.0), TOY, 0.0)) == 1


def test_nothing_is_lost():
    """Values below, above and undefined have bins of their own."""
    values = np.array([-1.0, 0.0, 0.5, 2.0, 2.1, np.nan, np.nan])
    counts = counts_in(values, np.array([0.0, 1.0, 2.0]), np.array([4, 3]))
    assert counts.tolist() == [[1, 2, 1, 0, 0], [0, 0, 0, 1, 2]]
    first, second = np.array([0, 3, 1, 0, 0]), np.array([9, 3, 0, 9, 1])
    assert challenge_separation(first, second, None) == pytest.approx(
        0.5 * (0.25**2 / 1.75 + 0.25**2 / 0.25)
    )
    assert challenge_separation(first, second, 1) == pytest.approx(0)
    assert challenge_separation(first, np.array([4, 0, 0, 0, 0]), None) is None
