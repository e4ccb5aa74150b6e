"""The whole evaluation: on Geant4 against Geant4, on damaged copies, on bad input."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation import (
    Evaluation,
    GeneratedShowers,
    evaluate_layer_energies,
    evaluate_model,
    summary,
    target_lines,
)
from fastcaloq_infer.evaluation.targets import in_floors_light, traffic_light

quick = partial(evaluate_layer_energies, distances=False)


@pytest.fixture(scope="module")
def halves(training):
    """Two disjoint parts of the training sample: Geant4 that may play the generator, and floor."""
    even = np.arange(len(training)) % 2 == 0
    return tuple(
        GeneratedShowers(training.incident_energy[rows], training.layer_energy[rows])
        for rows in (even, ~even)
    )


@pytest.fixture(scope="module")
def few(held_out, halves):
    """Half of the same, for what is seen at once."""
    return tuple(
        GeneratedShowers(sample.incident_energy[:n], sample.layer_energy[:n])
        for sample, n in ((held_out, 12_000), (halves[0], 14_000), (halves[1], 12_000))
    )


@pytest.fixture(scope="module")
def honest(held_out, halves):
    return quick(held_out, *halves, seeds=5)


def test_geant4_passes_as_generated(honest):
    """A perfect generator reaches every target, and its figures scatter around the floor's."""
    auc = honest.classifier.generated.auc.mean
    n = honest.classifier.showers_per_sample
    assert abs(auc - 0.5) < 4 * np.sqrt(2 / n / 12)
    assert abs(honest.classifier.floor.auc.mean - 0.5) < 4 * np.sqrt(2 / n / 12)
    # 54 places, each above its 99 % quantile with probability 0.01: more than 4 in 1 of 5000.
    assert sum(s.value > s.floor_upper for s in honest.separations) <= 4
    pulls = [z.difference / z.difference_error for z in honest.zero_fractions]
    assert np.abs(pulls).max() < 4.5
    # One place in 54 may miss 3 floors by chance, but then not significantly.
    assert all(line.light != "red" for line in target_lines(honest))


def test_shape_of_the_result(honest, held_out):
    assert honest.layer_ids == (0, 1, 2, 3, 12)
    assert len(honest.incident_energies) == 9
    assert honest.compared_showers == (2500,) * 8 + (1250,)
    assert len(honest.separations) == 6 * 9
    assert len(honest.zero_fractions) == 5 * 9
    zero = next(z for z in honest.zero_fractions if z.layer == 3 and z.incident_energy == 2048)
    rows = held_out.incident_energy == 2048
    assert zero.reference == (held_out.layer_energy[rows, 3] == 0).mean()
    last = honest.responses[-1]
    assert last.reference.response == pytest.approx(1.028, abs=0.001)
    assert last.reference.resolution == pytest.approx(0.0095, abs=0.0005)


def test_one_scaled_layer_is_found(few):
    """2 % on layer 2: seen by the classifier and by the total, not by the other layers."""
    scaled = replace(few[1], layer_energy=few[1].layer_energy * [1, 1, 1.02, 1, 1])
    result = quick(few[0], scaled, few[2], seeds=2)
    assert result.classifier.generated.auc.mean > 0.6
    assert result.classifier.floor.auc.mean < 0.53
    at_top = {s.feature: s for s in result.separations if s.incident_energy == 65536}
    assert in_floors_light(at_top["E_tot"]) == "red"
    others = [s for s in result.separations if s.feature in ("E_0", "E_1", "E_3", "E_12")]
    assert sum(s.value > s.floor_upper for s in others) <= 4
    assert target_lines(result)[0].light == "red"


def test_emptied_layer_is_found(few):
    rng = np.random.default_rng(1)
    layers = few[1].layer_energy.copy()
    layers[rng.random(len(layers)) < 0.08, 0] = 0
    emptied = replace(few[1], layer_energy=layers)
    result = quick(few[0], emptied, few[2], seeds=0)
    assert result.classifier is None
    top = next(z for z in result.zero_fractions if z.layer == 0 and z.incident_energy == 65536)
    assert abs(top.difference - 0.95 * 0.08) < 4 * top.difference_error
    line = next(line for line in target_lines(result) if "zero" in line.name)
    assert line.light == "red"
    assert "layer 0" in line.where


def test_one_runaway_shower_is_found(few):
    """A single shower in 14,000, which no histogram and no classifier would notice."""
    layers = few[1].layer_energy.copy()
    row = np.flatnonzero(few[1].incident_energy == 65536)[0]
    layers[row, 0] = 4 * 65536
    result = quick(few[0], replace(few[1], layer_energy=layers), few[2], seeds=0)
    assert [e.runaways for e in result.extremes] == [0] * 8 + [1]
    assert result.extremes[-1].generated > 4
    line = target_lines(result)[-1]
    assert (line.value, line.floor, line.light) == (1, 0, "red")
    assert "65536" in line.where


