"""The difference of likelihood taken apart, on models whose parts are known, and the program."""

import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from fastcaloq_infer import data
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.flow.condition import Validity
from fastcaloq_infer.flow.kinds.born.config import BornConfig
from fastcaloq_infer.flow.kinds.born.model import BornModel
from fastcaloq_infer.preprocessing.energies import EnergyPreprocessing
from fastcaloq_infer.study.born.measure import measure
from fastcaloq_infer.study.born.nats import bin_showers, compare
from fastcaloq_infer.study.born.picture import draw
from fastcaloq_infer.study.config import StudyConfig
from fastcaloq_infer.study.execute import execute
from fastcaloq_infer.study.flow_learner import FittedFlow
from fastcaloq_infer.study.samples import take
from fastcaloq_infer.study.study import planned


@pytest.fixture(scope="module")
def photons():
    return data.read_layer_energies(data.packaged_sample("heldout"))


@pytest.fixture(scope="module")
def model(photons) -> BornModel:
    preprocessing = EnergyPreprocessing.fit(photons.layer_energy, photons.incident_energy)
    torch.manual_seed(1)
    config = BornConfig(bits=2, n_layers=2)
    made = BornModel(config, preprocessing, Validity((256.0, 65536.0), (0.2, 0.25))).double()
    columns = (photons.layer_energy, photons.incident_energy, photons.eta)
    made.initialise(*(torch.as_tensor(column, dtype=torch.float64) for column in columns))
    return made.requires_grad_(False)


def test_a_model_loses_nothing_against_itself(model, photons) -> None:
    energies = np.unique(photons.incident_energy).astype(np.float64)
    log_prob = FittedFlow(model).log_prob(
        photons.layer_energy, photons.incident_energy.astype(np.float64), photons.eta
    )
    condition = model.condition(torch.as_tensor(energies), torch.full((9,), 0.225).double())
    expected = model.probabilities(condition).numpy() * 1e13
    half = np.arange(len(photons)) % 2 == 0
    found = compare(
        model,
        {"flow": log_prob, "circuit": log_prob},
        expected,
        take(photons, half),
        take(photons, ~half),
        photons,
    )
    # eta comes in float32: 3e-7 of its range.
    assert found["binned_flow"] == pytest.approx(found["circuit"], abs=1e-6)
    assert found["histogram"] > found["circuit"] + 1.0  # random angles against the data
    assert found["showers"] > 21_000


def test_showers_are_counted_once(model, photons) -> None:
    energies = np.unique(photons.incident_energy).astype(np.float64)
    found = bin_showers(model, photons.layer_energy, photons.incident_energy, energies)
    counts = found.counts(9, model.n_bins)
    assert counts.sum() == len(photons)
    assert counts.sum(axis=1).tolist() == [2500.0] * 8 + [1250.0]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Two tiny trainings of one seed."""
    folder = tmp_path_factory.mktemp("study")
    path = folder / "study.yaml"
    text = """
name: tiny
configuration: born
seeds: [1]
classifier_seeds: 0
reference: a
set: ["quantum.bits=2", "quantum.n_layers=2", "steps=2", "batch_size=500"]
sizes: [{name: few, showers: 3000}]
variants: [{name: a}, {name: b, label: qft, set: ["quantum.output=qft"]}]
"""
    path.write_text(text)
    config = StudyConfig.load(path)
    for run, store, _ in planned(config, folder / "done"):
        execute(run, store.fit_folder.parent)
    return config, path, folder / "done"


def test_the_program_writes_results_and_picture(study, tmp_path) -> None:
    import typer

    from fastcaloq_infer.study.born.__main__ import born

    app = typer.Typer()
    app.command()(born)
    _, path, done = study
    options = ["-o", str(tmp_path), "--draws", "1000", "--starts", "8"]
    outcome = CliRunner().invoke(app, [str(path), str(done), *options], catch_exceptions=False)
    assert outcome.exit_code == 0
    results = json.loads((tmp_path / "nats.json").read_text())
    assert [run["variant"] for run in results["runs"]] == ["a", "b"]
    for run in results["runs"]:
        assert len(run["reversal"]) == 9
        assert max(point["round_trip"] for point in run["reversal"]) < 1e-12
        assert run["likelihood"]["flow"] > run["likelihood"]["binned_flow"]
        assert run["likelihood"]["flow"] > run["likelihood"]["circuit"]
    for name in ("nats.png", "showers.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    single = {**results, "runs": results["runs"][:1]}
    draw(single, tmp_path / "single.png")


def test_what_is_missing_is_said(study, tmp_path) -> None:
    config, _, _ = study
    with pytest.raises(InputError, match="is not done; let 'fastcaloq study' finish first"):
        next(measure(config, tmp_path, "photon_energy", 1000, 2))
