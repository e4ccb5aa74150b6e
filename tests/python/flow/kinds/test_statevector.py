"""Blocks through whole states: PennyLane's circuit, round trip to rounding, integral 1."""

from __future__ import annotations

import math

import pennylane as qml
import pytest
import torch
from torch import Tensor

from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.flow.config import FlowConfig
from fastcaloq_infer.flow.kinds.statevector.blocks import StateCoupling
from fastcaloq_infer.flow.kinds.statevector.config import StateVectorConfig
from fastcaloq_infer.flow.kinds.statevector.model import state_blocks
from fastcaloq_infer.flow.kinds.statevector.projection import decode, encode
from fastcaloq_infer.flow.transform import Composition, Transform


def _scattered(made: Transform, size: float = 0.2) -> Transform:
    torch.manual_seed(4)
    made = made.double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(size * torch.randn_like(parameter))
    return made


def _blocks(features: int, context: int = 2, n_blocks: int = 4, **quantum: object) -> Transform:
    made: Composition = state_blocks(
        StateVectorConfig(**quantum), FlowConfig(n_blocks=n_blocks), features, context
    )
    return _scattered(made)


def _normal(*shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(9))


def test_the_origin_is_the_empty_register_and_the_unit_sphere_the_equator() -> None:
    u = torch.cat([torch.zeros(1, 3), torch.eye(3)]).double()
    psi, log_factor = encode(u)
    assert torch.equal(psi, torch.eye(4).double())
    expected = torch.tensor([math.log(2.0), 0.0, 0.0, 0.0], dtype=torch.float64)
    torch.testing.assert_close(log_factor, expected, atol=1e-15, rtol=0)


@pytest.mark.parametrize("length", [1e-9, 1.0, 30.0, 1e5])
def test_amplitudes_are_normalised_and_read_back(length: float) -> None:
    u = length * torch.nn.functional.normalize(_normal(50, 7), dim=1)
    psi, log_factor = encode(u)
    back, log_back = decode(psi)
    torch.testing.assert_close(psi.square().sum(dim=1), torch.ones(50).double(), atol=4e-15, rtol=0)
    torch.testing.assert_close(back, u, atol=0, rtol=1e-14)
    torch.testing.assert_close(log_back, log_factor, atol=1e-14, rtol=0)


def test_the_pole_is_far_but_finite_with_finite_gradients() -> None:
    psi = torch.tensor([[-1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]], dtype=torch.float64)
    u, log_factor = decode(psi.requires_grad_())
    (u.sum() + log_factor.sum()).backward()
    assert psi.grad is not None
    for value in (u, log_factor, psi.grad):
        assert torch.isfinite(value).all()


def test_a_block_is_what_pennylane_makes_of_the_amplitudes() -> None:
    config = StateVectorConfig(n_qubits=2, n_layers=2)
    coupling = _scattered(StateCoupling(config, 5, 2, (), "relu"))
    assert isinstance(coupling, StateCoupling)
    x, context = _normal(1, 5), _normal(1, 2)
    radius = coupling.log_radius.exp().item()
    seen = torch.cat([torch.tanh(x[:, :2] / 3.0), context], dim=1)
    angles = coupling.subnet(seen).reshape(2, 2)

    @qml.qnode(qml.device("default.qubit", wires=2), interface="torch")
    def run() -> object:
        qml.AmplitudeEmbedding(encode(x[:, 2:] / radius)[0][0], wires=range(2))
        for layer in range(2):
            for q in range(2):
                qml.RY(angles[layer, q], wires=q)
            for q in range(2):
                qml.RY(coupling.evolution.weights[layer, q], wires=q)
            qml.CNOT(wires=(0, 1))
        return qml.state()

    psi = torch.as_tensor(run()).detach()
    assert psi.imag.abs().max() < 1e-15
    expected = radius * psi.real[1:] / (1.0 + psi.real[0])
    z, _ = coupling(x, context)
    torch.testing.assert_close(z[0, 2:].detach(), expected, atol=1e-13, rtol=0)
    assert torch.equal(z[0, :2], x[0, :2])


@pytest.mark.parametrize(
    ("features", "quantum"),
    [
        (5, {}),
        (7, {"n_qubits": 3}),  # no passive coordinate: the condition alone sets the angles
        (5, {"angles": "network", "dilation": True, "n_layers": 1}),
        (45, {"n_qubits": 5, "n_layers": 4, "reuploading": False}),
    ],
)
def test_round_trip_to_rounding(features: int, quantum: dict[str, object]) -> None:
    # Sixty roundings a block of numbers of order 1, each enlarged by at most (1 + |u|^2) / 2 < 10.
    blocks, context = _blocks(features, **quantum), _normal(200, 2)
    x = _normal(200, features)
    z, log_abs_det = blocks(x, context)
    back, minus = blocks.inverse(z, context)
    torch.testing.assert_close(back, x, atol=1e-12, rtol=0)
    torch.testing.assert_close(minus, -log_abs_det, atol=1e-11, rtol=0)


@pytest.mark.parametrize("dilation", [False, True])
def test_the_density_integrates_to_one(dilation: bool) -> None:
    blocks = _blocks(1, n_qubits=1, n_layers=2, dilation=dilation)
    # x = tan(v): tails fall as x^-2, so that the integrand over v is smooth and periodic.
    v = (torch.arange(4000, dtype=torch.float64) + 0.5) / 4000.0 * math.pi - 0.5 * math.pi
    x = torch.tan(v)[:, None]
    for condition in (torch.zeros(2), torch.tensor([0.9, -0.7])):
        z, log_abs_det = blocks(x, condition.double().expand(len(x), 2))
        log_density = log_abs_det - 0.5 * (z[:, 0].square() + math.log(2.0 * math.pi))
        integral = (log_density.exp() * (1.0 + x[:, 0].square())).sum() * math.pi / len(v)
        assert integral.item() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(("n_qubits", "features", "most"), [(3, 5, 2), (20, 45, 5), (2, 1, 1)])
def test_more_amplitudes_than_coordinates_are_refused(
    n_qubits: int, features: int, most: int
) -> None:
    with pytest.raises(ConfigError, match=rf"{2**n_qubits - 1} coordinates.*at most {most} qubit"):
        state_blocks(StateVectorConfig(n_qubits=n_qubits), FlowConfig(), features, 2)


def test_it_learns_geant4_and_draws(trained) -> None:  # type: ignore[no-untyped-def]
    model, gained = trained(quantum={"kind": "statevector", "n_layers": 2})
    assert gained > 0.3
    energy = torch.full((100,), 4096.0, dtype=torch.float64)
    random = torch.Generator().manual_seed(1)
    drawn = model.sample(energy, torch.full_like(energy, 0.2), random)
    assert drawn.shape == (100, 5)
    assert (drawn >= 0).all()
    assert torch.isfinite(model.log_prob(drawn, energy, torch.full_like(energy, 0.2))).all()
