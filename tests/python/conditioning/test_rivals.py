"""The circuit's rivals: frozen weights, the free multilinear table, random Fourier features."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fastcaloq_infer.conditioning import QuantumConfig, build_conditioner
from fastcaloq_infer.conditioning.multilinear import MultilinearConditioner, multilinear_table
from fastcaloq_infer.errors import ConfigError, InputError
from fastcaloq_infer.quantum import Circuit, ContractedCircuit


def _conditions(rows: int = 50) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return 2 * torch.rand(rows, 2, generator=generator, dtype=torch.float64) - 1


@pytest.mark.parametrize("observables", ["z", "z_zz"])
@pytest.mark.parametrize("encoding", ["angle_y", "angle_x"])
@pytest.mark.parametrize("ansatz", ["rotation_ring", "rotation_brickwork", "strongly_entangling"])
@pytest.mark.parametrize("n_qubits", [1, 2, 5])
def test_the_table_contains_every_circuit(
    n_qubits: int, ansatz: str, encoding: str, observables: str
) -> None:
    circuit = Circuit(
        n_qubits=n_qubits, n_layers=3, ansatz=ansatz, encoding=encoding, observables=observables
    )
    trained = ContractedCircuit(circuit).double()
    with torch.no_grad():  # anywhere, not only where weights start
        trained.weights.uniform_(-np.pi, np.pi)
        trained.input_weights.normal_()
    free = MultilinearConditioner(circuit).double()
    with torch.no_grad():
        free.table.copy_(multilinear_table(trained))
        free.input_weights.copy_(trained.input_weights[0])
        difference = (free(_conditions()) - trained(_conditions())).abs().max()
    assert difference < 1e-12
    assert free.n_trained == 3**n_qubits * circuit.n_features + 2 * n_qubits


def test_the_table_starts_as_the_circuit_that_the_same_seed_gives() -> None:
    features = []
    for kind in ("conditioner", "multilinear"):
        torch.manual_seed(4)
        with torch.no_grad():
            features.append(build_conditioner(QuantumConfig(kind=kind))(_conditions().float()))
    # float32 products of six factors and sums of 729 terms that are mostly 0
    assert torch.allclose(*features, atol=1e-5)
    assert features[0].std(dim=0).min() > 0.01


@pytest.mark.parametrize("kind", ["conditioner", "classical", "multilinear", "fourier"])
def test_frozen_conditioners_have_features_but_nothing_to_train(kind: str) -> None:
    free = build_conditioner(QuantumConfig(kind=kind, fourier_readout=True))
    frozen = build_conditioner(QuantumConfig(kind=kind, fourier_readout=True, trainable=False))
    assert frozen.n_trained == 0 < free.n_trained
    assert frozen.n_parameters == free.n_parameters
    assert not frozen(_conditions().float()).requires_grad
    assert frozen(_conditions().float()).std(dim=0).min() > 0


def test_fourier_features_approximate_a_gaussian_kernel() -> None:
    torch.manual_seed(5)
    circuit = Circuit(n_qubits=16, n_inputs=2)
    scale = 1.5
    c = torch.tensor([[0.1, -0.2], [0.5, 0.3]], dtype=torch.float64)
    estimates = []
    for _ in range(500):
        config = QuantumConfig(**circuit.model_dump(), kind="fourier", fourier_scale=scale)
        features = build_conditioner(config).double()(c)
        estimates.append(2 * (features[0] * features[1]).mean().item())
    exact = np.exp(-0.5 * scale**2 * ((c[0] - c[1]) ** 2).sum().item())
    # 8,000 products; each has a variance of at most 4 * 1/2
    assert abs(np.mean(estimates) - exact) < 4 * np.sqrt(2 / 8000)


def test_the_linear_map_after_fourier_features_is_trained_and_starts_as_none() -> None:
    features = []
    for readout in (False, True):
        torch.manual_seed(6)
        config = QuantumConfig(kind="fourier", fourier_readout=readout)
        conditioner = build_conditioner(config)
        features.append(conditioner(_conditions().float()).detach())
        assert conditioner.n_trained == (42 if readout else 0)
    assert torch.equal(*features)


@pytest.mark.parametrize("kind", ["multilinear", "fourier"])
def test_rivals_have_no_embedded_form_and_check_their_input(kind: str) -> None:
    conditioner = build_conditioner(QuantumConfig(kind=kind))
    with pytest.raises(ConfigError, match="cannot be embedded"):
        conditioner.export_constants()
    with pytest.raises(InputError, match=r"pass \(B, 2\)"):
        conditioner(torch.zeros(3, 1))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "multilinear", "reuploading": True}, "re-uploading"),
        ({"kind": "multilinear", "encoding": "iqp"}, "use angle_y or angle_x"),
        ({"kind": "multilinear", "n_qubits": 12}, "531,441 numbers"),
        ({"fourier_scale": -1.0}, "fourier_scale = -1.0"),
        ({"fourier_scale": float("nan")}, "fourier_scale = nan"),
        ({"trainable": "maybe"}, "trainable = 'maybe'"),
    ],
)
def test_combinations_without_meaning_are_refused(
    settings: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        QuantumConfig(**settings)
    assert "\n" not in str(caught.value)
