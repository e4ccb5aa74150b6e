"""Figures of states and circuits, on states whose figures are known."""

import numpy as np
import pennylane as qml
import pytest
import torch

from fastcaloq_infer.quantum import Circuit, ContractedCircuit
from fastcaloq_infer.quantum.diagnostics import (
    bloch_vectors,
    divergence_from_haar,
    fidelities,
    haar_entanglement,
    haar_probabilities,
    meyer_wallach,
    purities,
)
from fastcaloq_infer.quantum.landscape import circuit_states, gradient_variances, random_states


def basis(n, *numbers):
    """Return the equal superposition of some basis states, (1, 2**n)."""
    state = np.zeros((1, 2**n), dtype=complex)
    state[0, list(numbers)] = len(numbers) ** -0.5
    return state


def haar(n, number, seed=1):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(number, 2**n)) + 1j * rng.normal(size=(number, 2**n))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def entanglement(state):
    return meyer_wallach(bloch_vectors(state))


def test_a_product_state_has_pure_qubits_where_it_was_put():
    theta, phi = 0.7, 1.9
    qubit = np.array([np.cos(theta / 2), np.exp(1j * phi) * np.sin(theta / 2)])
    zero = np.array([1.0, 0.0])
    bloch = bloch_vectors(np.kron(np.kron(zero, qubit), zero)[None])[0]
    direction = [np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)]
    np.testing.assert_allclose(bloch, [[0, 0, 1], direction, [0, 0, 1]], atol=1e-15)
    assert purities(bloch) == pytest.approx(1.0)
    assert meyer_wallach(bloch[None])[0] == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_ghz_is_maximally_entangled(n):
    assert entanglement(basis(n, 0, 2**n - 1))[0] == pytest.approx(1.0)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_w_has_the_entanglement_of_its_formula(n):
    # One qubit of W: diag(1 - 1/n, 1/n), purity 1 - 2/n + 2/n^2, hence Q = 4 (n - 1)/n^2.
    assert entanglement(basis(n, *(2**k for k in range(n))))[0] == pytest.approx(4 * (n - 1) / n**2)


@pytest.mark.parametrize("n", [2, 4])
def test_random_states_have_the_average_of_haar(n):
    found = entanglement(haar(n, 20_000))
    assert found.mean() == pytest.approx(
        haar_entanglement(n), abs=5 * found.std() / np.sqrt(len(found))
    )


def test_a_density_matrix_of_a_pure_state_gives_the_same():
    states = haar(3, 4)
    mixed = states[:, :, None] * states[:, None, :].conj()
    np.testing.assert_allclose(bloch_vectors(mixed), bloch_vectors(states), atol=1e-14)
    noise = np.broadcast_to(np.eye(8) / 8, (1, 8, 8)).astype(complex)
    assert purities(bloch_vectors(noise)) == pytest.approx(0.5)


def test_fidelity_bins_of_random_states():
    edges = np.linspace(0, 1, 21)
    assert haar_probabilities(edges, 3).sum() == pytest.approx(1.0)
    counts = np.histogram(fidelities(haar(3, 50_000), haar(3, 50_000, seed=2)), edges)[0]
    expected = 50_000 * haar_probabilities(edges, 3)
    enough = expected > 20
    chi2 = ((counts - expected) ** 2 / expected)[enough].sum()
    assert chi2 < enough.sum() + 5 * np.sqrt(2 * enough.sum())


def test_expressibility_of_nothing_and_of_everything():
    n, bins = 4, 75
    nothing, _ = divergence_from_haar(np.ones(1000), n, bins)
    assert nothing == pytest.approx((2**n - 1) * np.log(bins))
    everything, chance = divergence_from_haar(fidelities(haar(n, 5000), haar(n, 5000, 2)), n)
    assert everything < 4 * chance
    assert chance < 0.01


