"""Devices, shots and noise: what they agree on, what is known of them, what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from fastcaloq_infer import memory
from fastcaloq_infer.conditioning import QuantumConfig, build_conditioner
from fastcaloq_infer.conditioning.version import conditioner_version
from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.quantum import Circuit, ContractedCircuit, Execution, ReferenceCircuit, qnode
from fastcaloq_infer.quantum import reference as reference_module


@pytest.fixture(autouse=True)
def _double_precision():
    """PennyLane passes what some devices return through torch's default dtype, else float32."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


CIRCUIT = Circuit(n_qubits=3, n_layers=2, observables="z_zz")


def pair(circuit: Circuit = CIRCUIT, **settings) -> tuple[ContractedCircuit, ReferenceCircuit]:
    torch.manual_seed(3)
    exact = ContractedCircuit(circuit).double()
    with torch.no_grad():
        exact.input_weights += 0.4 * torch.randn_like(exact.input_weights)
    run = ReferenceCircuit(circuit, Execution(**settings)).double()
    run.load_state_dict(exact.state_dict())
    return exact, run


def conditions(rows: int = 3) -> torch.Tensor:
    random = torch.Generator().manual_seed(5)
    return 2 * torch.rand(rows, 2, dtype=torch.float64, generator=random) - 1


def values_and_gradients(module, c):
    features = module(c)
    cotangent = torch.randn(
        features.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(9)
    )
    inputs = [module.weights, module.input_weights]
    return [features.detach(), *torch.autograd.grad((features * cotangent).sum(), inputs)]


@pytest.mark.parametrize(
    ("device", "method"),
    [
        ("default.qubit", "backprop"),
        ("default.qubit", "adjoint"),
        ("default.qubit", "parameter-shift"),
        ("default.mixed", "backprop"),
        ("default.mixed", "parameter-shift"),
        ("lightning.qubit", "adjoint"),
        ("lightning.qubit", "parameter-shift"),
    ],
)
def test_devices_and_gradients_agree_with_the_contraction(device, method):
    exact, run = pair(device=device, diff_method=method)
    for got, want in zip(
        values_and_gradients(run, conditions()),
        values_and_gradients(exact, conditions()),
        strict=True,
    ):
        assert (got - want).abs().max() < 1e-10


def test_noise_is_differentiated_alike():
    settings = {"depolarising": 0.05, "readout_error": 0.02}
    first, second = (
        values_and_gradients(pair(diff_method=method, **settings)[1], conditions())
        for method in ("backprop", "parameter-shift")
    )
    for got, want in zip(first, second, strict=True):
        assert (got - want).abs().max() < 1e-10


@pytest.mark.parametrize(("p", "readout"), [(0.1, 0.0), (0.0, 0.2), (0.03, 0.01), (0.75, 0.0)])
def test_noise_on_a_product_shrinks_each_z_by_a_known_factor(p, readout):
    """A depolarising channel commutes with rotations: every gate costs 1 - 4p/3, a flip 1 - 2r."""
    circuit = Circuit(n_qubits=2, n_layers=2, ansatz="rotation_product", observables="z_zz")
    exact, run = pair(circuit, depolarising=p, readout_error=readout)
    factor = (1 - 4 * p / 3) ** 7 * (1 - 2 * readout)  # one encoding gate, three in each layer
    expected = exact(conditions()) * torch.tensor([factor, factor, factor**2], dtype=torch.float64)
    assert (run(conditions()) - expected).abs().max() < 1e-12


def test_probabilities_give_the_features():
    exact, run = pair()
    probabilities = qnode(CIRCUIT, run.execution, probabilities=True)(
        conditions(), run.input_weights, run.weights
    )
    signs = 1 - 2 * ((np.arange(8)[:, None] >> np.array([2, 1, 0])) & 1)
    expected = probabilities.detach().numpy() @ signs
    assert np.abs(exact(conditions())[:, :3].detach().numpy() - expected).max() < 1e-12


