"""Studies that mean nothing are refused in one line; good ones list their runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner

from fastcaloq_infer.cli.study import study
from fastcaloq_infer.errors import ConfigError, FastCaloQError, InputError
from fastcaloq_infer.study.config import StudyConfig
from fastcaloq_infer.study.matrix import runs
from fastcaloq_infer.study.samples import run_showers

app = typer.Typer()
app.command()(study)

BAD: list[tuple[dict[str, Any], str]] = [
    ({"references": "none"}, r"unknown key 'references' \(did you mean 'reference'"),
    ({"reference": "best"}, "reference 'best' is none of the variants: quantum, none"),
    ({"seeds": []}, "'seeds'"),
    ({"seeds": [1, 1]}, "seed '1' is there twice"),
    ({"seeds": [-1]}, "'seeds.0' is -1"),
    ({"variants": [{"name": "quantum"}]}, "'variants'"),
    ({"variants": [{"name": "quantum"}, {"name": "../x"}]}, "variants.1.name"),
    ({"variants": [{"name": "quantum"}, {"name": "quantum"}]}, "variant 'quantum' is there twice"),
    ({"variants": [{"name": "quantum"}, {"label": "none"}]}, "'variants.1.name' is missing"),
    (
        {"variants": [{"name": "quantum"}, {"name": "none", "set_at": {"5": ["a=1"]}}]},
        "no size '5', only 2000",
    ),
    ({"sizes": [{"name": "few", "showers": 0}]}, "sizes.0.showers"),
    ({"regions": [{"name": "odd", "range": [10, 1]}]}, "ends before it begins"),
    ({"confidence": 1.5}, "'confidence' is 1.5"),
]

BAD_RUNS: list[tuple[dict[str, Any], type[FastCaloQError], str]] = [
    ({"configuration": "nothing"}, ConfigError, "'nothing' is neither a file nor"),
    ({"set": ["flow.blocks=3"]}, ConfigError, "flow.blocks"),
    ({"set": ["nonsense"]}, ConfigError, "not of the form key=value"),
    ({"set": ["model=gan"]}, ConfigError, "'model' is 'gan'"),
    ({"set": ["data.validation=heldout.hdf5"]}, ConfigError, "splits the showers"),
    ({"held_out": "missing.hdf5"}, InputError, "cannot read"),
    ({"held_out": "train.hdf5"}, ConfigError, "both learnt from and held out"),
    (
        {"variants": [{"name": "quantum"}, {"name": "none", "set": ["data.eta=0.3"]}]},
        ConfigError,
        "only models of the same showers",
    ),
]

BAD_SHOWERS: list[tuple[dict[str, Any], str]] = [
    ({"sizes": [{"name": "many", "showers": 10**6}]}, "asks for 1000000 showers"),
    ({"sizes": [{"name": "one", "showers": 1}]}, "too few"),
    ({"regions": [{"name": "gap", "leave_out": [777]}]}, "leaves out 777 MeV"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_a_study_without_meaning_is_refused(
    plain: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        StudyConfig.from_dict(plain | change)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("change", "error", "message"), BAD_RUNS)
def test_runs_that_cannot_be_made_are_refused_before_anything_is_trained(
    plain: dict[str, Any],
    change: dict[str, Any],
    error: type[FastCaloQError],
    message: str,
    showers: Path,
) -> None:
    config = StudyConfig.from_dict(plain | change, folder=showers)
    with pytest.raises(error, match=message) as caught:
        runs(config)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("change", "message"), BAD_SHOWERS)
def test_showers_that_are_not_there_are_missed(
    plain: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        run_showers(runs(StudyConfig.from_dict(plain | change))[0])


def test_variants_share_their_showers_and_seeds_do_not(plain: dict[str, Any]) -> None:
    found = runs(StudyConfig.from_dict(plain))
    assert [run.name for run in found] == [
        f"2000.all.{variant}.{seed}" for seed in (1, 2) for variant in ("quantum", "none")
    ]
    samples = [run_showers(run).train.layer_energy for run in found]
    assert [len(sample) for sample in samples] == [1800] * 4
    assert (samples[0] == samples[1]).all()
    assert (samples[2] == samples[3]).all()
    assert (samples[0] != samples[2]).any()


def test_an_energy_left_out_is_judged_and_not_learnt_from(plain: dict[str, Any]) -> None:
    change = {"regions": [{"name": "gap", "leave_out": [4096]}], "sizes": [{"name": "full"}]}
    run = runs(StudyConfig.from_dict(plain | change))[0]
    train, validation, held_out = run_showers(run)
    assert 4096 not in train.incident_energy
    assert 4096 not in validation.incident_energy
    assert set(held_out.incident_energy) == {4096}


def test_a_run_is_known_by_what_decides_it_and_not_by_where_files_lie(
    plain: dict[str, Any], showers: Path, tmp_path: Path
) -> None:
    first = runs(StudyConfig.from_dict(plain))[0]
    for name in ("flow.yaml", "train.hdf5", "heldout.hdf5"):
        (tmp_path / name).write_bytes((showers / name).read_bytes())
    moved = {"configuration": "flow.yaml", "held_out": "heldout.hdf5"}
    same = runs(StudyConfig.from_dict(plain | moved, folder=tmp_path))[0]
    other = runs(StudyConfig.from_dict(plain | {"set": ["steps=16"]}))[0]
    assert same.fingerprint == first.fingerprint != other.fingerprint


def test_a_dry_run_lists_and_writes_nothing(plain: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(plain))
    shown = CliRunner().invoke(app, [str(path), "-o", str(tmp_path / "out"), "--dry-run"])
    assert shown.exit_code == 0, shown.output
    lines = shown.stdout.splitlines()
    assert lines[0] == "2000.all.quantum.1"
    assert lines[-1].startswith("4 runs, 4 to do")
    assert [file.name for file in tmp_path.iterdir()] == ["study.yaml"]