def test_deeper_circuits_are_more_expressive():
    def divergence(layers):
        circuit = Circuit(n_qubits=3, n_layers=layers, ansatz="rotation_ring", n_inputs=2)
        states = random_states(circuit, 800, torch.Generator().manual_seed(3))
        return divergence_from_haar(fidelities(states[::2], states[1::2]), 3, bins=30)[0]

    product = Circuit(n_qubits=3, n_layers=2, ansatz="rotation_product")
    alone = random_states(product, 800, torch.Generator().manual_seed(3))
    assert entanglement(alone).max() < 1e-12
    assert divergence(3) < 0.5 * divergence_from_haar(fidelities(alone[::2], alone[1::2]), 3)[0]


@pytest.mark.parametrize("reuploading", [False, True])
def test_states_of_a_circuit_are_those_of_pennylane(reuploading):
    circuit = Circuit(n_qubits=3, n_layers=2, reuploading=reuploading, ansatz="rotation_ring")
    trained = ContractedCircuit(circuit).double()
    c = torch.tensor([[0.3, -0.8]], dtype=torch.float64)
    state = circuit_states(trained, c)
    weights = trained.weights.detach()
    angles = (c @ trained.input_weights.detach().transpose(1, 2))[:, 0]

    @qml.qnode(qml.device("default.qubit", wires=3))
    def reference():
        for layer in range(2):
            if layer == 0 or reuploading:
                for q in range(3):
                    qml.RY(float(angles[layer, q]), wires=q)
            for gate in circuit.layer_gates(layer):
                turned = [] if gate.parameter is None else [float(weights[layer, gate.parameter])]
                getattr(qml, gate.name)(*turned, wires=gate.wires)
        return qml.state()

    assert fidelities(state, np.asarray(reference())[None])[0] == pytest.approx(1.0, abs=1e-12)
    features = bloch_vectors(state)[:, :, 2]
    np.testing.assert_allclose(features, trained(c).detach().numpy(), atol=1e-12)


def test_gradients_of_deep_circuits_vanish_with_qubits():
    circuit = Circuit(n_layers=12, ansatz="rotation_ring")
    generator = torch.Generator().manual_seed(5)
    found = {n: (v, e) for n, v, e in gradient_variances(circuit, (2, 5), 60, generator)}
    # A 2-design has (2**n)-fold smaller gradients: 8 between 2 and 5 qubits.
    assert found[5][0] < 0.35 * found[2][0]
    assert all(error < 0.5 * value for value, error in found.values())


def test_one_angle_has_the_variance_of_its_sine():
    # <Z> = cos(x) cos(b) - ... of one qubit; with RY alone d<Z>/db = -sin(x + b), variance 1/2,
    # averaged over the three angles of a layer of which RZ and RX see only a part.
    circuit = Circuit(n_layers=1, ansatz="rotation_product")
    ((_, variance, error),) = gradient_variances(
        circuit, [1], 400, torch.Generator().manual_seed(1)
    )
    # RX last: d/dRX of cos(a)<Z> + sin(a)<Y>: E = (<Z>^2 + <Y>^2)/2; x, RY and RZ uniform:
    # E<Z>^2 = 1/2 - 1/8 ..., computed by brute force over a grid of 16 angles each.
    assert variance == pytest.approx(_grid_variance(), abs=5 * error)


def _grid_variance():
    grid = 2 * np.pi * np.arange(16) / 16
    x, z, y, r = np.meshgrid(grid, grid, grid, grid, indexing="ij")
    # Bloch vector after RY(x): (sin x, 0, cos x); RZ(z), RY(y), RX(r) turn it.
    vx, vy, vz = np.sin(x) * np.cos(z), np.sin(x) * np.sin(z), np.cos(x)
    dz = (-np.sin(x) * np.sin(z), np.sin(x) * np.cos(z), 0 * x)

    def last_z(vector):
        ax, ay, az = vector
        bz = az * np.cos(y) - ax * np.sin(y)
        return bz * np.cos(r) + ay * np.sin(r), bz, ay

    _, bz, ay = last_z((vx, vy, vz))
    by_z = last_z(dz)[0]
    by_y = (-vz * np.sin(y) - vx * np.cos(y)) * np.cos(r)
    by_r = -bz * np.sin(r) + ay * np.cos(r)
    return float(np.mean([by_z**2, by_y**2, by_r**2]))
