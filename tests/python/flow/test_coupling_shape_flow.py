"""Coupling blocks over the voxels: a density after noise, and voxels that keep their layers."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import Generator

from fastcaloq_infer import data
from fastcaloq_infer.conditioning import QuantumConfig, build_conditioner
from fastcaloq_infer.flow.condition import Validity
from fastcaloq_infer.flow.shape import (
    CouplingShapeConfig,
    CouplingShapeFlow,
    ShapeConfig,
    ShapeFlow,
    VoxelFlowConfig,
    build_voxel_flow,
)
from fastcaloq_infer.flow.shape.grid import LayerGrid

LAYERS = [
    LayerGrid(tuple(10.0 * i for i in range(rings + 1)), alpha)
    for rings, alpha in ((3, 1), (2, 3), (0, 1), (1, 1))
]
VALIDITY = Validity((256.0, 65536.0), (0.2, 0.25))


def flow_of(**settings: Any) -> CouplingShapeFlow:
    torch.manual_seed(1)
    config = CouplingShapeConfig(
        **{"kind": "coupling", "n_blocks": 3, "hidden": (12,), "bins": 4, **settings}
    )
    conditioner = build_conditioner(QuantumConfig(kind="conditioner", n_qubits=2))
    flow = CouplingShapeFlow(config, LAYERS, VALIDITY, conditioner).double()
    with torch.no_grad():
        for block in flow.coupling_blocks:
            block.coupling.subnet.linears[-1].weight.normal_(std=0.3)
        flow.coupling_blocks[0].actnorm.shift.fill_(4.0)
    return flow


def showers(n: int = 32) -> tuple[torch.Tensor, ...]:
    random = Generator().manual_seed(2)
    voxels = 100.0 * torch.rand(n, 10, generator=random, dtype=torch.float64)
    voxels *= torch.rand(n, 10, generator=random) > 0.3
    voxels[: n // 4, :3] = 0.0
    energy = 256.0 * 2.0 ** (8.0 * torch.rand(n, generator=random, dtype=torch.float64))
    return voxels, energy, torch.full((n,), 0.22, dtype=torch.float64)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_voxels_keep_the_energies_of_their_layers(dtype: torch.dtype) -> None:
    flow = flow_of(noise=0.05).to(dtype)
    voxels, energy, eta = (column.to(dtype) for column in showers(200))
    layers = flow.layer_energies(voxels)
    drawn = flow.sample(layers, energy, eta, Generator().manual_seed(3))
    assert drawn.shape == voxels.shape
    assert (drawn >= 0).all()
    # A division, a product and a sum of six voxels: some eight roundings.
    atol, rtol = 0.0, 8 * torch.finfo(dtype).eps
    torch.testing.assert_close(flow.layer_energies(drawn), layers, atol=atol, rtol=rtol)
    assert (drawn[:50, :3] == 0).all()  # an empty layer has empty voxels
    share = drawn / flow._per_voxel(layers.clamp(min=1.0))
    assert ((share == 0) | (share > 0.05 / 6.1)).all()  # six fractions sum to 6 at most
    assert (share[50:] == 0).any()


def test_a_layer_below_the_threshold_gives_its_energy_to_one_voxel() -> None:
    flow = flow_of(noise=0.5)
    energy = torch.tensor([[7.0], [0.0]], dtype=torch.float64)
    fraction = torch.tensor([[0.1, 0.3, 0.2], [0.1, 0.3, 0.2]], dtype=torch.float64)
    assert flow._share(energy, fraction).tolist() == [[0.0, 7.0, 0.0], [0.0, 0.0, 0.0]]


def test_the_likelihood_is_the_volume_of_the_latents() -> None:
    """Above the noise log p = log N(z) + log|det dz/dE| over all voxels, layer energies given."""
    flow = flow_of(noise=1e-9)
    voxels, energy, eta = (column[-3:] for column in showers())
    voxels = voxels + 1.0
    layers = flow.layer_energies(voxels)
    unit = flow._per_voxel(layers)

    def latents(moved: torch.Tensor, row: int) -> torch.Tensor:
        inside = flow.config.alpha + (1 - 2 * flow.config.alpha) * moved / unit[row]
        condition = flow._condition(flow.condition(energy, eta), flow._layers(layers, energy))[
            row : row + 1
        ]
        return flow.blocks(torch.logit(inside)[None], condition)[0][0]

    log_prob = flow.log_prob(voxels, energy, eta)
    for row in range(2):
        jacobian = torch.autograd.functional.jacobian(
            lambda moved, row=row: latents(moved, row), voxels[row]
        )
        z = latents(voxels[row], row)
        normal = -0.5 * (z.square() + math.log(2.0 * math.pi)).sum()
        # The only voxel of the last layer is its energy: the logit of 1 amplifies rounding by 1e6.
        expected = torch.linalg.slogdet(jacobian)[1] + normal
        torch.testing.assert_close(log_prob[row], expected, rtol=0.0, atol=1e-6)


def test_prepared_rows_give_the_same_likelihood() -> None:
    flow = flow_of()
    rows = showers()
    prepared = flow.prepare(*rows, Generator().manual_seed(4))
    expected = flow.log_prob(*rows, Generator().manual_seed(4))
    torch.testing.assert_close(-flow.nll(*prepared), expected, rtol=0.0, atol=1e-12)


def test_latents_and_voxels_are_inverse_above_the_threshold() -> None:
    flow = flow_of(noise=1e-4)
    voxels, energy, eta = showers()
    z = flow.latents(voxels, energy, eta, Generator().manual_seed(5))
    again = flow.inverse(z, flow.layer_energies(voxels), energy, eta)
    # Noise is cut again. Fractions near 1 come back through a logit that amplifies by 1 / alpha.
    torch.testing.assert_close(again, voxels, rtol=1e-6, atol=1e-6)
    assert ((again == 0) == (voxels == 0)).all()


def test_initialisation_normalises_the_coordinates_of_every_block() -> None:
    flow = flow_of()
    with torch.no_grad():
        for block in flow.coupling_blocks:
            block.coupling.subnet.linears[-1].weight.zero_()
    voxels, energy, eta = showers(500)
    flow.initialise(voxels, energy, eta)
    z = flow.latents(voxels, energy, eta, Generator().manual_seed(0))
    torch.testing.assert_close(z.mean(dim=0), torch.zeros(10).double(), rtol=0.0, atol=1e-9)
    torch.testing.assert_close(z[:, :9].std(dim=0), torch.ones(9).double(), rtol=0.0, atol=1e-9)


def test_the_published_size() -> None:
    """18.8 million parameters with the five layer energies as coordinates, as published."""
    binning = data.binning("dataset-1-photons")
    layers = binning.layers
    none = build_conditioner(QuantumConfig(kind="none"))
    flow = CouplingShapeFlow(CouplingShapeConfig(kind="coupling"), layers, VALIDITY, none)
    assert flow.n_voxels == 368
    n_parameters = sum(p.numel() for p in flow.parameters())
    assert n_parameters == 12 * (2 * 368 + (184 + 12 + 1 + 2 * 257) * 256 + 257 * 184 * 29)
    assert n_parameters == pytest.approx(18.8e6, rel=0.01)
    assert 2 * flow.multiply_adds == pytest.approx(35.5 * 2**20, rel=0.01)


def test_kinds_of_configuration() -> None:
    adapter: TypeAdapter[ShapeConfig | CouplingShapeConfig] = TypeAdapter(VoxelFlowConfig)
    assert isinstance(adapter.validate_python({"units": 3}), ShapeConfig)
    coupling = adapter.validate_python({"kind": "coupling", "n_blocks": 2, "hidden": [8]})
    assert isinstance(coupling, CouplingShapeConfig)
    assert adapter.validate_python(coupling) == coupling
    with pytest.raises(ValidationError):
        adapter.validate_python({"kind": "coupling", "stride": 2})
    with pytest.raises(ValidationError):
        adapter.validate_python({"kind": "diffusion"})
    none = build_conditioner(QuantumConfig(kind="none"))
    assert isinstance(build_voxel_flow(coupling, LAYERS, VALIDITY, none), CouplingShapeFlow)
    assert isinstance(build_voxel_flow(ShapeConfig(), LAYERS, VALIDITY, none), ShapeFlow)
