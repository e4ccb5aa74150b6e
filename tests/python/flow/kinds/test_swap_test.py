"""Measured registers: PennyLane's values and SWAP test, exact log|det|, inverse, honest failure."""

from __future__ import annotations

import math

import pennylane as qml
import pytest
import torch
from torch import Tensor

from fastcaloq_infer.errors import ConfigError, ModelError
from fastcaloq_infer.flow.config import FlowConfig
from fastcaloq_infer.flow.kinds.swap_test import model as model_module
from fastcaloq_infer.flow.kinds.swap_test.config import SwapTestConfig
from fastcaloq_infer.flow.kinds.swap_test.measurement import Measurement
from fastcaloq_infer.flow.kinds.swap_test.model import invert, swap_test_blocks, with_fidelity
from fastcaloq_infer.flow.kinds.swap_test.preparation import overlap
from fastcaloq_infer.flow.kinds.swap_test.register import prepare, product_states
from fastcaloq_infer.flow.kinds.swap_test.solve import solve
from fastcaloq_infer.flow.transform import Composition
from fastcaloq_infer.quantum.evolution import Evolution


def _normal(*shape: int, seed: int = 9) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def _measurement(features: int = 2, size: float = 0.1, **config: object) -> Measurement:
    torch.manual_seed(4)
    made = Measurement(SwapTestConfig(**config), features, 2).double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(size * torch.randn_like(parameter))
    return made


def _gates(evolution: Evolution, angles: Tensor, wires: list[int]) -> None:
    """The circuit of an `Evolution` in PennyLane, for one sample."""
    circuit = evolution.circuit
    for upload in range(circuit.n_uploads):
        for q in range(circuit.n_qubits):
            qml.RY(angles[upload, q], wires=wires[q])
        for layer in circuit.upload_layers(upload):
            for gate in circuit.layer_gates(layer):
                assert gate.parameter is not None
                angle = evolution.weights.detach()[layer, gate.parameter]
                getattr(qml, gate.name)(angle, wires=[wires[w] for w in gate.wires])


def _prepared(measurement: Measurement, x: Tensor, context: Tensor, wires: list[int]) -> None:
    for q, value in enumerate(x[0]):
        qml.RY(torch.arccos(-torch.tanh(value / measurement.scale)), wires=wires[q])
    turns = measurement.condition(context).reshape(1, *measurement.evolution.angles_shape)
    _gates(measurement.evolution, turns[0].detach(), wires)


def test_pennylane_measures_the_same_values() -> None:
    measurement = _measurement(3)
    x, context = _normal(1, 3), _normal(1, 2, seed=3)

    @qml.qnode(qml.device("default.qubit", wires=3), interface="torch")
    def run() -> object:
        _prepared(measurement, x, context, [0, 1, 2])
        return [qml.expval(qml.PauliZ(q)) for q in range(3)]

    observation = measurement.observe(x, context)
    expected = torch.stack(list(run()))  # type: ignore[call-overload]
    torch.testing.assert_close(observation.values[0].detach(), expected, atol=1e-13, rtol=0)
    latents = -measurement.scale * torch.atanh(expected)
    torch.testing.assert_close(observation.z[0].detach(), latents, atol=1e-12, rtol=0)


def test_a_swap_test_finds_the_fidelity() -> None:
    measurement = _measurement(2)
    x, context = _normal(1, 2), _normal(1, 2, seed=3)
    observation = measurement.observe(x, context)
    angles = measurement.preparation.angles(observation.values, context)[0].detach()

    @qml.qnode(qml.device("default.qubit", wires=5), interface="torch")
    def ancilla() -> object:
        _prepared(measurement, x, context, [1, 2])
        _gates(measurement.preparation.evolution, angles, [3, 4])
        qml.Hadamard(0)
        for first, second in ((1, 3), (2, 4)):
            qml.CSWAP(wires=(0, first, second))
        qml.Hadamard(0)
        return qml.probs(wires=0)

    fidelity = measurement.fidelity(observation, context).item()
    assert fidelity < 0.999  # else it would be no test
    assert torch.as_tensor(ancilla())[0].item() == pytest.approx(0.5 * (1 + fidelity), abs=1e-13)


