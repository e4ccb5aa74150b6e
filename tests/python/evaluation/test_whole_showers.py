"""The evaluation of whole showers: Geant4 in the generator's place, then with one thing wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fastcaloq_infer.data import packaged_sample
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation import Evaluation, evaluate, read_sample, target_lines
from fastcaloq_infer.evaluation.targets import in_floors_light

ENERGIES = (1024.0, 8192.0, 65536.0)


@pytest.fixture(scope="module")
def thirds():
    """Three parts of the packaged showers at three energies, about 300 each."""
    showers = read_sample(packaged_sample("showers"))
    rows = np.flatnonzero(np.isin(showers.incident_energy, ENERGIES))
    rows = np.random.default_rng(1).permutation(rows)
    rows = rows[np.argsort(showers.incident_energy[rows], kind="stable")]
    return tuple(showers.take(rows[k::3]) for k in range(3))


@pytest.fixture(scope="module")
def honest(thirds):
    return evaluate(*thirds, seeds=1, views=("high", "layers"))


def test_geant4_passes(honest):
    assert honest.level == "voxels"
    assert (honest.binning, honest.voxel_threshold) == ("dataset-1-photons", 1.0)
    assert all(line.light != "red" for line in target_lines(honest))
    # 35 histograms, each above its 99 % quantile with probability 0.01: more than 3 in 1 of 3000.
    assert sum(f.value > f.floor_upper for f in honest.features) <= 3
    assert sum(w.value > w.floor_upper for w in honest.wassersteins) <= 5  # of 47
    assert all(chi.p_value > 1e-4 and chi.floor_p_value > 1e-4 for chi in honest.chi_squares)


def test_shape_of_the_result(honest, thirds):
    assert honest.incident_energies == ENERGIES
    names = [figure.feature for figure in honest.features]
    assert len(names) == len(set(names)) == 35
    assert names[29:] == ["voxel_energy", *(f"voxel_energy_{k}" for k in honest.layer_ids)]
    assert {s.feature for s in honest.separations} == set(names[:29])
    assert len(honest.separations) == 29 * 3
    judges = [(c.view, c.architecture) for c in honest.classifiers]
    assert judges == [("high", "network"), ("high", "trees"), ("layers", "trees")]
    assert [(d.name, d.features) for d in honest.distances] in (
        [],
        [("fpd", "high"), ("kpd", "high")],
    )
    assert honest.names.reference == "geant4_photons.hdf5"
    assert len(honest.occupancies) == 5 * 3
    assert {(p.layer, p.axis) for p in honest.profiles} == {
        *((k, "r") for k in honest.layer_ids), (1, "alpha"), (2, "alpha")
    }  # fmt: skip
    assert honest.layer_sums == ()  # a file of voxels states no layer energies beside them
    at_each = [w for w in honest.wassersteins if w.incident_energy is not None]
    assert {w.feature for w in at_each} == {"E_tot", "E_0", "E_1", "E_2", "E_3", "E_12"}
    assert Evaluation.from_json(honest.to_json()) == honest


def test_one_feature_shifted(thirds, honest):
    """Energy moved one ring outwards in layer 2: shapes of that layer, and nothing else."""
    generated = thirds[1]
    voxels = generated.voxel_energy.copy()
    part = generated.binning.layer_slices[2]
    layer = generated.binning.layers[2]
    grid = voxels[:, part].reshape(-1, layer.n_alpha, layer.n_r)
    moved = 0.7 * grid
    moved[:, :, 1:] += 0.3 * grid[:, :, :-1]
    moved[:, :, -1] += 0.3 * grid[:, :, -1]
    voxels[:, part] = moved.reshape(len(voxels), -1)
    result = evaluate(
        thirds[0], replace(generated, voxel_energy=voxels), thirds[2], seeds=0, distances=False
    )
    red = {f.feature for f in result.features if in_floors_light(f) == "red"}
    assert {"centre_r_2", "width_r_2"} & red
    assert all(name.endswith("_2") or name == "voxel_energy" for name in red)
    lights = {line.name: line for line in target_lines(result)}
    shape = lights["largest separation of a shower shape, in floors"]
    assert shape.light == "red"
    assert "_2 at" in shape.where
    distance = next(w for w in result.wassersteins if w.feature == "centre_r_2")
    assert distance.value > distance.floor_upper
    # What was not touched has the honest figures, value by value.
    for name in ("centre_r_1", "sparsity_12", "E_0"):
        ours, theirs = (next(f for f in e.features if f.feature == name) for e in (result, honest))
        assert ours.value == theirs.value


def test_same_seed_same_bytes(thirds):
    options = {"seeds": 1, "views": ("layers",)}
    first, again = (evaluate(*thirds, seed=3, **options).to_json() for _ in range(2))
    assert first == again
    assert first != evaluate(*thirds, seed=4, **options).to_json()


def test_too_few_for_some_figures(thirds):
    """What cannot be known is absent and said to be, not invented."""
    few = [sample.take(np.arange(0, sample.n_showers, 4)) for sample in thirds]
    few = [sample.take(sample.incident_energy == 1024) for sample in few]
    result = evaluate(*few, seeds=1)
    assert result.compared_showers == (min(sample.n_showers for sample in few),)
    assert (result.classifiers, result.distances, result.manifold) == ((), (), None)
    notes = " ".join(result.notes)
    for what in ("classifiers", "FPD and KPD", "precision", "no Wasserstein distance"):
        assert what in notes, what
    assert len(target_lines(result)) >= 4


def test_views_that_do_not_exist(thirds):
    with pytest.raises(InputError, match="no classifier view 'middle'"):
        evaluate(*thirds, seeds=1, views=("middle",), distances=False)
    layers = evaluate(*thirds, level="layers", seeds=1, views=("low", "layers"), distances=False)
    assert [c.view for c in layers.classifiers] == ["layers"]
    assert any("'low' is left out" in note for note in layers.notes)
