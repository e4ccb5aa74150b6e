"""Several processes under torchrun: the loss curve of one, and resuming with another number."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.training import TrainConfig, load_config, run, train
from fastcaloq_infer.training.processes import launch


def torchrun(*arguments):
    """Run ``fastcaloq`` in two processes that meet on a free port."""
    command = Path(sys.executable).parent
    done = subprocess.run(
        [
            *(command / "torchrun", "--standalone", "--nproc-per-node", "2", "--no-python"),
            *(command / "fastcaloq", *arguments),
        ],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done


def curve(folder):
    records = json.loads((folder / "history.json").read_text())["records"]
    return [(r["step"], r["train_loss"], r["validation_nll"]) for r in records]


# In float64 one and two processes differ by the order of sums, 1e-16 of a gradient; where a
# gradient is smaller, AdamW's eps of 1e-8 makes 1e-8 of a step of it. Another batch: 1e-2.
SAME = 1e-6


@pytest.fixture
def written(plain, tmp_path):
    """Odd batches (the shares differ by a shower), checkpoints inside of epochs."""
    plain |= {"batch_size": 255, "steps": 20, "checkpoint_every": 7, "dtype": "float64"}
    del plain["epochs"]
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(plain))
    return path


@pytest.fixture
def written_shape(plain_shape, tmp_path):
    plain_shape |= {"batch_size": 63, "steps": 10, "dtype": "float64"}
    del plain_shape["epochs"]
    path = tmp_path / "shape.yaml"
    path.write_text(yaml.safe_dump(plain_shape))
    return path


@pytest.mark.parametrize("kind", ["written", "written_shape"])
def test_two_processes_learn_what_one_learns(kind, request, tmp_path):
    written = request.getfixturevalue(kind)
    done = torchrun("train", "-c", written, "-o", tmp_path / "two")
    assert done.stdout.count("nats per held-out shower") == 1  # one process speaks
    assert "deprecated" not in done.stderr
    one = train(load_config(written), tmp_path / "one")
    for together, alone in zip(curve(tmp_path / "two"), curve(one.folder), strict=True):
        assert together == pytest.approx(alone, rel=SAME)


def test_two_processes_go_on_where_one_was_stopped(written, tmp_path):
    config = TrainConfig.load(written)
    whole = train(config, tmp_path / "whole")
    stop_at_checkpoint(config, tmp_path / "begun")
    torchrun("train", "-c", written, "-o", tmp_path / "begun", "--resume")
    assert curve(tmp_path / "begun")[-1] == pytest.approx(curve(whole.folder)[-1], rel=SAME)


def stop_at_checkpoint(config, folder):
    """Leave a run folder as a process does that is killed after its first checkpoint."""

    written = run.write_state

    def write_and_die(path, state):
        written(path, state)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "write_state", write_and_die)
        with pytest.raises(KeyboardInterrupt):
            train(config, folder)


def test_more_processes_than_showers_in_a_batch_are_refused(config, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "500")
    with pytest.raises(ConfigError, match="500 processes share batches of 256"):
        launch(config)
