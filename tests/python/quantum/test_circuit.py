"""The description: counts, what it refuses and how it says so."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.quantum import (
    ANSATZE,
    Circuit,
    ContractedCircuit,
    Execution,
    Gate,
    ReferenceCircuit,
)
from fastcaloq_infer.quantum.constants import monomials


def test_default_is_six_qubits_in_two_layers() -> None:
    circuit = Circuit()
    assert (circuit.n_qubits, circuit.n_layers, circuit.n_features) == (6, 2, 6)
    assert circuit.weight_shape == (2, 18)
    assert circuit.input_weight_shape == (1, 6, 2)
    assert circuit.n_parameters == 48


@pytest.mark.parametrize(("n_qubits", "features"), [(1, 1), (2, 3), (3, 6), (6, 12)])
def test_pairs_are_measured_once(n_qubits: int, features: int) -> None:
    circuit = Circuit(n_qubits=n_qubits, observables="z_zz")
    assert circuit.n_features == features
    assert len({frozenset(group) for group in circuit.readout}) == features


@pytest.mark.parametrize("reuploading", [False, True])
@pytest.mark.parametrize("name", ANSATZE)
def test_parameter_count_is_the_layers(name: str, reuploading: bool) -> None:
    circuit = Circuit(n_qubits=4, n_layers=3, ansatz=name, reuploading=reuploading)
    layer = ContractedCircuit(circuit)
    assert circuit.n_parameters == sum(p.numel() for p in layer.parameters())


def test_brickwork_never_uses_a_qubit_twice_in_a_layer() -> None:
    for n_qubits in range(2, 9):
        bonds = set()
        for layer in range(2):
            gates = ANSATZE["rotation_brickwork"](n_qubits, layer)
            wires = [w for gate in gates if gate.name == "CNOT" for w in gate.wires]
            assert len(wires) == len(set(wires))
            assert wires
            bonds |= {gate.wires for gate in gates if gate.name == "CNOT"}
        assert {w for bond in bonds for w in bond} == set(range(n_qubits))


def test_card_describes_the_circuit() -> None:
    circuit = Circuit(encoding="iqp", n_qubits=4)
    card = circuit.card()
    assert card.pop("monomial_degree") == 2
    assert Circuit(**card) == circuit


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"n_qubit": 6}, "unknown key 'n_qubit'.*known keys: n_qubits"),
        ({"n_qubits": 0}, "n_qubits = 0 .*greater than or equal to 1"),
        ({"n_qubits": 17}, "n_qubits = 17 .*less than or equal to 16"),
        ({"n_layers": "two"}, "n_layers = 'two'"),
        ({"ansatz": "ring"}, "ansatz = 'ring' .*choose one of rotation_ring"),
        ({"encoding": "amplitude"}, "choose one of angle_y, angle_x, iqp"),
        ({"observables": "x"}, "choose one of z, z_zz"),
    ],
)
def test_mistakes_are_one_line(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        Circuit(**fields)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        (Gate("Toffoli", (0, 1, 2)), "unknown"),
        (Gate("CNOT", (0, 0)), "2 different qubits"),
        (Gate("RX", (0, 1), 0), "1 different"),
        (Gate("RX", (3,), 0), "qubits 0 to 2"),
        (Gate("RX", (0,)), "needs angle"),
        (Gate("CNOT", (0, 1), 0), "takes no angle"),
        (Gate("RX", (0,), -1), "negative"),
    ],
)
def test_an_ansatz_that_cannot_be_realised_is_refused(
    gate: Gate, message: str, monkeypatch
) -> None:
    monkeypatch.setitem(ANSATZE, "test_broken", lambda n_qubits, layer: [gate])
    with pytest.raises(ConfigError, match=message):
        ContractedCircuit(Circuit(n_qubits=3, ansatz="test_broken"))


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"device 'no\.such' is not installed"):
        ReferenceCircuit(Circuit(n_qubits=1), Execution(device="no.such"))


def test_constants_that_fill_the_artefact_are_refused() -> None:
    with pytest.raises(ConfigError, match="512 MiB"):
        ContractedCircuit(Circuit(n_qubits=12, n_layers=1)).constants()


def test_monomials_are_in_the_documented_order() -> None:
    c = np.array([[2.0, 3.0]])
    assert monomials(c, 1).tolist() == [[2, 3]]
    assert monomials(c, 2).tolist() == [[2, 3, 4, 6, 9]]


def test_description_and_constants_need_neither_torch_nor_pennylane() -> None:
    code = (
        "import sys; from fastcaloq_infer.quantum import Circuit, CircuitConstants;"
        "from fastcaloq_infer.conditioning import QuantumConfig; QuantumConfig();"
        "sys.exit(any(m in sys.modules for m in ('torch', 'pennylane')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
