"""A circuit on given states: PennyLane agrees, the adjoint undoes it, both routes are one."""

from __future__ import annotations

import math

import pennylane as qml
import pytest
import torch
from torch import Tensor

from fastcaloq_infer.quantum import ANSATZE, ENCODINGS, Circuit
from fastcaloq_infer.quantum.evolution import Evolution


def _states(batch: int, count: int, n_qubits: int) -> Tensor:
    random = torch.Generator().manual_seed(5)
    shape = (batch, count, 2**n_qubits)
    states = torch.randn(shape, dtype=torch.complex128, generator=random)
    return states / torch.linalg.vector_norm(states, dim=2, keepdim=True)


def _evolution(**circuit: object) -> tuple[Evolution, Tensor]:
    torch.manual_seed(3)
    evolution = Evolution(Circuit(**circuit)).double()
    return evolution, 2.0 * torch.randn(40, *evolution.angles_shape, dtype=torch.float64)


def _pennylane(evolution: Evolution, state: Tensor, angles: Tensor | None) -> Tensor:
    circuit = evolution.circuit

    @qml.qnode(qml.device("default.qubit", wires=circuit.n_qubits), interface="torch")
    def run() -> object:
        qml.StatePrep(state, wires=range(circuit.n_qubits))
        for upload in range(circuit.n_uploads):
            for gate in circuit.input_encoding.prefix(circuit.n_qubits):
                getattr(qml, gate.name)(wires=gate.wires)
            for turn in circuit.input_encoding.rotations(circuit.n_qubits):
                angle = 0.0 if angles is None else angles[upload, list(turn.factors)].prod()
                getattr(qml, turn.name)(angle, wires=turn.wires)
            for layer in circuit.upload_layers(upload):
                for gate in circuit.layer_gates(layer):
                    weight = evolution.weights.detach()[layer]
                    values = () if gate.parameter is None else (weight[gate.parameter],)
                    getattr(qml, gate.name)(*values, wires=gate.wires)
        return qml.state()

    return torch.as_tensor(run())


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("ansatz", ["rotation_ring", "rotation_ising", "real_brickwork"])
@pytest.mark.parametrize("with_angles", [True, False])
def test_pennylane_agrees(encoding: str, ansatz: str, with_angles: bool) -> None:
    evolution, angles = _evolution(
        n_qubits=3, n_layers=2, encoding=encoding, ansatz=ansatz, reuploading=True
    )
    given = angles if with_angles else None
    states = _states(40, 2, 3)
    for rows in (40, 1):  # contracted, and gate by gate
        part = None if given is None else given[:rows]
        found = evolution(states[:rows], part)
        expected = _pennylane(evolution, states[0, 1], None if part is None else part[0])
        torch.testing.assert_close(found[0, 1], expected, atol=1e-13, rtol=0)


@pytest.mark.parametrize("ansatz", ANSATZE)
@pytest.mark.parametrize("rows", [40, 1])
def test_the_adjoint_undoes_it(ansatz: str, rows: int) -> None:
    evolution, angles = _evolution(n_qubits=4, n_layers=3, ansatz=ansatz, reuploading=True)
    states = _states(rows, 1, 4)
    for given in (angles[:rows], None):
        back = evolution.adjoint(evolution(states, given), given)
        torch.testing.assert_close(back, states, atol=1e-13, rtol=0)


def test_both_routes_are_one_map_with_one_gradient() -> None:
    evolution, angles = _evolution(n_qubits=3, n_layers=2, ansatz="rotation_ising", encoding="iqp")
    states, target = _states(40, 1, 3), _states(40, 1, 3).flip(0)
    gradients = []
    for size in (40, 1):
        evolution.zero_grad()
        parts = [evolution(states[i : i + size], angles[i : i + size]) for i in range(0, 40, size)]
        (torch.cat(parts) * target.conj()).sum().abs().square().backward()
        gradients.append(evolution.weights.grad.clone())  # type: ignore[union-attr]
    torch.testing.assert_close(gradients[0], gradients[1], atol=1e-12 * math.sqrt(40), rtol=0)


def test_real_states_stay_real() -> None:
    evolution, angles = _evolution(n_qubits=4, n_layers=3, ansatz="real_brickwork")
    states = _states(40, 1, 4).real
    states = (states / torch.linalg.vector_norm(states, dim=2, keepdim=True)).to(torch.complex128)
    assert evolution(states, angles).imag.abs().max() < 1e-14
