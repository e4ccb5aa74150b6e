"""Several circuits at once: values and gradients of PennyLane's, one by one."""

from __future__ import annotations

import copy

import pytest
import torch

from fastcaloq_infer.errors import ConfigError, InputError
from fastcaloq_infer.quantum import ENCODINGS, Circuit, ContractedCircuit
from fastcaloq_infer.quantum.bank import CircuitBank, contracted_together
from fastcaloq_infer.quantum.execution import Execution
from fastcaloq_infer.quantum.fusion import compile_circuit
from fastcaloq_infer.quantum.reference_bank import ReferenceBank

TOLERANCE = 1e-12  # 10^3 rounded operations on numbers of order 1; measured at most 2e-13


def _bank(count: int = 2, **fields) -> CircuitBank:
    torch.manual_seed(3)
    bank = CircuitBank(Circuit(n_inputs=4, **fields), count).double()
    with torch.no_grad():  # every qubit sees every input, every circuit otherwise
        bank.input_weights += 0.4 * torch.randn_like(bank.input_weights)
    return bank


def _inputs(rows: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    return 2 * torch.rand(rows, 4, dtype=torch.float64, generator=generator) - 1


def _values_and_gradients(module, c):
    c = c.clone().requires_grad_()
    features = module(c)
    generator = torch.Generator().manual_seed(9)
    cotangent = torch.randn(features.shape, dtype=torch.float64, generator=generator)
    inputs = [c, module.weights, module.input_weights]
    return [features.detach(), *torch.autograd.grad((features * cotangent).sum(), inputs)]


@pytest.mark.parametrize("rows", [5, 20], ids=["gate-by-gate", "contracted"])
@pytest.mark.parametrize("reuploading", [False, True])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_values_and_gradients_are_pennylanes(encoding: str, reuploading: bool, rows: int) -> None:
    bank = _bank(n_qubits=3, encoding=encoding, reuploading=reuploading, observables="z_zz")
    reference = ReferenceBank(bank.circuit, 2, Execution(diff_method="backprop")).double()
    reference.load_state_dict(bank.state_dict())
    c = _inputs(rows)
    expected = _values_and_gradients(reference, c)
    assert expected[0].shape == (rows, 2 * bank.circuit.n_features)
    for got, want in zip(_values_and_gradients(bank, c), expected, strict=True):
        assert got.shape == want.shape
        assert (got - want).abs().max() < TOLERANCE


def test_a_bank_is_its_circuits_side_by_side() -> None:
    bank = _bank(count=3, n_qubits=4)
    c = _inputs(50)
    alone = []
    for g in range(3):
        circuit = ContractedCircuit(bank.circuit).double()
        circuit.load_state_dict({name: value[g] for name, value in bank.state_dict().items()})
        alone.append(circuit(c))
        frozen = torch.from_numpy(bank.constants()[g].evaluate(c.numpy()))
        assert (frozen - alone[-1]).abs().max() < TOLERANCE
    assert (bank(c) - torch.cat(alone, dim=1)).abs().max() < TOLERANCE


def test_banks_contracted_together_are_the_same_bits_as_alone() -> None:
    banks = [_bank(count, n_qubits=3) for count in (1, 2)]
    torch.nn.init.uniform_(banks[1].weights)
    c = _inputs(30)
    alone = [_values_and_gradients(bank, c) for bank in banks]
    with contracted_together(banks, len(c), c.dtype):
        together = [_values_and_gradients_kept(bank, c) for bank in banks]
    for one, other in zip(alone, together, strict=True):
        for got, want in zip(one, other, strict=True):
            assert torch.allclose(got, want, rtol=0, atol=1e-14)
    assert torch.equal(banks[0](c), alone[0][0])  # nothing is left behind


def _values_and_gradients_kept(module, c):
    """As above, with the graph of the joint contraction kept for the next bank."""
    c = c.clone().requires_grad_()
    features = module(c)
    generator = torch.Generator().manual_seed(9)
    cotangent = torch.randn(features.shape, dtype=torch.float64, generator=generator)
    inputs = [c, module.weights, module.input_weights]
    loss = (features * cotangent).sum()
    return [features.detach(), *torch.autograd.grad(loss, inputs, retain_graph=True)]


def test_float32_casts_a_float64_contraction() -> None:
    exact = _bank(n_qubits=5)
    single = copy.deepcopy(exact).float()
    exact.load_state_dict(single.state_dict())
    c = _inputs(200).float()
    single(c).square().sum().backward()
    exact(c.double()).square().sum().backward()
    # Sums of 64 products of total size 1, phases of some radians: sqrt(64) * 6e-8, a few times.
    assert (single(c) - exact(c.double())).abs().max() < 2e-6
    for got, want in zip(single.parameters(), exact.parameters(), strict=True):
        assert (got.grad - want.grad).abs().max() < 4e-6 * max(1.0, float(want.grad.abs().max()))


@pytest.mark.parametrize("name", ENCODINGS)
def test_phases_are_odd_where_there_are_no_pairs(name: str) -> None:
    """What halves the waves of an upload: phases change sign when all qubits flip."""
    program = compile_circuit(Circuit(n_qubits=3, encoding=name))
    singles = program.pattern[:3]
    assert (singles == -singles[:, ::-1]).all()


@pytest.mark.parametrize("shape", [(5,), (5, 3), (5, 4, 1)])
def test_wrong_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"pass \(B, 4\)"):
        _bank()(torch.zeros(shape))


def test_weights_of_another_ansatz_are_refused() -> None:
    bank = _bank()
    bank.weights = torch.nn.Parameter(torch.zeros(2, 2, 5))
    with pytest.raises(ConfigError, match=r"\(2, 2, 5\).*rotation_brickwork.*\(2, 18\)"):
        bank(_inputs(100))
