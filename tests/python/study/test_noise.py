"""Features measured with shots, and a small model judged with them."""

import math

import numpy as np
import pytest
import torch

from fastcaloq_infer import data
from fastcaloq_infer.conditioning import QuantumConfig, build_conditioner
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.flow.condition import Validity
from fastcaloq_infer.flow.config import FlowConfig
from fastcaloq_infer.flow.kinds.build import build_energy_model
from fastcaloq_infer.preprocessing.config import PreprocessingConfig
from fastcaloq_infer.preprocessing.energies import EnergyPreprocessing
from fastcaloq_infer.quantum import Execution
from fastcaloq_infer.study.noise.features import measured, outcome_probabilities
from fastcaloq_infer.study.noise.measure import Point, Subject, points
from fastcaloq_infer.study.noise.picture import draw
from fastcaloq_infer.study.noise.results import NoiseResults, collect, table
from fastcaloq_infer.study.samples import take

QUANTUM = QuantumConfig(n_qubits=3, observables="z_zz")


@pytest.fixture(scope="module")
def circuit():
    torch.manual_seed(1)
    conditioner = build_conditioner(QUANTUM).double()
    conditions = torch.tensor([[-0.5, 0.0], [0.7, 0.0]], dtype=torch.float64)
    return conditioner, conditions, conditioner(conditions).detach().numpy()


def test_probabilities_and_features_are_the_circuits(circuit):
    conditioner, conditions, exact = circuit
    probabilities = outcome_probabilities(conditioner, conditions, Execution(shots=7))
    assert probabilities.shape == (2, 8)
    place = np.array([1, 0, 1])
    found = measured(
        probabilities, place, QUANTUM.circuit, None, np.random.default_rng(1), fresh=True
    )
    assert np.abs(found - exact[place]).max() < 1e-12


@pytest.mark.parametrize("fresh", [True, False])
def test_shots_scatter_as_means_of_outcomes(circuit, fresh):
    conditioner, conditions, exact = circuit
    probabilities = outcome_probabilities(conditioner, conditions, Execution())
    place = np.repeat([0, 1], 2000)
    random = np.random.default_rng(3)
    found = measured(probabilities, place, QUANTUM.circuit, 50, random, fresh=fresh)
    # Each feature is a mean of 50 outcomes +-1.
    variance = (1 - exact[place] ** 2) / 50
    if fresh:
        pull = (found - exact[place]).mean(axis=0) / np.sqrt(variance.mean(axis=0) / 4000)
        assert np.abs(pull).max() < 5
        assert np.var(found - exact[place], axis=0) == pytest.approx(variance.mean(axis=0), rel=0.2)
    else:
        assert len(np.unique(found, axis=0)) == 2
        assert np.abs((found - exact[place]) / np.sqrt(variance)).max() < 5
    assert np.allclose(found * 25, np.round(found * 25))  # sums of 50 outcomes are even


@pytest.fixture(scope="module")
def energies():
    """A tenth of the packaged showers."""
    samples = [
        data.read_layer_energies(data.packaged_sample(name)) for name in ("heldout", "train")
    ]
    return [take(sample, np.arange(len(sample)) % 10 == 0) for sample in samples]


@pytest.fixture(scope="module")
def subject(energies):
    held_out, floor = energies
    validity = Validity((256.0, 65536.0), (0.2, 0.25), eta_dependent=False)
    preprocessing = EnergyPreprocessing.fit(
        floor.layer_energy[:5000], floor.incident_energy[:5000], PreprocessingConfig()
    )
    torch.manual_seed(2)
    flow = FlowConfig(n_blocks=2, hidden=(8,), bins=4)
    model = build_energy_model(QUANTUM, flow, preprocessing, validity).double()
    with torch.no_grad():  # away from the identity, so that features matter
        for parameter in model.blocks.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return Subject(model, held_out, floor), model


def test_exact_features_give_the_model_itself(subject, energies):
    judge, model = subject
    point = Point("exact", math.inf)
    found = judge.judge(point, 1, draws=1, classifiers=0)
    held_out = energies[0]
    columns = (held_out.layer_energy, held_out.incident_energy, held_out.eta)
    tensors = [torch.as_tensor(column, dtype=torch.float64) for column in columns]
    with torch.no_grad():
        log_prob = model.log_prob(*tensors, torch.Generator().manual_seed(20))
    expected = float(log_prob[torch.isfinite(log_prob)].mean())
    assert found["log_likelihood"] == pytest.approx(expected, rel=1e-12)
    assert found["feature_error"] == 0.0
    assert found["auc"] is None


def test_points_are_judged_collected_and_drawn(subject, tmp_path):
    judge, _ = subject
    chosen = points((10, 100), (0.01, 0.1))
    found = [
        (point, [judge.judge(point, seed, draws=2, classifiers=0) for seed in (1, 2)])
        for point in chosen
    ]
    again = judge.judge(chosen[1], 1, draws=2, classifiers=0)
    assert again == found[1][1][0] != found[1][1][1]
    results = collect("small", found, [])
    for point, judged in zip(results.points, found, strict=True):
        assert (point.feature_error.mean == 0) == (point.series == "exact")
        assert (point.nats_lost.error == 0) == (judged[0].shots is None)
    (tmp_path / "results.json").write_text(results.to_json())
    assert NoiseResults.load(tmp_path / "results.json") == results
    assert table(results).count("\n| ") == len(chosen) + 1
    draw(results, tmp_path / "noise.png")
    assert (tmp_path / "noise.png").stat().st_size > 10_000


def test_every_series_is_there_once():
    found = points((10, 100), (0.1,))
    assert len(found) == len(set(found)) == 1 + 4 + 2
    assert found[0].series == "exact"


def test_a_model_without_a_circuit_is_refused(energies):
    held_out, floor = energies
    validity = Validity((256.0, 65536.0), (0.2, 0.25), eta_dependent=False)
    preprocessing = EnergyPreprocessing.fit(
        floor.layer_energy[:5000], floor.incident_energy[:5000], PreprocessingConfig()
    )
    model = build_energy_model(
        QuantumConfig(kind="none"), FlowConfig(n_blocks=2), preprocessing, validity
    )
    with pytest.raises(InputError, match="not conditioned by a circuit"):
        Subject(model, held_out, floor)
