"""Snapshots of a training, and what is made of them."""

import json
import time

import numpy as np
import pytest
import torch

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.progress import silent
from fastcaloq_infer.inspection import look as looking
from fastcaloq_infer.inspection.look import look
from fastcaloq_infer.inspection.write import write_inspection
from fastcaloq_infer.training import TrainConfig, train
from fastcaloq_infer.training.recorder import planned_steps, snapshot_paths
from fastcaloq_infer.training.sections import InspectionConfig
from fastcaloq_infer.training.snapshot import Snapshot

SETTINGS = {
    "name": "small",
    "particle": "photon",
    "seed": 3,
    "data": {"limit": 1200, "validation_fraction": 0.2},
    "flow": {"n_blocks": 2, "hidden": [8], "bins": 4},
    "quantum": {"n_qubits": 3, "n_layers": 1},
    "batch_size": 240,
    "steps": 12,
    "checkpoint_every": 6,
    "ema_decay": 0.8,
    "threads": 1,
    "inspection": {"every": 4, "steps": [6], "showers": 50, "conditions": 5},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    train(TrainConfig.from_dict(SETTINGS), folder)
    return folder


@pytest.fixture
def few(monkeypatch):
    """Make random circuits a matter of a moment."""
    monkeypatch.setattr(looking, "PAIRS", 20)
    monkeypatch.setattr(looking, "SAMPLES", 3)
    monkeypatch.setattr(looking, "QUBITS", (2, 3))
    monkeypatch.setattr(looking, "DEEP", 3)


def test_a_run_leaves_snapshots_at_the_planned_steps(run):
    snapshots = [Snapshot.load(path) for path in snapshot_paths(run)]
    assert [snapshot.step for snapshot in snapshots] == [4, 6, 8, 12]
    for snapshot in snapshots:
        assert snapshot.latents.shape == (50, 5)
        assert snapshot.states.shape == (5, 8)
        np.testing.assert_allclose(np.linalg.norm(snapshot.states, axis=1), 1.0, atol=1e-6)
    assert not np.array_equal(snapshots[0].latents, snapshots[-1].latents)


def test_a_resumed_run_leaves_the_same_files(run, tmp_path):
    class Killed(Exception):  # noqa: N818
        pass

    from fastcaloq_infer.training import trainer as module

    config = TrainConfig.from_dict(SETTINGS)
    original = module.Trainer.take_step

    def die_after_nine(self):
        if self.step == 9:
            raise Killed
        original(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.Trainer, "take_step", die_after_nine)
        with pytest.raises(Killed):
            train(config, tmp_path)
    assert len(snapshot_paths(tmp_path)) == 3
    train(config, tmp_path, resume=True)
    for one, other in zip(snapshot_paths(run), snapshot_paths(tmp_path), strict=True):
        assert one.name == other.name
        first, second = Snapshot.load(one), Snapshot.load(other)
        for name, array in vars(first).items():
            np.testing.assert_array_equal(array, vars(second)[name])


def test_looking_does_not_change_the_training(run, tmp_path):
    plain = {key: value for key, value in SETTINGS.items() if key != "inspection"}
    unseen = train(TrainConfig.from_dict(plain), tmp_path)
    from fastcaloq_infer.training import load_flow

    seen = load_flow(run)[0].state_dict()
    for name, tensor in unseen.flow.state_dict().items():
        assert torch.equal(tensor, seen[name])
    assert not snapshot_paths(tmp_path)


def test_snapshots_are_thinned_to_the_size_allowed():
    config = InspectionConfig(every=10, max_megabytes=1.0)
    assert planned_steps(config, 1000, 1000) == (list(range(10, 1001, 10)), 1)
    steps, thinning = planned_steps(config, 1000, 50_000)  # room for 20, one of them the last
    assert thinning == 6
    assert steps == [*range(60, 1000, 60), 1000]
    assert planned_steps(InspectionConfig(steps=(5, 2000)), 1000, 10)[0] == [5, 1000]


def test_everything_is_drawn_and_written(run, tmp_path, few):
    found = look(run, seed=1, progress=silent)
    write_inspection(tmp_path, found, silent)
    names = {"latents", "bloch", "entanglement", "features", "landscape"}
    assert {path.stem for path in tmp_path.glob("*.png")} == names
    page = (tmp_path / "inspection.html").read_text()
    assert page.count("data:image/svg+xml") == len(names)
    figures = json.loads((tmp_path / "inspection.json").read_text())
    assert [moment["step"] for moment in figures["moments"]] == [4, 6, 8, 12]
    assert 0 <= figures["moments"][-1]["entanglement"] <= 1
    assert figures["haar_entanglement"] == pytest.approx(6 / 9)
    assert len(figures["gradient_variances"]) == 4


def test_a_shipped_model_is_looked_at_as_it_is(tmp_path, few):
    found = look("photon_energy", seed=1, progress=silent)
    (moment,) = found.figures.moments
    # 2,361 held-out showers: a perfect flow's distance is about 0.02.
    assert max(moment.latent_distance) < 0.08
    assert 0.5 <= min(moment.purity) <= max(moment.purity) <= 1
    write_inspection(tmp_path, found, silent)


def test_a_damaged_snapshot_is_named(run, tmp_path):
    path = tmp_path / "step_00000001.npz"
    path.write_bytes(snapshot_paths(run)[0].read_bytes()[:200])
    with pytest.raises(InputError, match=r"step_00000001\.npz is damaged"):
        Snapshot.load(path)


def test_the_writer_does_not_keep_the_training_waiting(run, monkeypatch, tmp_path):
    slow = Snapshot.save

    def save(self, path):
        time.sleep(0.4)
        slow(self, path)

    monkeypatch.setattr(Snapshot, "save", save)
    model = train(TrainConfig.from_dict(SETTINGS), tmp_path)
    assert model.history.records[-1].seconds < 4 * 0.4  # the clock of the steps, not of the files
    assert len(snapshot_paths(tmp_path)) == 4
