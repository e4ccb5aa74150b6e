"""Conditioners: what they promise to the flow, and that the quantum one is really trained."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from fastcaloq_infer.conditioning import QuantumConfig, build_conditioner
from fastcaloq_infer.errors import ConfigError, InputError

KINDS = ["conditioner", "classical", "none", "multilinear", "fourier"]


def _conditions(rows: int = 40) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return 2 * torch.rand(rows, 2, generator=generator) - 1


@pytest.mark.parametrize("kind", KINDS)
def test_features_have_the_promised_shape_range_and_dtype(kind: str) -> None:
    conditioner = build_conditioner(QuantumConfig(kind=kind))
    for rows in (0, 1, 200):
        features = conditioner(_conditions(rows))
        assert features.shape == (rows, conditioner.n_features)
        assert features.dtype == torch.float32
        assert (features.abs() <= 1 + 1e-6).all()
    assert conditioner.double()(_conditions().double()).dtype == torch.float64
    assert conditioner.kind == kind


@pytest.mark.parametrize("kind", ["conditioner", "classical"])
@pytest.mark.parametrize("extra", [{}, {"encoding": "iqp", "reuploading": True, "n_qubits": 3}])
def test_constants_reproduce_the_module(kind: str, extra: dict[str, object]) -> None:
    conditioner = build_conditioner(QuantumConfig(kind=kind, **extra)).double()
    c = _conditions().double()
    constants = conditioner.export_constants()
    with torch.no_grad():
        assert np.abs(constants.evaluate(c.numpy()) - conditioner(c).numpy()).max() < 1e-12


def test_nothing_is_exported_without_conditioning() -> None:
    assert build_conditioner(QuantumConfig(kind="none")).export_constants() is None


def test_classical_constants_are_row_vector_matrices() -> None:
    constants = build_conditioner(QuantumConfig(kind="classical")).export_constants()
    assert [w.shape for w in constants.weights] == [(2, 5), (5, 6)]
    assert [b.shape for b in constants.biases] == [(5,), (6,)]


@pytest.mark.parametrize("n_qubits", [4, 6, 8])
@pytest.mark.parametrize("n_layers", [1, 2, 6])
def test_classical_matches_the_circuit_in_parameters(n_qubits: int, n_layers: int) -> None:
    fields = {"n_qubits": n_qubits, "n_layers": n_layers}
    quantum = build_conditioner(QuantumConfig(**fields))
    classical = build_conditioner(QuantumConfig(kind="classical", **fields))
    assert quantum.n_features == classical.n_features
    # One hidden unit more or less changes the count by n_inputs + 1 + n_features.
    step = 3 + quantum.n_features
    assert abs(quantum.n_parameters - classical.n_parameters) <= step / 2
    assert quantum.n_parameters == QuantumConfig(**fields).n_parameters
    assert build_conditioner(QuantumConfig(kind="none", **fields)).n_parameters == 0
    fourier = build_conditioner(QuantumConfig(kind="fourier", **fields))
    assert fourier.n_features == quantum.n_features
    assert (fourier.n_parameters, fourier.n_trained) == (3 * n_qubits, 0)


@pytest.mark.parametrize("kind", ["conditioner", "classical", "multilinear", "fourier"])
def test_save_and_load(kind: str, tmp_path) -> None:
    first, second = (build_conditioner(QuantumConfig(kind=kind)) for _ in range(2))
    c = _conditions()
    assert not torch.equal(first(c), second(c))
    torch.save(first.state_dict(), tmp_path / "c.pt")
    second.load_state_dict(torch.load(tmp_path / "c.pt", weights_only=True))
    assert torch.equal(first(c), second(c))


class _Toy(nn.Module):
    """Gaussian whose mean is a fixed random linear function of the features."""

    def __init__(self, conditioner: nn.Module) -> None:
        super().__init__()
        self.conditioner = conditioner
        generator = torch.Generator().manual_seed(4)
        self.register_buffer("readout", torch.randn(conditioner.n_features, 2, generator=generator))

    def nll(self, x: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
        mean = self.conditioner(c) @ self.readout
        return (0.5 * ((x - mean) / 0.2) ** 2).sum(1).mean()


@pytest.mark.parametrize("reuploading", [False, True])
@pytest.mark.parametrize("name", ["rotation_ring", "rotation_brickwork", "strongly_entangling"])
def test_the_likelihood_falls_when_only_the_circuit_is_free(name: str, reuploading: bool) -> None:
    torch.manual_seed(8)
    config = QuantumConfig(ansatz=name, reuploading=reuploading)
    model = _Toy(build_conditioner(config))
    energy = torch.linspace(-1, 1, 9).repeat(30)
    c = torch.stack([energy, torch.zeros_like(energy)], dim=1)
    x = torch.stack([torch.tanh(2 * energy), 0.5 * energy**2], dim=1)
    x = x + 0.2 * torch.randn(x.shape)
    names = [n for n, _ in model.named_parameters()]
    assert names == ["conditioner.circuit.input_weights", "conditioner.circuit.weights"]
    start = {n: p.detach().clone() for n, p in model.named_parameters()}
    optimiser = torch.optim.Adam(model.parameters(), lr=0.05)
    before = model.nll(x, c).item()
    for _ in range(60):
        optimiser.zero_grad()
        model.nll(x, c).backward()
        optimiser.step()
    after = model.nll(x, c).item()
    for n, p in model.named_parameters():
        assert (p - start[n]).abs().max() > 0.05  # one Adam step moves a weight by at most lr
    # The noise alone costs 2 * 0.5 = 1 nat; at least half of the rest must be gone.
    assert after - 1 < 0.5 * (before - 1)


def test_mistakes_are_one_line() -> None:
    with pytest.raises(ConfigError, match=r"kind = 'quantum' .*'conditioner', 'classical', 'none'"):
        QuantumConfig(kind="quantum")
    with pytest.raises(ConfigError, match="unknown key 'qubits'"):
        QuantumConfig(qubits=6)
    with pytest.raises(InputError, match=r"pass \(B, 2\)"):
        build_conditioner(QuantumConfig(kind="classical"))(torch.zeros(3, 1))