def test_overlap_of_known_states() -> None:
    zero, plus = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 1.0]]) / math.sqrt(2)
    state = torch.cat([zero, zero, zero]).to(torch.complex128)
    other = torch.cat([zero, plus, zero.flip(1)]).to(torch.complex128) * 1j
    expected = torch.tensor([1.0, 0.5, 0.0], dtype=torch.float64)
    torch.testing.assert_close(overlap(state, other), expected, atol=1e-7, rtol=0)


def test_preparation_starts_from_the_exact_inverse_of_a_bare_register() -> None:
    made = Measurement(SwapTestConfig(), 3, 2).double()
    with torch.no_grad():
        made.evolution.weights.zero_()
        made.preparation.evolution.weights.zero_()
    x, context = 2.0 * _normal(50, 3), _normal(50, 2)
    observation = made.observe(x, context)
    torch.testing.assert_close(observation.z, x, atol=1e-12, rtol=0)
    torch.testing.assert_close(made.learnt_inverse(x, context), x, atol=1e-12, rtol=0)
    fidelity = made.fidelity(observation, context)
    torch.testing.assert_close(fidelity, torch.ones(50).double(), atol=1e-13, rtol=0)


@pytest.mark.parametrize("value", [0.0, 3.0, -50.0, 1e4])
def test_qubits_are_normalised_wherever_the_coordinate_is(value: float) -> None:
    x = torch.tensor([[value]], dtype=torch.float64)
    qubits, slopes = prepare(x, 2.0)
    assert torch.isfinite(slopes).all()
    assert qubits.square().sum().item() == pytest.approx(1.0, abs=1e-15)
    z_value = (qubits[0, 0, 0] ** 2 - qubits[0, 0, 1] ** 2).item()
    assert z_value == pytest.approx(-math.tanh(value / 2.0), abs=1e-15)
    assert product_states(qubits).shape == (1, 2)


def _blocks(**config: object) -> Composition:
    torch.manual_seed(4)
    blocks = swap_test_blocks(
        SwapTestConfig(**config), FlowConfig(n_blocks=2, hidden=(8,), transform="affine"), 3, 2
    ).double()
    with torch.no_grad():
        for parameter in blocks.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return blocks


def test_log_abs_det_is_that_of_the_jacobian() -> None:
    blocks, x, context = _blocks(n_blocks=2), _normal(4, 3), _normal(4, 2)
    z, log_abs_det = blocks(x, context)
    also_z, also_log, fidelities = with_fidelity(list(blocks.transforms), x, context)  # type: ignore[arg-type]
    assert torch.equal(z, also_z)
    assert torch.equal(log_abs_det, also_log)
    assert fidelities.shape == (4, 2)
    for i in range(4):
        jacobian = torch.autograd.functional.jacobian(
            lambda row, i=i: blocks(row[None], context[i : i + 1])[0][0], x[i]
        )
        expected = torch.linalg.slogdet(jacobian).logabsdet
        torch.testing.assert_close(log_abs_det[i].detach(), expected, atol=1e-11, rtol=0)


def test_newton_polishes_the_learnt_inverse_to_rounding() -> None:
    blocks, x, context = _blocks(), _normal(300, 3), _normal(300, 2)
    z, log_abs_det = blocks(x, context)
    transforms = list(blocks.transforms)
    rough, _ = invert(transforms, z.detach(), context, polish=False)  # type: ignore[arg-type]
    back, found = invert(transforms, z.detach(), context)  # type: ignore[arg-type]
    assert (rough - x).abs().max() > 1e-3
    assert found.all()
    # The solver stops at 1e-11 and takes one quadratic step more; slopes are of order 1 to 10.
    torch.testing.assert_close(back, x, atol=1e-12, rtol=0)
    with torch.no_grad():
        again, minus = blocks.inverse(z, context)
    torch.testing.assert_close(again, x, atol=1e-12, rtol=0)
    torch.testing.assert_close(minus, -log_abs_det.detach(), atol=1e-10, rtol=0)


