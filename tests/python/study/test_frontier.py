"""A frontier of three tiny trainings: what it writes, how it goes on, what it refuses."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from fastcaloq_infer import data
from fastcaloq_infer.errors import ConfigError, InputError
from fastcaloq_infer.study.frontier.config import FrontierConfig
from fastcaloq_infer.study.frontier.fitting import fit
from fastcaloq_infer.study.frontier.judging import Judge
from fastcaloq_infer.study.frontier.models import Models
from fastcaloq_infer.study.frontier.results import FrontierResults
from fastcaloq_infer.study.frontier.run import run_frontier
from fastcaloq_infer.training.config import ShapeTrainConfig
from fastcaloq_infer.training.data import read_training_set

SHOWERS = 450


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with ``train.hdf5``, ``heldout.hdf5`` and the configurations of two tiny flows."""
    folder = tmp_path_factory.mktemp("frontier")
    binning = data.binning("dataset-1-photons")
    with data.open_showers(data.packaged_sample("showers"), binning) as file:
        batch = next(iter(file.iterate()))
    for k, name in enumerate(("train", "heldout")):
        rows = slice(k * SHOWERS, (k + 1) * SHOWERS)
        with data.write_showers(folder / f"{name}.hdf5", binning, eta=0.225) as writer:
            writer.append(batch.incident_energy[rows], batch.showers[rows])
    common: dict[str, Any] = {
        "model": "shape",
        "particle": "photon",
        "quantum": {"kind": "none"},
        "batch_size": 64,
        "steps": 5,
        "threads": 1,
    }
    ours = {"units": 1, "context": 2, "head": 2, "bins": 2}
    coupling = {"kind": "coupling", "n_blocks": 2, "hidden": [4], "bins": 2}
    for name, shape in (("ours", ours), ("coupling", coupling)):
        text = yaml.safe_dump({**common, "name": name, "shape": shape})
        (folder / f"{name}.yaml").write_text(text)
    return folder


def plain(folder: Path) -> dict[str, Any]:
    return {
        "kind": "frontier",
        "name": "tiny",
        "configuration": str(folder / "ours.yaml"),
        "train": str(folder / "train.hdf5"),
        "held_out": str(folder / "heldout.hdf5"),
        "cpu_seconds": 5,
        "showers": 120,
        "judge_at": [8192.0, 16384.0, 32768.0, 4096.0],
        "classifier_seeds": 1,
        "features": True,
        "variants": [
            {"name": "ours", "steps": 3, "series": "ours"},
            {"name": "longer", "steps": 6, "series": "ours", "cpu_seconds": 10},
            {"name": "coupling", "steps": 3, "configuration": str(folder / "coupling.yaml")},
        ],
    }


@pytest.fixture(scope="module")
def done(files: Path) -> tuple[Path, FrontierResults]:
    folder = files / "done"
    return folder, run_frontier(FrontierConfig.from_dict(plain(files)), folder)


def test_results_are_written_and_read_back(done: tuple[Path, FrontierResults]) -> None:
    folder, results = done
    assert FrontierResults.load(folder / "results.json") == results
    assert (folder / "frontier.png").stat().st_size > 10_000
    table = (folder / "table.md").read_text()
    assert [model.name for model in results.models] == ["ours", "longer", "coupling"]
    for model in results.models:
        assert model.title in table
        assert model.kind == ("coupling" if model.name == "coupling" else "autoregressive")
        assert model.judgement.n_showers == results.floor.n_showers >= 100
        assert 0.5 < model.judgement.network.mean <= 1.0
        # Hardly trained, so told apart far better than the simulation from itself.
        assert model.judgement.trees.mean > results.floor.trees.mean + 0.1
        assert model.cpu_seconds > 0
    assert results.models[1].steps == 6
    assert results.models[1].showers_seen == 6 * 64
    assert "Features at 8,192 MeV" in table


def test_layer_energies_are_given(done: tuple[Path, FrontierResults]) -> None:
    """Means of the layer energies differ by the showers that the cut of 1 MeV takes alone."""
    _, results = done
    for model in results.models:
        for figure in model.judgement.features:
            if figure.name == "E_2":
                assert figure.generated[0] == pytest.approx(figure.reference[0], rel=0.05)


