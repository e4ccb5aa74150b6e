"""A killed training, resumed, gives the weights of the uninterrupted one bit for bit."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from fastcaloq_infer.errors import ConfigError, InputError, ModelError, OutputError
from fastcaloq_infer.training import TrainConfig, load_config, train
from fastcaloq_infer.training.build import describe, initial_flow
from fastcaloq_infer.training.data import read_training_set
from fastcaloq_infer.training.state import read_state, write_state
from fastcaloq_infer.training.trainer import Trainer

CHILD = Path(__file__).parent / "kill.py"


def weights(folder):
    return (folder / "model.safetensors").read_bytes()


def state(folder):
    return read_state(folder / "checkpoint.pt").trainer


def without_times(records):
    return [
        {key: value for key, value in record.items() if "second" not in key} for record in records
    ]


def assert_same_run(first, second, equal_bits):
    a, b = state(first), state(second)
    for name in ("model", "ema", "best"):
        assert equal_bits(a[name], b[name])
    assert without_times(a["history"]["records"]) == without_times(b["history"]["records"])
    moments = [
        [value for group in s["optimiser"]["state"].values() for value in group.values()]
        for s in (a, b)
    ]
    assert all(torch.equal(x, y) for x, y in zip(*moments, strict=True))
    for key in ("step", "losses", "skipped_steps", "ema_updates"):
        assert a[key] == b[key]


@pytest.fixture(params=["layer energies", "voxels", "turned voxels"])
def written(request, plain, plain_shape, tmp_path):
    """Configuration on disk with checkpoints inside and at the ends of epochs."""
    if request.param != "layer energies":
        plain = plain_shape | {"batch_size": 20}  # 13 steps an epoch
        plain["shape"]["symmetry"] = "rotations" if "turned" in request.param else "none"
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(plain | {"checkpoint_every": 5, "epochs": 3}))
    return path


def child(written, folder, fatal=0):
    return [sys.executable, "-W", "error", str(CHILD), str(written), str(folder), str(fatal)]


def test_killed_twice_and_resumed_it_ends_in_the_same_bits(written, tmp_path, equal_bits):
    config = load_config(written)
    straight = train(config, tmp_path / "straight").folder
    killed = tmp_path / "killed"
    # first in the middle of writing the third checkpoint: the second one stays whole
    done = subprocess.run(child(written, killed, fatal=3), check=False)
    assert done.returncode == -signal.SIGKILL
    assert state(killed)["step"] == 10
    assert list(killed.glob(".checkpoint.pt.*"))  # the half-written one, under another name
    # then wherever the clock says, after it has gone on by a checkpoint at least
    process = subprocess.Popen(child(written, killed))
    while state(killed)["step"] == 10 and process.poll() is None:
        time.sleep(0.002)
    time.sleep(random.uniform(0.0, 0.15))
    process.kill()
    assert process.wait() in (-signal.SIGKILL, 0)
    train(config, killed, resume=True)
    assert_same_run(straight, killed, equal_bits)
    ours, theirs = (load_file(folder / "model.safetensors") for folder in (straight, killed))
    assert equal_bits(ours, theirs)


@pytest.mark.parametrize("stop", [1, 7, 14, 20])
def test_state_restores_exactly_at_every_place(config, equal_bits, stop):
    """Start, inside an epoch, end of an epoch, inside the next."""
    showers = read_training_set(config)

    def fresh():
        flow = initial_flow(config, describe(config, showers), showers)
        return Trainer(config, flow, showers.train, showers.validation)

    straight, first = fresh(), fresh()
    straight.run()
    for _ in range(stop):
        first.take_step()
    second = fresh()
    for _ in range(3):  # a state of its own that has to go
        second.take_step()
    saved = first.state_dict()
    second.load_state_dict(saved)
    looks = {}
    second.run(on_look=lambda t: looks.update({t.step: t.history.records[-1].validation_nll}))
    assert equal_bits(straight.ema.model.flow.state_dict(), second.ema.model.flow.state_dict())
    for record in straight.history.records:
        if record.step > stop:
            assert looks[record.step] == record.validation_nll


@pytest.fixture
def finished(config, tmp_path):
    return train(config, tmp_path / "run").folder


def test_a_changed_configuration_is_refused_by_key(plain, finished):
    plain["optimiser"]["lr"] = 1e-3
    plain["flow"]["bins"] = 5
    with pytest.raises(ConfigError) as caught:
        train(TrainConfig.from_dict(plain), finished, resume=True)
    message = str(caught.value)
    assert "flow.bins (was 4, is 5)" in message
    assert "optimiser.lr (was 0.005, is 0.001)" in message
    assert "seed" not in message


def test_moved_data_and_other_checkpoint_habits_are_accepted(plain, finished, shower_file):
    moved = finished.parent / "elsewhere.hdf5"
    moved.write_bytes(shower_file.read_bytes())
    plain["data"]["train"] = str(moved)
    plain["checkpoint_every"] = 3
    before = state(finished)["step"]
    train(TrainConfig.from_dict(plain), finished, resume=True)
    assert state(finished)["step"] == before


def test_other_showers_are_refused(plain, finished, other_file):
    plain["data"]["train"] = str(other_file)
    with pytest.raises(InputError, match="is not the file the training began with"):
        train(TrainConfig.from_dict(plain), finished, resume=True)


def test_a_finished_run_stays_as_it_is(config, finished):
    before = weights(finished)
    train(config, finished, resume=True)
    assert weights(finished) == before


def test_a_run_is_not_overwritten(config, finished):
    with pytest.raises(OutputError, match="holds a training already"):
        train(config, finished)


def test_resuming_where_nothing_is_starts(config, tmp_path):
    assert train(config, tmp_path / "new" / "run", resume=True).history.records


def test_a_damaged_checkpoint_is_refused(config, finished):
    path = finished / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(ModelError, match="damaged"):
        train(config, finished, resume=True)


def test_a_full_disk_keeps_the_checkpoint_before(finished, monkeypatch):
    path = finished / "checkpoint.pt"
    before = path.read_bytes()

    def full(self, content):
        with self.open("wb") as stream:
            stream.write(content[:1000])
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="the disk is full"):
        write_state(path, read_state(path))
    assert path.read_bytes() == before
    assert sorted(file.name for file in finished.iterdir()) == [
        "checkpoint.pt", "config.yaml", "history.json", "learning_curve.png", "model.safetensors",
    ]  # fmt: skip