def test_what_has_no_inverse_is_said_to_have_none() -> None:
    # x^2 = z: two solutions, one, or none.
    z = torch.tensor([[4.0], [1e-30], [-1.0]], dtype=torch.float64)
    x, found = solve(
        lambda x, rows: (x.square(), 2.0 * x[:, :, None]), z, torch.ones_like(z), 60, 2.0
    )
    assert found.tolist() == [True, True, False]
    assert x[0].item() == pytest.approx(2.0, abs=1e-14)
    assert x[2].item() == 1.0  # as it was


def test_gradients_reach_every_parameter_through_density_and_drawn_showers() -> None:
    measurement, context = _measurement(3), _normal(20, 2)
    observation = measurement.observe(_normal(20, 3), context)
    loss = 1.0 - measurement.fidelity(observation, context).mean()
    loss = loss - torch.linalg.slogdet(observation.jacobian).logabsdet.mean()
    drawn, _ = measurement.inverse(_normal(20, 3, seed=2), context)
    (loss + drawn.square().mean()).backward()
    for name, parameter in measurement.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_latents_far_out_have_finite_gradients() -> None:
    # tanh rounds to 1 there, where the slope of arccos is infinite.
    measurement = _measurement(3)
    z = torch.tensor([[1e3, -1e3, 0.0]], dtype=torch.float64, requires_grad=True)
    measurement.learnt_inverse(z, _normal(1, 2)).sum().backward()
    for name, parameter in measurement.named_parameters():
        assert parameter.grad is None or torch.isfinite(parameter.grad).all(), name
    assert z.grad is not None
    assert torch.isfinite(z.grad).all()


def test_more_qubits_than_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_module, "available_memory", lambda: 10**10)
    with pytest.raises(ConfigError, match=r"45 layers need 106,\d{3},\d{3},\d{3}\.\d GB"):
        swap_test_blocks(SwapTestConfig(), FlowConfig(), 45, 2)


def test_it_learns_geant4_with_all_its_losses_and_draws(trained) -> None:  # type: ignore[no-untyped-def]
    model, gained = trained(
        quantum={"kind": "swap_test", "n_layers": 2, "preparation_layers": 2},
        loss={"likelihood": 1.0, "mmd": {"weight": 0.1, "rows": 64}},
        steps=20,
    )
    assert gained > 0.1
    energy = torch.full((100,), 4096.0, dtype=torch.float64)
    eta = torch.full_like(energy, 0.2)
    drawn = model.sample(energy, eta, torch.Generator().manual_seed(1))
    assert torch.equal(drawn, model.sample(energy, eta, torch.Generator().manual_seed(1)))
    assert (drawn >= 0).all()
    assert torch.isfinite(model.log_prob(drawn, energy, eta)).all()


def test_showers_without_inverse_are_refused(
    trained,  # type: ignore[no-untyped-def]
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, _ = trained(quantum={"kind": "swap_test", "n_layers": 1, "coupling": False}, steps=1)
    monkeypatch.setattr(Measurement, "invert", lambda self, z, context: (z, z[:, 0] < 0))
    energy = torch.full((10,), 4096.0, dtype=torch.float64)
    model.sample(energy, torch.full_like(energy, 0.2), torch.Generator().manual_seed(1))
    monkeypatch.setattr(Measurement, "invert", lambda self, z, context: (z, z[:, 0] > 99))
    with pytest.raises(ModelError, match="not univocal"):
        model.sample(energy, torch.full_like(energy, 0.2))
