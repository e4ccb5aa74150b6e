"""A whole small study: killed, gone on with, and equal to one that was left alone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from fastcaloq_infer.errors import ConfigError, InputError, OutputError
from fastcaloq_infer.study.config import StudyConfig
from fastcaloq_infer.study.pool import StudyError
from fastcaloq_infer.study.results import StudyResults
from fastcaloq_infer.study.study import alone, planned, run_study

PROGRAM = """
import sys
from fastcaloq_infer.cli.main import main
if __name__ == "__main__":
    main()
"""


@pytest.fixture(scope="module")
def undisturbed(unchanged: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a study done by one process without interruption."""
    folder = tmp_path_factory.mktemp("undisturbed")
    run_study(StudyConfig.from_dict(unchanged), folder, jobs=1)
    return folder


def _start(study: Path, folder: Path, tmp_path: Path) -> subprocess.Popen[bytes]:
    program = tmp_path / "program.py"  # a file, as the installed command is one
    program.write_text(PROGRAM)
    command = [sys.executable, str(program), "study", str(study), "-o", str(folder), "-q", "-j2"]
    return subprocess.Popen(command)


def _wait(condition: Any, seconds: float = 300.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


def _works(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_killed_study_goes_on_and_ends_as_if_nothing_had_happened(
    plain: dict[str, Any], undisturbed: Path, tmp_path: Path
) -> None:
    config, folder = StudyConfig.from_dict(plain), tmp_path / "out"
    study = tmp_path / "study.yaml"
    study.write_text(yaml.safe_dump(plain))
    killed = _start(study, folder, tmp_path)
    children: list[psutil.Process] = []

    def under_way() -> bool:
        nonlocal children
        assert killed.poll() is None, "the study ended before it could be killed"
        children = psutil.Process(killed.pid).children(recursive=True)
        begun = list(folder.glob("runs/*/fit/checkpoint.pt"))
        return len(list(folder.glob("runs/*/done.json"))) >= 1 and len(begun) >= 2

    _wait(under_way)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    _wait(lambda: not any(_works(child) for child in children))  # nobody works on for nobody
    done = [run.name for run, _, whole in planned(config, folder) if whole]
    assert 1 <= len(done) < 4
    before = {name: (folder / "runs" / name / "done.json").stat().st_mtime_ns for name in done}

    # A whole run whose file was damaged afterwards counts as not done.
    damaged = folder / "runs" / done[0] / "log_prob.npy"
    damaged.write_bytes(damaged.read_bytes()[:-8] + b"\0" * 8)
    run_study(config, folder, jobs=1)
    for name in done[1:]:
        assert (folder / "runs" / name / "done.json").stat().st_mtime_ns == before[name]
    assert (undisturbed / "results.json").read_bytes() == (folder / "results.json").read_bytes()


def test_results_hold_together(undisturbed: Path) -> None:
    results = StudyResults.load(undisturbed / "results.json")
    (cell,) = results.cells
    # Showers that a small sample makes impossible are few, and counted.
    assert cell.n_judged + cell.n_left_out == 900
    assert cell.n_left_out < 90
    quantum, none = cell.variants
    assert (quantum.n_features, none.n_features) == (3, 0)
    assert quantum.n_conditioner == 3 * 3 + 3 * 2
    assert quantum.n_trained == quantum.n_parameters > none.n_parameters
    (comparison,) = cell.comparisons
    difference = none.likelihood.mean - quantum.likelihood.mean
    assert comparison.effect == pytest.approx(difference, abs=1e-9)
    assert comparison.low < comparison.effect < comparison.high
    assert comparison.p == comparison.p_adjusted  # there is only one
    assert 0.3 < cell.floor_auc.mean < 0.7 < quantum.auc.mean  # hardly trained
    times = json.loads((undisturbed / "times.json").read_text())
    assert times["fit_cpu_total"] > 0
    table = (undisturbed / "table.md").read_text()
    assert "| quantum |" in table
    assert "reference" in table
    assert len((undisturbed / "table.csv").read_text().splitlines()) == 3
    for name in ("effects.png", "auc.png", "cost.png"):
        assert (undisturbed / name).read_bytes().startswith(b"\x89PNG")


def test_a_folder_is_for_one_study_at_a_time_and_for_one_study(
    plain: dict[str, Any], undisturbed: Path
) -> None:
    config = StudyConfig.from_dict(plain)
    with alone(undisturbed), pytest.raises(OutputError, match="another process is at work"):
        run_study(config, undisturbed)
    other = StudyConfig.from_dict(plain | {"set": ["steps=16"]})
    with pytest.raises(ConfigError, match="of another study"):
        run_study(other, undisturbed)


def test_a_size_that_is_not_there_is_missed_before_anything_is_trained(
    plain: dict[str, Any], tmp_path: Path
) -> None:
    plain["sizes"].append({"name": "all", "showers": 3001})
    with pytest.raises(InputError, match="size 'all' asks for 3001 showers, but"):
        run_study(StudyConfig.from_dict(plain), tmp_path / "out")
    assert not list((tmp_path / "out" / "runs").iterdir())


def test_a_run_that_fails_is_named_and_the_others_are_kept(
    plain: dict[str, Any], undisturbed: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    shutil.copytree(undisturbed, folder)
    plain["seeds"] = [1]
    # Runs that another study has done with the same settings are not done again.
    results = run_study(StudyConfig.from_dict(plain), folder)
    assert results.cells[0].comparisons[0].p is None  # one seed: no claim
    plain["variants"].append({"name": "wild", "set": ["optimiser.lr=1e20", "steps=200"]})
    config = StudyConfig.from_dict(plain)
    with pytest.raises(StudyError, match=r"1 of 1 runs could not be done \(first: 2000.all.wild"):
        run_study(config, folder)
    assert sum(whole for _, _, whole in planned(config, folder)) == 2