def test_what_is_done_is_not_done_again(done: tuple[Path, FrontierResults], files: Path) -> None:
    folder, results = done
    before = {path: path.stat().st_mtime_ns for path in (folder / "models").iterdir()}
    (folder / "models" / "coupling.1.json").write_text('{"record": {')  # a damaged one is
    again = run_frontier(FrontierConfig.from_dict(plain(files)), folder)
    after = {path: path.stat().st_mtime_ns for path in (folder / "models").iterdir()}
    assert [path.name for path in before if before[path] != after[path]] == ["coupling.1.json"]
    assert again.models[:2] == results.models[:2]
    # Steps are given, so a seed decides everything but the times.
    assert again.models[2].judgement == results.models[2].judgement
    assert again.models[2].validation_nll == results.models[2].validation_nll


def test_another_frontier_in_the_folder_is_refused(
    done: tuple[Path, FrontierResults], files: Path
) -> None:
    folder, _ = done
    other = plain(files)
    other["variants"][0]["steps"] = 4
    with pytest.raises(ConfigError, match="other settings or other showers"):
        run_frontier(FrontierConfig.from_dict(other), folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"variants": [{"name": "a"}, {"name": "a"}]}, "there twice"),
        ({"cpu_seconds": 0}, "greater than 0"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_configurations(files: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        FrontierConfig.from_dict({**plain(files), **change})


def test_the_same_showers_held_out_are_refused(files: Path, tmp_path: Path) -> None:
    config = plain(files)
    config["held_out"] = config["train"]
    with pytest.raises(ConfigError, match="both learnt from and held out"):
        run_frontier(FrontierConfig.from_dict(config), tmp_path)


def test_energies_to_judge_at_must_be_there(files: Path) -> None:
    with pytest.raises(InputError, match="no shower of 300 MeV"):
        Judge(
            files / "heldout.hdf5",
            files / "train.hdf5",
            data.binning("dataset-1-photons"),
            None,
            energies=(300.0,),
            showers=100,
            classifiers=1,
            features=False,
        )


def test_steps_are_as_many_as_the_time_allows(files: Path) -> None:
    config = ShapeTrainConfig.load(
        files / "ours.yaml", [f"data.train={files / 'train.hdf5'}", "epochs=1"]
    )
    showers = read_training_set(config)
    with pytest.raises(ConfigError, match="too short"):
        fit(config, showers, 1e-6)
    trained = fit(config, showers, 1.0)
    assert trained.steps >= 1
    assert math.isfinite(trained.validation_nll)
    assert trained.cpu_seconds < 10.0  # a measured step, on a machine with other work


def test_layer_energies_can_be_drawn(files: Path) -> None:
    flow = {
        "name": "energies",
        "particle": "photon",
        "quantum": {"kind": "none"},
        "flow": {"n_blocks": 1, "hidden": [4], "bins": 4},
        "batch_size": 64,
        "steps": 5,
    }
    (files / "energies.yaml").write_text(yaml.safe_dump(flow))
    config = FrontierConfig.from_dict(
        {
            **plain(files),
            "energies": str(files / "energies.yaml"),
            "variants": [{"name": "left-out", "set": ["data.leave_out=[8192]"]}],
        }
    )
    models = Models(config, files, None)
    shape, energy = models.settings(config.variants[0], seed=3)
    showers = models.showers(shape)
    assert 8192.0 not in showers.train.incident_energy
    assert energy is not None
    layers = models.drawn(energy, showers, seed=3)
    assert layers.shape == models.judge.reference.layer_energy.shape
    assert np.isfinite(layers).all()
    assert (layers != models.judge.reference.layer_energy).any()


def test_the_verb(files: Path, done: tuple[Path, FrontierResults]) -> None:
    import click
    import typer

    from fastcaloq_infer.cli.study import study

    app = typer.Typer()
    app.command()(study)
    path = files / "study.yaml"
    path.write_text(json.dumps(plain(files)))
    result = CliRunner().invoke(app, [str(path), "-o", str(done[0]), "-q"])
    assert result.exit_code == 0, result.output
    assert "coupling: AUC" in click.unstyle(result.output)
    result = CliRunner().invoke(app, [str(path), "--dry-run"])
    assert "longer: 10 s" in result.output
    assert CliRunner().invoke(app, [str(path), "--jobs", "2"]).exit_code == 2