@pytest.mark.parametrize("device", ["default.qubit", "default.mixed", "lightning.qubit"])
def test_shots_follow_the_seed_and_scatter_as_they_should(device):
    exact, run = pair(device=device, shots=1000)
    _, again = pair(device=device, shots=1000)
    c = conditions(8)
    try:
        torch.manual_seed(1)
        first, same = run(c), again(c)
        assert torch.equal(first, same)
        torch.manual_seed(2)
        other = run(c)
    finally:
        torch.manual_seed(0)
    assert not torch.equal(first, other)
    expected = exact(c)
    pull = (first - expected) / ((1 - expected**2) / 1000).sqrt()
    # 48 values, those of a circuit correlated: the mean square of a pull is 1 within 0.5.
    assert pull.square().mean().item() == pytest.approx(1.0, abs=4 * math.sqrt(2 / 24))


def test_equal_conditions_share_shots_unless_each_shower_measures():
    c = conditions(2).repeat(100, 1)
    shared, fresh = (pair(shots=10, fresh_shots=fresh)[1](c) for fresh in (False, True))
    assert torch.equal(shared[0::2], shared[0].expand(100, -1))
    assert len(torch.unique(fresh[0::2], dim=0)) > 10


def test_many_rows_are_evaluated_in_parts(monkeypatch):
    exact, _ = pair()
    monkeypatch.setattr(reference_module, "_AT_ONCE", 16 * 8 * 4)  # four states of three qubits
    _, run = pair()
    c = conditions(10)
    assert (run(c) - exact(c)).abs().max() < 1e-12
    _, run = pair(shots=50, fresh_shots=True)
    measured = run(conditions(1).repeat(8, 1))
    assert not torch.equal(measured[:4], measured[4:])  # not the same numbers twice


def test_a_conditioner_runs_with_noise_on_the_weights_of_an_exact_one():
    exact = build_conditioner(QuantumConfig(n_qubits=3)).double()
    config = QuantumConfig(n_qubits=3, depolarising=0.01)
    noisy = build_conditioner(config).double()
    noisy.load_state_dict(exact.state_dict(), strict=True)
    difference = (noisy(conditions()) - exact(conditions())).abs().max()
    assert 1e-4 < difference < 0.2  # (1 - 4p/3)^n of up to 15 gates in a light cone
    assert conditioner_version(noisy, config) != conditioner_version(
        exact, QuantumConfig(n_qubits=3)
    )
    with pytest.raises(ConfigError, match="runs with shots or noise"):
        noisy.export_constants()
    named = build_conditioner(QuantumConfig(n_qubits=3, device="lightning.qubit")).double()
    named.load_state_dict(exact.state_dict(), strict=True)
    c = conditions().numpy()
    ours, theirs = (layer.export_constants().evaluate(c) for layer in (exact, named))
    assert np.abs(ours - theirs).max() < 1e-12


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"shots": 100, "diff_method": "backprop"}, "backprop differentiates a state"),
        ({"shots": 100, "diff_method": "adjoint"}, "adjoint differentiates a state"),
        ({"depolarising": 0.1, "diff_method": "adjoint"}, "cannot be undone"),
        ({"device": "default.mixed", "diff_method": "adjoint"}, "cannot be undone"),
        ({"device": "lightning.qubit", "depolarising": 0.1}, "holds no density matrix"),
        ({"depolarising": -0.1}, r"depolarising = -0\.1"),
        ({"readout_error": 1.5}, r"readout_error = 1\.5"),
        ({"shots": 0}, "shots = 0"),
        ({"diff_method": "magic"}, "diff_method = 'magic'"),
        ({"kind": "classical", "shots": 10}, "there is no circuit"),
        ({"kind": "none", "device": "default.qubit"}, "there is no circuit"),
    ],
)
def test_settings_that_exclude_each_other_are_refused(settings, words):
    with pytest.raises(ConfigError, match=words) as caught:
        QuantumConfig(**settings)
    assert "\n" not in str(caught.value)


def test_what_the_machine_cannot_run_is_refused(monkeypatch):
    with pytest.raises(ConfigError, match=r"'no\.such' is not installed"):
        build_conditioner(QuantumConfig(device="no.such"))
    monkeypatch.setattr(reference_module, "available_memory", lambda: 2**30)
    with pytest.raises(ConfigError, match=r"3 density matrices of 14 qubits take 12\.9 GB"):
        build_conditioner(QuantumConfig(n_qubits=14, depolarising=0.01))
    assert memory.available_memory is not reference_module.available_memory
