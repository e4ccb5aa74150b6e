"""Trainings whose circuit runs on a device, with shots or with noise."""

import pytest
import torch

from fastcaloq_infer.export import export_flow
from fastcaloq_infer.training import TrainConfig, train
from fastcaloq_infer.training.build import describe, initial_flow
from fastcaloq_infer.training.data import read_training_set
from fastcaloq_infer.training.trainer import Trainer

CIRCUIT = {"n_qubits": 2, "n_layers": 1}


def configured(plain, **quantum):
    return TrainConfig.from_dict({**plain, "quantum": CIRCUIT | quantum})


@pytest.mark.parametrize(
    "settings",
    [{"shots": 20}, {"depolarising": 0.05}],
    ids=["shots", "noise"],
)
def test_a_resumed_training_measures_what_it_would_have_measured(plain, settings, equal_bits):
    plain = {**plain, "batch_size": 100, "steps": 3} | {"epochs": None}
    plain["data"] |= {"energies": [1024.0, 8192.0]}  # a gradient runs every condition's circuits
    config = configured(plain, **settings)
    showers = read_training_set(config)

    def fresh():
        flow = initial_flow(config, describe(config, showers), showers)
        return Trainer(config, flow, showers.train, showers.validation)

    before = fresh()._objective.flow.conditioner.circuit.weights.detach().clone()
    straight, first, second = fresh(), fresh(), fresh()
    straight.run()
    assert not torch.equal(straight._objective.flow.conditioner.circuit.weights, before)
    for _ in range(2):
        first.take_step()
    second.load_state_dict(first.state_dict())
    second.run()
    assert equal_bits(straight.ema.model.flow.state_dict(), second.ema.model.flow.state_dict())
    assert straight.history.records[-1].validation_nll == second.history.records[-1].validation_nll


def test_devices_train_alike(plain, tmp_path):
    """One step: float32 roundings do not grow yet; AdamW's first step is the gradient's sign."""
    plain = {**plain, "steps": 3, "dtype": "float64"} | {"epochs": None}
    found = {}
    for device in (None, "default.qubit", "lightning.qubit"):
        config = configured(plain, device=device)
        found[device] = train(config, tmp_path / str(device)).history.best.validation_nll
    exact = found.pop(None)
    # lightning.qubit hands gradients over in float32: 1e-7 of a step of 5e-3.
    assert all(abs(value - exact) < 1e-6 for value in found.values())


def test_what_is_measured_with_shots_is_exported_in_the_limit_of_many(plain, tmp_path):
    plain = {**plain, "steps": 1} | {"epochs": None}
    model = train(configured(plain, shots=10), tmp_path / "run")
    exported = export_flow(model.flow, model.metadata, tmp_path / "model.onnx")
    assert exported.table.relative_error < 1e-3
    assert model.flow.conditioner.execution.shots == 10  # the model in memory stays
