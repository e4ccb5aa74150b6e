"""Trainings of voxels: the loss is the likelihood, it falls, and nothing wrong is learnt from."""

import h5py
import numpy as np
import pytest
import torch

from fastcaloq_infer import data, memory
from fastcaloq_infer.errors import ConfigError, InputError, ModelError
from fastcaloq_infer.flow.shape import CouplingShapeFlow, ShapeFlow
from fastcaloq_infer.training import (
    ShapeTrainConfig,
    TrainConfig,
    load_config,
    load_flow,
    load_shape,
    train,
)
from fastcaloq_infer.training.build import describe, initial_flow
from fastcaloq_infer.training.data import read_training_set
from fastcaloq_infer.training.objective import ShapeLikelihood
from fastcaloq_infer.training.trainer import Trainer

KINDS = {
    "autoregressive": {"units": 1, "context": 2, "head": 4, "bins": 3},
    "coupling": {"kind": "coupling", "n_blocks": 2, "hidden": [8], "bins": 3},
}


def begin(config):
    showers = read_training_set(config)
    return initial_flow(config, describe(config, showers), showers), showers


def trainer_of(config):
    flow, showers = begin(config)
    return Trainer(config, flow, showers.train, showers.validation)


@pytest.mark.parametrize(
    ("kind", "built"), [("autoregressive", ShapeFlow), ("coupling", CouplingShapeFlow)]
)
def test_the_loss_is_the_negative_log_likelihood(plain_shape, kind, built):
    config = ShapeTrainConfig.from_dict(plain_shape | {"shape": KINDS[kind], "dtype": "float64"})
    flow, showers = begin(config)
    assert isinstance(flow, built)
    with torch.no_grad():
        for parameter in flow.parameters():  # away from where it starts
            parameter.add_(0.1 * torch.randn_like(parameter))
    few = showers.train
    objective = ShapeLikelihood(flow)
    rows = objective.prepare(few, torch.Generator().manual_seed(5))
    if kind == "autoregressive":
        expected = flow.log_prob(few.voxels, few.incident_energy, few.eta)
    else:
        noise = torch.Generator().manual_seed(5)
        expected = flow.log_prob(few.voxels, few.incident_energy, few.eta, noise)
    # the same sums over 368 voxels of order 10 in another order
    torch.testing.assert_close(objective(*rows), -expected, rtol=1e-12, atol=1e-11)


def test_training_on_geant4_lowers_the_held_out_likelihood(plain_shape):
    trainer = trainer_of(ShapeTrainConfig.from_dict(plain_shape | {"epochs": 6}))
    before = trainer.validation_nll()
    trainer.run()
    # 24 steps gain some 40 of 900 nats over the frequencies and spreads that it starts from.
    assert trainer.history.best.validation_nll < before - 10.0


def test_rows_without_noise_are_prepared_once(plain_shape, monkeypatch):
    calls = []
    prepare = ShapeLikelihood.prepare

    def counting(self, showers, generator):
        calls.append(len(showers))
        return prepare(self, showers, generator)

    monkeypatch.setattr(ShapeLikelihood, "prepare", counting)
    trainer_of(ShapeTrainConfig.from_dict(plain_shape)).run()
    assert calls == [30, 270]  # held out, learnt from
    calls.clear()
    plain_shape["shape"] = plain_shape["shape"] | {"symmetry": "rotations"}
    trainer_of(ShapeTrainConfig.from_dict(plain_shape)).run()
    assert calls == [30, 270, 270, 270]  # turned anew in each of three epochs


def test_a_run_is_loaded_from_folder_files_and_checkpoint(shape_config, tmp_path, equal_bits):
    done = train(shape_config, tmp_path / "run")
    assert load_config(tmp_path / "run" / "config.yaml").shape == shape_config.shape
    assert done.metadata.training.data[0].showers == 300
    assert done.metadata.shape == shape_config.shape
    for source in ("", "model.safetensors", "checkpoint.pt"):
        flow, metadata = load_shape(tmp_path / "run" / source)
        assert equal_bits(flow.state_dict(), done.flow.state_dict())
        assert metadata.kind == "shape_flow"
        assert metadata.particle == "photon"


