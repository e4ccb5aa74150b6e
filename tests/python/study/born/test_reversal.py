"""What a measurement leaves of the input: known for the identity and for random unitaries."""

import math

import pytest
import torch

from fastcaloq_infer.quantum import Circuit
from fastcaloq_infer.quantum.born import BornCircuit
from fastcaloq_infer.study.born.reversal import haar_nats, reverse

CONDITION = torch.tensor([0.3, -0.2], dtype=torch.float64)


def circuit(n_qubits: int = 5, n_layers: int = 1, spread: float = 1.0, **options) -> BornCircuit:
    torch.manual_seed(1)
    described = Circuit(n_qubits=n_qubits, n_layers=n_layers, ansatz="strongly_entangling")
    return BornCircuit(described, spread=spread, **options).double()


def test_a_permutation_keeps_everything() -> None:
    """All angles 0 leave CNOTs: a bijection of basis states."""
    model = circuit()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    found = reverse(model, CONDITION, 32, seed=1)
    assert found["kept"] == pytest.approx(5 * math.log(2), abs=1e-12)
    assert found["back"] == pytest.approx(1.0, abs=1e-12)
    assert found["own_entropy"] == pytest.approx(0.0, abs=1e-12)


def test_a_fourier_transform_keeps_nothing() -> None:
    model = circuit(output="qft")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    found = reverse(model, CONDITION, 32, seed=1)
    assert found["kept"] == pytest.approx(0.0, abs=1e-12)
    assert found["back"] == pytest.approx(2.0**-5, abs=1e-12)


def test_a_deep_circuit_keeps_what_a_random_unitary_does() -> None:
    """Entropies of 256 outcomes scatter by about sqrt(pi^2/3 - 3)/16 = 0.03 per start."""
    found = reverse(circuit(8, 20, 3.3), CONDITION, 256, seed=1)
    assert found["round_trip"] < 1e-12
    assert found["kept_error"] == 0.0
    assert found["kept"] == pytest.approx(haar_nats(256), abs=0.03)
    assert found["back"] == pytest.approx(2 / 257, rel=0.05)


def test_some_starts_stand_for_all() -> None:
    model = circuit(8, 4)
    all_of_them, some = (reverse(model, CONDITION, n, seed=1) for n in (256, 64))
    assert some["kept_error"] > 0
    assert abs(some["kept"] - all_of_them["kept"]) < 4 * some["kept_error"]


def test_kept_is_the_mutual_information() -> None:
    """Against the definition, from the joint distribution of a uniform z and x."""
    model = circuit(4, 3)
    states = torch.eye(16, dtype=torch.complex128)
    with torch.no_grad():
        joint = model.apply_to(states, CONDITION.expand(16, -1)).abs().square() / 16
    product = joint.sum(dim=1, keepdim=True) * joint.sum(dim=0, keepdim=True)
    information = float((joint * (joint / product).log()).sum())
    assert reverse(model, CONDITION, 16, seed=1)["kept"] == pytest.approx(information, abs=1e-12)


def test_haar_limit() -> None:
    assert haar_nats(2) == pytest.approx(math.log(2) - 0.5)
    assert haar_nats(2**16) == pytest.approx(1 - 0.5772156649, abs=1e-4)
