"""The shape flow is a density: normalised, invertible, and exact in its sums and zeros."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Generator

from fastcaloq_infer.conditioning import QuantumConfig, build_conditioner
from fastcaloq_infer.flow.condition import Validity
from fastcaloq_infer.flow.shape import ShapeConfig, ShapeFlow
from fastcaloq_infer.flow.shape.chain import ALL, NOTHING, PART, to_chain
from fastcaloq_infer.flow.shape.density import FractionDensity
from fastcaloq_infer.flow.shape.order import VoxelOrder

LAYERS = ((3, 1), (3, 4), (2, 3), (1, 1), (1, 3))
SMALL = ShapeConfig(units=3, context=4, head=6, bins=4, offset=1)


def flow_of(layers: tuple[tuple[int, int], ...] = LAYERS, kind: str = "conditioner") -> ShapeFlow:
    torch.manual_seed(1)
    validity = Validity((256.0, 65536.0), (0.2, 0.25))
    quantum = QuantumConfig(kind=kind, n_qubits=2)
    flow = ShapeFlow(SMALL, layers, validity, build_conditioner(quantum)).double()
    with torch.no_grad():
        flow.network.head2.normal_(std=0.3)  # far from the start, where all fractions are alike
        flow.network.head2_bias.normal_(std=0.5)
    return flow


def showers(flow: ShapeFlow, n: int = 64, seed: int = 2) -> tuple[torch.Tensor, ...]:
    random = Generator().manual_seed(seed)
    energy = 256.0 * 2.0 ** (8.0 * torch.rand(n, generator=random, dtype=torch.float64))
    eta = 0.2 + 0.05 * torch.rand(n, generator=random, dtype=torch.float64)
    layers = torch.rand(n, flow.n_layers, generator=random, dtype=torch.float64)
    layers = layers / layers.sum(dim=1, keepdim=True) * energy.unsqueeze(1)
    layers[: n // 8, 1] = 0.0
    return flow.sample(layers, energy, eta, random), layers, energy, eta


def test_voxels_sum_to_their_layers() -> None:
    flow = flow_of()
    voxels, layers, _, _ = showers(flow)
    assert (voxels >= 0).all()
    assert (voxels == 0).double().mean() > 0.1
    # Every voxel is a product of at most 7 fractions here, each right to one rounding.
    torch.testing.assert_close(flow.layer_energies(voxels), layers, rtol=1e-14, atol=0.0)
    assert (voxels[:8, 3:15] == 0).all()  # an empty layer has empty voxels


def test_latents_and_voxels_are_inverse() -> None:
    flow = flow_of()
    voxels, layers, energy, eta = showers(flow)
    z = flow.latents(voxels, energy, eta, Generator().manual_seed(3))
    torch.testing.assert_close(flow.inverse(z, layers, energy, eta), voxels, rtol=1e-8, atol=1e-8)
    assert ((flow.inverse(z, layers, energy, eta) == 0) == (voxels == 0)).all()


def test_latents_of_its_own_showers_are_standard_normal() -> None:
    flow = flow_of()
    voxels, _, energy, eta = showers(flow, 2000)
    z = flow.latents(voxels, energy, eta, Generator().manual_seed(4)).detach()
    n = z.numel()
    assert abs(float(z.mean())) < 5.0 / math.sqrt(n)
    assert abs(float(z.var()) - 1.0) < 5.0 * math.sqrt(2.0 / n)


def test_the_likelihood_is_the_volume_of_the_latents() -> None:
    """Without atoms log p = log N(z) + log|det dz/dE|, E being all voxels of a layer but one."""
    flow = flow_of(((3, 2), (2, 1)))
    with torch.no_grad():
        flow.network.head2_bias[:, 0, :2] = -30.0  # no atoms
    voxels, _, energy, eta = showers(flow, 4)
    # The sums are given: of the 6 + 2 voxels 5 + 1 may move, the others take up the difference.
    free, tied = [0, 1, 2, 3, 4, 6], [5, 7]
    into = torch.zeros(8, 6, dtype=torch.float64)
    into[free, range(6)] = 1.0
    into[tied[0], :5], into[tied[1], 5] = -1.0, -1.0

    def latents(step: torch.Tensor, row: int) -> torch.Tensor:
        moved = (voxels[row] + into @ step).unsqueeze(0)
        return flow.latents(moved, energy[row : row + 1], eta[row : row + 1])[0]

    log_prob = flow.log_prob(voxels, energy, eta)
    for row in range(4):
        jacobian = torch.autograd.functional.jacobian(
            lambda step, row=row: latents(step, row), torch.zeros(6, dtype=torch.float64)
        )
        z = latents(torch.zeros(6, dtype=torch.float64), row)
        expected = (
            torch.linalg.slogdet(jacobian)[1] - 0.5 * (z.square() + math.log(2.0 * math.pi)).sum()
        )
        torch.testing.assert_close(log_prob[row], expected, rtol=0.0, atol=1e-9)


def test_the_density_of_one_fraction_is_normalised() -> None:
    flow = flow_of(((2, 1),))
    energy, eta = torch.tensor([1000.0]).double(), torch.tensor([0.22]).double()
    # A fine grid in the logit of the inner ring's share; p(E) dE = p(t) |dE/dt| dt.
    t = torch.linspace(-60.0, 60.0, 200_001, dtype=torch.float64)
    inner = 400.0 * t.sigmoid()
    voxels = torch.stack([inner, 400.0 * (-t).sigmoid()], dim=1)
    n = len(t)
    log_prob = flow.log_prob(voxels, energy.expand(n), eta.expand(n))
    part = torch.trapezoid(log_prob.exp() * 400.0 * t.sigmoid() * (-t).sigmoid(), t)
    atoms = torch.tensor([[0.0, 400.0], [400.0, 0.0]], dtype=torch.float64)
    atoms = flow.log_prob(atoms, energy.expand(2), eta.expand(2)).exp()
    assert atoms.min() > 1e-3
    assert float((part + atoms.sum()).detach()) == pytest.approx(1.0, abs=1e-6)


def test_steps_and_the_whole_network_agree_in_float32() -> None:
    flow = flow_of().float()
    voxels, layers, energy, eta = (tensor.float() for tensor in showers(flow_of()))
    z = flow.latents(voxels, energy, eta, Generator().manual_seed(5)).clamp(-4.0, 4.0)
    again = flow.inverse(z, layers, energy, eta)
    same = (again == 0) == (voxels == 0)
    assert same.all(dim=1).double().mean() > 0.9  # quantiles of atoms have float32 edges


def test_states_of_a_chain() -> None:
    order = VoxelOrder.of([(3, 1)], 2, 0)
    chain = to_chain(torch.tensor([[0.0, 0.0, 5.0], [5.0, 0.0, 0.0], [1.0, 1.0, 2.0]]), order)
    assert chain.state.tolist() == [[NOTHING, NOTHING], [ALL, -1], [PART, PART]]
    assert chain.logit[2].tolist() == pytest.approx([math.log(1 / 3), math.log(1 / 2)])
    assert chain.total[2].tolist() == [4.0, 3.0]


def test_initialisation_takes_the_frequencies_of_the_data() -> None:
    flow = flow_of(kind="none")
    voxels, _, energy, eta = showers(flow, 4000)
    fresh = flow_of(kind="none")
    with torch.no_grad():
        fresh.network.head2.zero_()
    fresh.initialise(voxels, energy, eta)
    state = to_chain(voxels, fresh.order).state
    probability = FractionDensity(SMALL).log_states(fresh.network.head2_bias[:, 0]).exp()
    for value in (PART, NOTHING, ALL):
        count = (state == value).sum(dim=0)
        active = (state >= 0).sum(dim=0)
        expected = (count + 0.5) / (active + 1.5)
        torch.testing.assert_close(
            probability[:, value].float(), expected.float(), rtol=1e-5, atol=0.0
        )


def test_multiply_adds_count_active_weights() -> None:
    flow = flow_of()
    weights = sum(p.numel() for name, p in flow.network.named_parameters() if "bias" not in name)
    assert flow.network.multiply_adds == weights