def test_a_flow_of_the_other_kind_is_refused_in_a_line(shape_config, config, tmp_path):
    train(shape_config, tmp_path / "shape")
    train(config, tmp_path / "energy")
    for source in ("", "model.safetensors", "checkpoint.pt"):
        for load, folder, needed in (
            (load_flow, "shape", "one of layer energies is needed"),
            (load_shape, "energy", "one of voxels, given layer energies is needed"),
        ):
            with pytest.raises(ModelError, match=needed) as caught:
                load(tmp_path / folder / source)
            assert "\n" not in str(caught.value)
    with pytest.raises(ModelError, match=r"has no shape\.safetensors, so no voxels"):
        load_shape("photon_energy")
    with pytest.raises(ModelError, match="neither a run folder"):
        load_shape("nothing_like_it")
    with pytest.raises(ConfigError, match="is for whole showers"):
        TrainConfig.load(tmp_path / "shape" / "config.yaml")
    with pytest.raises(ConfigError, match="is for layer energies"):
        ShapeTrainConfig.load(tmp_path / "energy" / "config.yaml")


def changed(voxel_file, path, change):
    path.write_bytes(voxel_file.read_bytes())
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def spoil(file):
    file["showers"][7, 40] = np.nan


def narrow(file):
    voxels = file["showers"][:, :-1]
    del file["showers"]
    file["showers"] = voxels


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (spoil, r"row 7: voxel 40 \(layer 1, .*\) holds nan MeV"),
        (narrow, "367"),
    ],
)
def test_bad_voxel_files_are_refused(voxel_file, plain_shape, tmp_path, change, words):
    plain_shape["data"]["train"] = str(changed(voxel_file, tmp_path / "bad.hdf5", change))
    with pytest.raises(InputError, match=words) as caught:
        read_training_set(ShapeTrainConfig.from_dict(plain_shape))
    assert "\n" not in str(caught.value)


def test_files_without_voxels_or_of_another_particle_are_refused(plain_shape, shower_file):
    plain_shape["data"]["train"] = str(shower_file)
    with pytest.raises(InputError, match=r"layer energies only, .* learns from voxels"):
        read_training_set(ShapeTrainConfig.from_dict(plain_shape))
    pions = {"particle": "pion", "data": {"binning": "dataset-1-pions"}}
    for kind, plain in ((ShapeTrainConfig, plain_shape), (TrainConfig, {"name": "a", "steps": 1})):
        with pytest.raises(ConfigError, match="packaged showers are photons, not pions"):
            read_training_set(kind.from_dict(plain | pions))


@pytest.mark.parametrize(
    ("free", "words"),
    [(10_000, "the voxels of its 300 showers need"), (600_000, "270 showers as a training sees")],
)
def test_showers_that_do_not_fit_in_memory_are_refused(shape_config, monkeypatch, free, words):
    monkeypatch.setattr(memory, "available_memory", lambda: free)
    with pytest.raises(InputError, match=rf"{words}.* GiB of memory, of which 0\.0 GiB are avail"):
        trainer_of(shape_config).start_epoch()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"shape": {"unit": 3}}, r"unknown key 'shape\.unit' \(did you mean 'shape\.units'\?\)"),
        ({"shape": {"kind": "coupling", "n_bloks": 3}}, r"did you mean 'shape\.n_blocks'"),
        ({"shape": {"kind": "coupling", "stride": 3}}, r"unknown key 'shape\.stride' \(known here"),
        ({"shape": {"kind": "diffusion"}}, "autoregressive"),
        ({"flow": {}}, "unknown key 'flow'"),
        ({"preprocessing": {}}, "unknown key 'preprocessing'"),
    ],
)
def test_keys_of_another_kind_are_refused(plain_shape, changes, words):
    with pytest.raises(ConfigError, match=words) as caught:
        ShapeTrainConfig.from_dict(plain_shape | changes)
    assert "\n" not in str(caught.value)


def test_the_shipped_shape_configurations_load(monkeypatch):
    for name, voxels in (("photon_shape", 368), ("pion_shape", 533), ("photon_shape_small", 368)):
        config = load_config(name)
        assert isinstance(config, ShapeTrainConfig)
        assert data.binning(config.data.binning).n_voxels == voxels
    assert isinstance(load_config("pion_energy"), TrainConfig)
