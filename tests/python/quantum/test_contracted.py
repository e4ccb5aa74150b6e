"""The contracted layer by itself: known states, precision, gradients, equal rows, files."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.quantum import Circuit, ContractedCircuit
from fastcaloq_infer.quantum.distinct import distinct_rows


def _layer(**fields) -> ContractedCircuit:
    torch.manual_seed(0)
    return ContractedCircuit(Circuit(**fields))


def _spread(rows: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return (2 * torch.rand(rows, 2, dtype=torch.float64, generator=generator) - 1).to(dtype)


def _grid(rows: int) -> torch.Tensor:
    """Nine energies at one eta, as in the data."""
    generator = torch.Generator().manual_seed(2)
    energy = torch.linspace(-1, 1, 9, dtype=torch.float64)
    column = energy[torch.randint(9, (rows,), generator=generator)]
    return torch.stack([column, torch.full_like(column, 0.25)], dim=1)


@pytest.mark.parametrize("rows", [3, 100])
@pytest.mark.parametrize("encoding", ["angle_y", "angle_x"])
def test_zero_weights_give_products_of_cosines(encoding: str, rows: int) -> None:
    """With all angles zero only encoding and CNOT ring are left: each Z a parity of cosines."""
    layer = _layer(n_qubits=4, n_layers=1, ansatz="rotation_ring", encoding=encoding).double()
    torch.nn.init.zeros_(layer.weights)
    c = _spread(rows)
    cos = torch.cos(c @ layer.input_weights[0].T)
    # CNOT q -> q+1 in turn: qubit q carries the parity of 0..q; the last one closes on qubit 0.
    expected = torch.stack(
        [cos[:, 1:].prod(1), cos[:, :2].prod(1), cos[:, :3].prod(1), cos.prod(1)], dim=1
    )
    assert (layer(c) - expected).abs().max() < 1e-14


def test_zero_weights_without_entanglement_give_cosines() -> None:
    layer = _layer(n_qubits=3, ansatz="rotation_product").double()
    torch.nn.init.zeros_(layer.weights)
    c = _spread(5)
    assert (layer(c) - torch.cos(c @ layer.input_weights[0].T)).abs().max() < 1e-14


def test_re_uploading_adds_the_angles_when_the_layers_do_nothing() -> None:
    layer = _layer(n_qubits=2, n_layers=3, ansatz="rotation_product", reuploading=True).double()
    torch.nn.init.zeros_(layer.weights)
    c = _spread(5)
    assert (layer(c) - torch.cos(c @ layer.input_weights.sum(0).T)).abs().max() < 1e-14


def test_iqp_has_no_memory_of_its_phases_without_layers() -> None:
    """Diagonal phases on a uniform superposition cannot be seen in Z."""
    layer = _layer(n_qubits=3, encoding="iqp", ansatz="rotation_product").double()
    torch.nn.init.zeros_(layer.weights)
    assert layer(_spread(5)).abs().max() < 1e-14


def test_bell_state_has_a_correlation_and_no_means() -> None:
    layer = _layer(n_qubits=2, n_layers=1, ansatz="rotation_linear", observables="z_zz").double()
    torch.nn.init.zeros_(layer.weights)
    with torch.no_grad():
        layer.weights[0, 1] = np.pi / 2  # RY on qubit 0, then CNOT 0 -> 1
    features = layer(torch.zeros(1, 2, dtype=torch.float64))
    assert (features - torch.tensor([[0.0, 0.0, 1.0]])).abs().max() < 1e-15


@pytest.mark.parametrize("reuploading", [False, True])
@pytest.mark.parametrize("encoding", ["angle_y", "iqp"])
def test_gradients_against_finite_differences(encoding: str, reuploading: bool) -> None:
    layer = _layer(n_qubits=3, encoding=encoding, reuploading=reuploading).double()
    shapes = {name: p.detach().clone().requires_grad_() for name, p in layer.named_parameters()}

    for rows in (4, 12):  # gate by gate, contracted

        def call(c, *values):
            named = dict(zip(shapes, values, strict=True))
            return torch.func.functional_call(layer, named, (c,))

        c = _spread(rows).requires_grad_()
        assert torch.autograd.gradcheck(call, (c, *shapes.values()))
        assert torch.autograd.gradgradcheck(call, (c[:9], *shapes.values()))


@pytest.mark.parametrize("rows", [10, 500])
@pytest.mark.parametrize("reuploading", [False, True])
def test_float32_casts_a_float64_contraction(reuploading: bool, rows: int) -> None:
    layer = _layer(n_layers=4, reuploading=reuploading)
    c = _spread(rows, torch.float32)
    layer(c).square().sum().backward()
    exact = copy.deepcopy(layer).double()
    exact.zero_grad()
    exact(c.double()).square().sum().backward()
    # Each of up to 4 uploads rounds sums of 64 products of total size 1: 4 * sqrt(64) * 6e-8.
    assert layer(c).dtype == torch.float32
    assert (layer(c) - exact(c.double())).abs().max() < 2e-6
    for got, want in zip(layer.parameters(), exact.parameters(), strict=True):
        assert (got.grad - want.grad).abs().max() < 2e-6 * max(1.0, float(want.grad.abs().max()))


def test_a_round_trip_through_float32_keeps_the_constants_exact() -> None:
    layer = _layer(n_qubits=3).double()
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(p.float())
    before = layer(_spread(20))
    assert torch.equal(layer.float().double()(_spread(20)), before)


@pytest.mark.parametrize("rows", [64, 65, 1024])
def test_equal_rows_are_computed_once_and_exactly(rows: int, monkeypatch) -> None:
    layer = _layer().double()
    c = _grid(rows)
    seen = []
    original = layer._features
    monkeypatch.setattr(layer, "_features", lambda x: (seen.append(len(x)), original(x))[1])
    features = layer(c)
    features.sin().sum().backward()
    gradients = [p.grad.clone() for p in layer.parameters()]
    assert seen == [rows if rows == 64 else 9]
    layer.zero_grad()
    plain = layer._contracted(c)
    plain.sin().sum().backward()
    assert (features - plain).abs().max() < 1e-13
    for got, p in zip(gradients, layer.parameters(), strict=True):
        assert (got - p.grad).abs().max() < 1e-12 * rows


def test_rows_that_need_their_own_gradient_are_kept_apart() -> None:
    c = _grid(200)
    assert distinct_rows(c.clone().requires_grad_()) is None
    assert distinct_rows(_spread(1024)) is None
    found = distinct_rows(c)
    assert found is not None
    rows, index = found
    assert torch.equal(rows[index], c)


def test_steps_repeat_bit_for_bit() -> None:
    def gradient(c):
        layer = _layer().float()
        layer(c).square().sum().backward()
        return layer.weights.grad

    for c in (_grid(1024).float(), _spread(1024).float()):
        assert torch.equal(gradient(c), gradient(c))


def test_an_empty_batch_has_no_features() -> None:
    assert _layer()(torch.empty(0, 2)).shape == (0, 6)


def test_save_and_load(tmp_path) -> None:
    layer = _layer(n_qubits=3)
    torch.save(layer.state_dict(), tmp_path / "layer.pt")
    torch.manual_seed(77)
    other = ContractedCircuit(layer.circuit)
    c = _spread(20).float()
    assert not torch.equal(other(c), layer(c))
    other.load_state_dict(torch.load(tmp_path / "layer.pt", weights_only=True))
    assert torch.equal(other(c), layer(c))
    assert sorted(layer.state_dict()) == ["input_weights", "weights"]
    assert torch.equal(copy.deepcopy(layer)(c), layer(c))


def test_features_stay_in_range_far_outside() -> None:
    features = _layer()(100 * _spread(500).float())
    assert features.isfinite().all()
    assert features.abs().max() <= 1 + 1e-5


@pytest.mark.parametrize("shape", [(5,), (5, 3), (5, 2, 1)])
def test_wrong_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"pass \(B, 2\)"):
        _layer()(torch.zeros(shape))
