"""Probabilities of a circuit's outcomes against PennyLane, and the circuit run backwards.

Tolerances as in `test_agreement`: 10^3 rounded operations on numbers of order 1.
"""

from __future__ import annotations

import pennylane as qml
import pytest
import torch

from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.quantum import ANSATZE, ENCODINGS, Circuit
from fastcaloq_infer.quantum.born import BornCircuit

TOLERANCE = 1e-12
REGISTERS = (1, 2)


def born(seed: int = 3, **settings) -> BornCircuit:
    torch.manual_seed(seed)
    options = {
        key: settings.pop(key) for key in ("start", "output", "registers") if key in settings
    }
    model = BornCircuit(Circuit(**{"n_qubits": 3, "n_layers": 2, **settings}), **options).double()
    with torch.no_grad():  # every qubit sees every input
        model.input_weights += 0.4 * torch.randn_like(model.input_weights)
    return model


def reference(model: BornCircuit):
    """The same by PennyLane, gate by gate, with templates where there are any."""
    circuit, wires = model.circuit, range(model.circuit.n_qubits)

    @qml.qnode(qml.device("default.qubit", wires=len(wires)), interface="torch")
    def run(c, input_weights, weights):
        if model.start == "+":
            for q in wires:
                qml.Hadamard(q)
        else:
            qml.BasisState([int(s) for s in (model.start * len(wires))[: len(wires)]], wires)
        for upload in range(circuit.n_uploads):
            angles = c @ input_weights[upload].T
            if circuit.encoding in ("iqp", "angle_z"):
                for q in wires:
                    qml.Hadamard(q)
            axis = {"angle_x": "X", "angle_y": "Y"}.get(circuit.encoding, "Z")
            qml.AngleEmbedding(angles, wires, rotation=axis)
            if circuit.encoding == "iqp":
                for i in wires:
                    j = (i + 1) % len(wires)
                    qml.IsingZZ(angles[:, i] * angles[:, j], [i, j])
            for layer in circuit.upload_layers(upload):
                for gate in circuit.layer_gates(layer):
                    values = () if gate.parameter is None else (weights[layer, gate.parameter],)
                    getattr(qml, gate.name)(*values, wires=gate.wires)
        if model.output == "qft":
            qml.QFT(wires)
        elif model.output == "qft_registers":
            qml.QFT([0])
            qml.QFT([1, 2])
        return qml.probs(wires)

    return lambda c: run(c, model.input_weights, model.evolution.weights)


def conditions(rows: int = 4) -> torch.Tensor:
    return (
        2 * torch.rand(rows, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(5)) - 1
    )


def check(model: BornCircuit) -> None:
    c = conditions()
    got, expected = model(c), reference(model)(c)
    assert (got - expected).abs().max() < TOLERANCE
    assert (got.sum(dim=1) - 1).abs().max() < TOLERANCE
    weights = torch.rand(expected.shape, dtype=torch.float64)
    inputs = [model.input_weights, model.evolution.weights]
    gradients = [torch.autograd.grad((p * weights).sum(), inputs) for p in (got, expected)]
    for ours, theirs in zip(*gradients, strict=True):
        assert theirs.abs().max() > 1e-3
        assert (ours - theirs).abs().max() < TOLERANCE


@pytest.mark.parametrize("reuploading", [False, True])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_agrees(encoding: str, reuploading: bool) -> None:
    check(born(encoding=encoding, reuploading=reuploading))


@pytest.mark.parametrize("name", ANSATZE)
def test_every_ansatz_agrees(name: str) -> None:
    check(born(ansatz=name, encoding="angle_z"))


@pytest.mark.parametrize("output", ["computational", "qft", "qft_registers"])
@pytest.mark.parametrize("start", ["0", "1", "011", "+"])
def test_every_start_and_output_agrees(start: str, output: str) -> None:
    check(born(start=start, output=output, registers=REGISTERS, encoding="angle_y"))


@pytest.mark.parametrize("output", ["computational", "qft", "qft_registers"])
def test_the_circuit_runs_backwards(output: str) -> None:
    """U^dagger U = 1 on every basis state, by itself and for a large register."""
    for n, registers in ((3, REGISTERS), (10, (4, 3, 3))):
        model = born(n_qubits=n, output=output, registers=registers, reuploading=True)
        c = conditions(8)
        basis = torch.eye(2**n, dtype=torch.complex128)[:8]
        there = model.apply_to(basis, c)
        assert (there.abs() ** 2).sum(dim=1).sub(1).abs().max() < TOLERANCE
        assert (model.undo(there, c) - basis).abs().max() < TOLERANCE
        assert (there - basis).abs().max() > 0.1


def test_float32_weights_keep_the_sum() -> None:
    model = born(n_qubits=6).float()
    assert (model(conditions().float()).sum(dim=1) - 1).abs().max() < TOLERANCE


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": "01"}, "no state of 3 qubits"),
        ({"start": "up"}, "no state of 3 qubits"),
        ({"start": ""}, "no state of 3 qubits"),
        ({"output": "fourier"}, "choose one of computational, qft"),
        ({"registers": (1, 1)}, "hold 2 qubits, but the circuit has 3"),
    ],
)
def test_what_does_not_fit_is_refused(options, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        born(**options)