def test_shuffled_layers_are_found(few):
    """Every layer alone is perfect; only correlations, total and classifier can tell."""
    rng = np.random.default_rng(1)
    layers = few[1].layer_energy.copy()
    for energy in np.unique(few[1].incident_energy):
        rows = np.flatnonzero(few[1].incident_energy == energy)
        for column in range(5):
            layers[rows, column] = layers[rng.permutation(rows), column]
    shuffled = replace(few[1], layer_energy=layers)
    result = quick(few[0], shuffled, few[2], seeds=1)
    assert result.classifier.generated.auc.mean > 0.85
    single = [s for s in result.separations if s.feature != "E_tot"]
    assert sum(s.value > s.floor_upper for s in single) <= 4
    top = result.correlations[-1]
    assert top.largest_difference > 0.5
    assert top.floor_largest_difference < 0.2


def test_json_round_trip(honest, tmp_path):
    assert Evaluation.from_json(honest.to_json()) == honest
    honest.save(tmp_path / "figures.json")
    text = (tmp_path / "figures.json").read_text()
    assert Evaluation.from_json(text) == honest
    raw = json.loads(text)
    raw["colour"] = "blue"
    with pytest.raises(InputError, match="colour"):
        Evaluation.from_json(json.dumps(raw))
    with pytest.raises(InputError, match="not an evaluation"):
        Evaluation.from_json("{")


def test_same_seed_same_json(few):
    first, again, other = (quick(*few, seeds=1, seed=seed) for seed in (4, 4, 5))
    assert first.to_json() == again.to_json()
    assert first.classifier != other.classifier


def test_threshold_empties(few):
    result = quick(*few, seeds=0, energy_threshold=1.0)
    rows = few[0].incident_energy == 256
    expected = (few[0].layer_energy[rows, 1] <= 1.0).mean()
    zero = next(z for z in result.zero_fractions if z.layer == 1 and z.incident_energy == 256)
    assert zero.reference == expected > (few[0].layer_energy[rows, 1] == 0).mean()


def test_continuous_spectrum(rng):
    def sample(n):
        energy = np.exp(rng.uniform(np.log(1e3), np.log(1e6), n))
        return GeneratedShowers(energy, energy[:, None] * rng.beta(2, 5, size=(n, 2)))

    result = quick(sample(6000), sample(6000), sample(6000), seeds=1)
    assert len(result.incident_energies) == 9
    assert list(result.incident_energies) == sorted(result.incident_energies)
    assert sum(s.value > s.floor_upper for s in result.separations) <= 3


def _with(sample, **changes):
    arrays = {
        "incident_energy": sample.incident_energy.copy(),
        "layer_energy": sample.layer_energy.copy(),
    }
    for name, (row, value) in changes.items():
        arrays[name][row] = value
    return GeneratedShowers(**arrays)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda s: _with(s, layer_energy=((7, 2), np.nan)), "generated.*NaN.*row 7"),
        (lambda s: _with(s, layer_energy=((3, 0), -1.0)), "negative.*row 3"),
        (lambda s: _with(s, incident_energy=(5, 0.0)), "not positive.*row 5"),
        (lambda s: GeneratedShowers(s.incident_energy[:5], s.layer_energy), "shape"),
        (lambda s: GeneratedShowers(s.incident_energy, s.layer_energy[:, :4]), "numbers of layers"),
        (lambda s: GeneratedShowers(s.incident_energy[:0], s.layer_energy[:0]), "empty"),
        (
            lambda s: GeneratedShowers(s.incident_energy + 1e5, s.layer_energy),
            "generated sample has 0 showers at 256 MeV",
        ),
    ],
)
def test_bad_samples(held_out, halves, damage, message):
    with pytest.raises(InputError, match=message):
        quick(held_out, damage(halves[0]), halves[1])


def test_reference_as_generated_is_refused(held_out, halves):
    with pytest.raises(InputError, match="the reference itself"):
        quick(held_out, held_out, halves[1])


def test_evaluate_model_takes_functions_and_samplers(held_out, training):
    def perfect(energy, eta):
        """Training showers, each moved by less than anything can see: no copies."""
        assert eta.shape == energy.shape
        rng = np.random.default_rng(0)
        out = np.empty((len(energy), 5))
        for value in np.unique(energy):
            source = training.layer_energy[training.incident_energy == value]
            rows = energy == value
            out[rows] = source[rng.integers(len(source), size=rows.sum())]
        return out * (1 + 1e-5 * rng.random(out.shape))

    class Sampler:
        def sample(self, energies, *, eta, seed):
            assert seed == 9
            return GeneratedShowers(energies, perfect(energies, eta))

    options = {"seeds": 0, "seed": 9, "multiple": 2, "distances": False}
    first = evaluate_model(perfect, held_out, training, **options)
    assert first.generated_showers == 2 * first.reference_showers
    assert first == evaluate_model(Sampler(), held_out, training, **options)
    with pytest.raises(InputError, match="cannot draw showers from int"):
        evaluate_model(3, held_out, training)
    with pytest.raises(InputError, match="multiple=0"):
        evaluate_model(perfect, held_out, training, multiple=0)


def test_summary_and_lights(honest):
    text = summary(honest)
    assert "classifier AUC" in text
    assert len(text.splitlines()) == len(target_lines(honest)) + 1
    assert traffic_light(0.02, 0.0, 0.02) == "green"
    assert traffic_light(0.03, 0.006, 0.02) == "amber"
    assert traffic_light(0.03, 0.004, 0.02) == "red"
