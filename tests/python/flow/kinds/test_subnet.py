"""Flows whose blocks ask circuits: round trips, a short training, files, refusals."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from models import random_energy_flow

from fastcaloq_infer import Sampler
from fastcaloq_infer.artefact.card import Card
from fastcaloq_infer.errors import ConfigError, InputError, ModelError
from fastcaloq_infer.export import export_flow
from fastcaloq_infer.flow.kinds.subnet import model as subnet_model
from fastcaloq_infer.flow.kinds.subnet.config import SubnetConfig
from fastcaloq_infer.flow.kinds.subnet.model import SubnetFlow
from fastcaloq_infer.training import TrainConfig
from fastcaloq_infer.training.build import build_flow, describe, initial_flow
from fastcaloq_infer.training.data import read_training_set
from fastcaloq_infer.training.metadata import ModelMetadata
from fastcaloq_infer.training.threads import torch_threads
from fastcaloq_infer.training.trainer import Trainer


def _random(quantum: dict[str, Any], **flow: Any) -> tuple[SubnetFlow, ModelMetadata]:
    """A flow with weights as of a training, in float64."""
    _, metadata = random_energy_flow(5, kind="none", **{"n_blocks": 3, "bins": 8, **flow})
    metadata = metadata.model_copy(update={"quantum": SubnetConfig(**{"n_qubits": 4, **quantum})})
    torch.manual_seed(2)
    flow = build_flow(metadata)
    with torch.no_grad():
        for parameter in flow.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return flow.eval(), metadata


KINDS = {
    "separate": {},
    "shared": {"networks": "shared", "observables": "z_zz"},
    "iqp": {"encoding": "iqp", "n_qubits": 3},
    "re-uploading": {"reuploading": True, "networks": "shared"},
}


@pytest.mark.parametrize("transform", ["spline", "affine"])
@pytest.mark.parametrize("quantum", KINDS.values(), ids=KINDS)
def test_latents_come_back(quantum: dict[str, Any], transform: str) -> None:
    flow, _ = _random(quantum, transform=transform)
    generator = torch.Generator().manual_seed(1)
    z = torch.randn(300, 5, dtype=torch.float64, generator=generator)
    condition = 2 * torch.rand(300, 2, dtype=torch.float64, generator=generator) - 1
    # Numbers up to 6 (the spline's square) are rounded some ten times in each of three blocks,
    # whose slopes of up to 3 carry it on.
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 6e-6)):
        blocks = flow.blocks.to(dtype)
        given = z.to(dtype)
        x, minus = blocks.inverse(given, condition.to(dtype))
        back, log_abs_det = blocks(x, condition.to(dtype))
        assert (back - given).abs().max() < tolerance
        assert (back - given).abs().mean() < tolerance / 6
        assert (log_abs_det + minus).abs().max() < 5 * tolerance


def test_a_flow_starts_as_the_identity() -> None:
    _, metadata = _random({})
    flow = build_flow(metadata)
    x = torch.randn(20, 5, dtype=torch.float64)
    z, log_abs_det = flow.blocks(x, torch.zeros(20, 2, dtype=torch.float64))
    assert log_abs_det.abs().max() < 1e-12
    assert (z.sort(dim=1).values - x.sort(dim=1).values).abs().max() < 1e-12


def test_frozen_circuits_stay_and_are_counted() -> None:
    _, metadata = _random({"trainable": False})
    flow = build_flow(metadata)
    assert isinstance(flow, SubnetFlow)
    circuit = flow.subnets[0].circuits.circuit
    assert flow.n_conditioner == 3 * 3 * circuit.n_parameters
    frozen = sum(p.numel() for p in flow.parameters() if not p.requires_grad)
    assert frozen == flow.n_conditioner


def test_perceptrons_of_the_shipped_rival_have_as_many_numbers() -> None:
    _, metadata = _random({})
    counts = []
    for name in ("subnet", "subnet_classical"):
        config = TrainConfig.load(name)
        sections = {"quantum": config.quantum, "flow": config.flow}
        flow = build_flow(metadata.model_copy(update=sections))
        counts.append(sum(p.numel() for p in flow.parameters()))
    assert abs(counts[0] - counts[1]) < 0.005 * counts[0]


@pytest.mark.parametrize("transform", ["spline", "affine"])
@pytest.mark.parametrize("quantum", KINDS.values(), ids=KINDS)
def test_exported_it_keeps_its_showers(quantum: dict[str, Any], transform: str, tmp_path) -> None:
    flow, metadata = _random(quantum, transform=transform)
    result = export_flow(flow, metadata, tmp_path / "model.onnx")
    assert result.parity_error < 1
    assert result.check_error < 1
    section = result.card.flow.subnet
    assert section is not None
    assert section.circuit.n_inputs == 4
    assert section.networks == len(flow.subnets[0].readouts)
    assert result.card.flow.hidden == ()
    assert Card.from_json(result.card.to_json()) == result.card
    # Loading has already held the engine to the parity vectors; here are showers of other energies.
    energy = np.geomspace(300.0, 60_000.0, 40)
    native, reference = (
        Sampler(result.path, engine=engine).sample(energy, seed=3).layer_energy.astype(float)
        for engine in ("native", "onnxruntime")
    )
    tolerance = result.card.parity.relative_tolerance * native.sum(axis=1, keepdims=True)
    assert (np.abs(native - reference) <= tolerance + 1e-3).all()


def test_it_cannot_be_served(tmp_path) -> None:
    flow, metadata = _random({})
    with pytest.raises(InputError, match="coordinates of each shower"):
        export_flow(flow, metadata, tmp_path / "model.onnx", conditioning="served")


def test_a_card_that_contradicts_itself_is_refused(tmp_path) -> None:
    flow, metadata = _random({})
    text = export_flow(flow, metadata, tmp_path / "model.onnx").card.to_json()
    for before, after, message in (
        ('"n_inputs":4', '"n_inputs":5', "2 passive coordinates and 2 conditions .* 5 inputs"),
        ('"hidden":[],"subnet"', '"hidden":[8],"subnet"', "no hidden layers"),
        ('"coordinate_scale"', '"coordinate_scales"', "unknown key|coordinate_scale"),
    ):
        assert before in text
        with pytest.raises(ModelError, match=message):
            Card.from_json(text.replace(before, after))


def test_circuits_beyond_memory_are_refused(monkeypatch) -> None:
    monkeypatch.setattr(subnet_model, "available_memory", lambda: 2**33)
    with pytest.raises(ConfigError, match=r"9 circuits of 14 qubits take [\d,.]+ GB") as caught:
        _random({"n_qubits": 14})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"encoding": "amplitude"}, "encoding = 'amplitude' .*choose one of angle_y"),
        ({"ansatz": "ring"}, "ansatz = 'ring' .*choose one of rotation_ring"),
        ({"n_inputs": 2}, "unknown key 'n_inputs'"),
        ({"networks": "two"}, "networks = 'two'"),
        ({"coordinate_scale": 0}, "coordinate_scale = 0 .*greater than 0"),
    ],
)
def test_mistakes_are_one_line(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        SubnetConfig(**fields)
    assert "\n" not in str(caught.value)


def test_a_short_training_gains_and_resumes_bit_for_bit() -> None:
    settings = [
        "data.limit=2000", "steps=24", "epochs=null", "batch_size=256", "evaluate_every=1",
        "flow.n_blocks=2", "flow.bins=4", "quantum.n_qubits=3", "threads=1",
    ]  # fmt: skip
    config = TrainConfig.load("subnet", settings)
    showers = read_training_set(config)

    def trainer() -> Trainer:
        flow = initial_flow(config, describe(config, showers), showers)
        return Trainer(config, flow, showers.train, showers.validation)

    with torch_threads(1):
        whole, first, second = trainer(), trainer(), trainer()
        before = whole.validation_nll()
        for _ in range(24):
            whole.take_step()
        for _ in range(11):
            first.take_step()
        second.load_state_dict(copy.deepcopy(first.state_dict()))
        for _ in range(13):
            second.take_step()
        assert whole.validation_nll() < before - 0.1
    states = [t.state_dict()["model"] for t in (whole, second)]
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())
    assert any("circuits.weights" in name for name in states[0])
