"""One description, three realisations: values and gradients agree to 1e-12 in float64.

Both sides do of the order of 10^3 rounded operations on numbers of order 1, so differences of
10^3 * 1e-16 = 1e-13 are expected; measured at most 4e-14.
"""

from __future__ import annotations

import numpy as np
import pennylane as qml
import pytest
import torch

from fastcaloq_infer.quantum import (
    ANSATZE,
    ENCODINGS,
    Circuit,
    ContractedCircuit,
    Execution,
    Gate,
    ReferenceCircuit,
    ansatz,
)

TOLERANCE = 1e-12


def _pair(circuit: Circuit) -> tuple[ContractedCircuit, ReferenceCircuit]:
    torch.manual_seed(3)
    layer = ContractedCircuit(circuit).double()
    with torch.no_grad():  # every qubit sees every input
        layer.input_weights += 0.4 * torch.randn_like(layer.input_weights)
    reference = ReferenceCircuit(circuit, Execution(diff_method="backprop")).double()
    reference.load_state_dict(layer.state_dict())
    return layer, reference


def _conditions(n_inputs: int = 2, rows: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    return 2 * torch.rand(rows, n_inputs, dtype=torch.float64, generator=generator) - 1


def _values_and_gradients(call, module, c):
    c = c.clone().requires_grad_()
    features = call(c)
    generator = torch.Generator().manual_seed(9)
    cotangent = torch.randn(features.shape, dtype=torch.float64, generator=generator)
    inputs = [c, module.weights, module.input_weights]
    return [features.detach(), *torch.autograd.grad((features * cotangent).sum(), inputs)]


def _check(circuit: Circuit) -> None:
    layer, reference = _pair(circuit)
    c = _conditions(circuit.n_inputs)
    expected = _values_and_gradients(reference, reference, c)
    assert expected[0].shape == (3, circuit.n_features)
    for way in (layer._contracted, layer._gate_by_gate):
        for got, want in zip(_values_and_gradients(way, layer, c), expected, strict=True):
            assert got.shape == want.shape
            assert (got - want).abs().max() < TOLERANCE
    frozen = layer.constants().evaluate(c.numpy())
    assert np.abs(frozen - expected[0].numpy()).max() < TOLERANCE


@pytest.mark.parametrize("reuploading", [False, True])
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", ANSATZE)
def test_every_ansatz_and_encoding_agrees(name: str, encoding: str, reuploading: bool) -> None:
    _check(
        Circuit(
            n_qubits=3,
            n_layers=2,
            ansatz=name,
            encoding=encoding,
            reuploading=reuploading,
            observables="z_zz",
        )
    )


@pytest.mark.parametrize("reuploading", [False, True])
@pytest.mark.parametrize("name", ["rotation_ring", "rotation_brickwork", "strongly_entangling"])
@pytest.mark.parametrize("n_qubits", [1, 2, 4, 5, 6])
def test_every_register_agrees(n_qubits: int, name: str, reuploading: bool) -> None:
    _check(Circuit(n_qubits=n_qubits, n_layers=3, ansatz=name, reuploading=reuploading))


@pytest.mark.parametrize("reuploading", [False, True])
@pytest.mark.parametrize(
    ("n_qubits", "name", "encoding"),
    [
        (7, "rotation_ring", "angle_x"),
        (8, "strongly_entangling", "iqp"),
        (9, "rotation_brickwork", "angle_y"),
        (10, "rotation_ring", "angle_y"),
    ],
)
def test_large_registers_agree(n_qubits: int, name: str, encoding: str, reuploading: bool) -> None:
    _check(
        Circuit(
            n_qubits=n_qubits,
            n_layers=2,
            ansatz=name,
            encoding=encoding,
            reuploading=reuploading,
        )
    )


def test_inputs_other_than_two_agree() -> None:
    for n_inputs in (1, 3):
        _check(Circuit(n_qubits=4, n_inputs=n_inputs, encoding="iqp", reuploading=True))


def test_an_ansatz_of_all_gates_agrees() -> None:
    """A researcher's list: fixed gates, CZ signs, parametrised pairs, uneven use of the qubits."""

    @ansatz("test_all_gates")
    def layer_gates(n_qubits: int, layer: int) -> list[Gate]:
        return [
            Gate("Hadamard", (0,)),
            Gate("RX", (1,), 0),
            Gate("CZ", (0, 1)),
            Gate("CNOT", (2, 0)),
            Gate("CZ", (2, 1)),
            Gate("IsingZZ", (0, 2), 1),
            Gate("IsingZZ", (1, 2), 2),
            Gate("PauliY", (2,)),
            Gate("RZ", (0,), 3 if layer else 0),  # a shared angle
            Gate("CZ", (1, 2)),
        ]

    try:
        for reuploading in (False, True):
            circuit = Circuit(n_qubits=3, ansatz="test_all_gates", reuploading=reuploading)
            assert circuit.weight_shape == (2, 4)
            _check(circuit)
    finally:
        del ANSATZE["test_all_gates"]


@pytest.mark.parametrize("n_qubits", [2, 3, 5])
def test_strongly_entangling_is_pennylanes(n_qubits: int) -> None:
    circuit = Circuit(n_qubits=n_qubits, n_layers=4, ansatz="strongly_entangling")
    layer, _ = _pair(circuit)
    c = _conditions()
    weights = layer.weights.detach().reshape(4, n_qubits, 3)
    angles = (c @ layer.input_weights[0].T).detach()

    @qml.qnode(qml.device("default.qubit", wires=n_qubits), interface="torch")
    def template():
        qml.AngleEmbedding(angles, wires=range(n_qubits), rotation="Y")
        qml.StronglyEntanglingLayers(weights, wires=range(n_qubits))
        return [qml.expval(qml.PauliZ(q)) for q in range(n_qubits)]

    expected = torch.stack(list(template()), dim=1)
    assert (layer(c) - expected).abs().max() < TOLERANCE


def test_shots_scatter_around_the_exact_values() -> None:
    circuit = Circuit(n_qubits=2, n_layers=1)
    layer, _ = _pair(circuit)
    shots = 10_000
    sampled = ReferenceCircuit(
        circuit, Execution(shots=shots, diff_method="parameter-shift")
    ).double()
    sampled.load_state_dict(layer.state_dict())
    with torch.no_grad():
        difference = (sampled(_conditions()) - layer(_conditions())).abs().max()
    # Standard deviation of a mean of +-1 is at most 1/sqrt(shots); six values, six of them.
    assert 0 < difference < 6 / shots**0.5
