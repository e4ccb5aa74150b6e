"""The shape flow is a density: normalised, invertible, and exact in its sums and zeros."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
from torch import Generator

from fastcaloq_infer.conditioning import QuantumConfig, build_conditioner
from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.flow.condition import Validity
from fastcaloq_infer.flow.shape import ShapeConfig, ShapeFlow
from fastcaloq_infer.flow.shape.chain import ALL, NOTHING, PART, to_chain
from fastcaloq_infer.flow.shape.density import FractionDensity
from fastcaloq_infer.flow.shape.grid import LayerGrid, turned
from fastcaloq_infer.flow.shape.order import VoxelOrder


def grid(layers: Sequence[tuple[int, int]]) -> list[LayerGrid]:
    """Layers of so many rings, each 10 mm wide, and bins in alpha."""
    return [LayerGrid(tuple(10.0 * i for i in range(r + 1)), alpha) for r, alpha in layers]


LAYERS = ((3, 1), (3, 4), (2, 3), (1, 1), (1, 3))
SMALL = ShapeConfig(units=3, context=4, head=6, bins=4, offset=1)


def flow_of(layers: tuple[tuple[int, int], ...] = LAYERS, kind: str = "conditioner") -> ShapeFlow:
    torch.manual_seed(1)
    validity = Validity((256.0, 65536.0), (0.2, 0.25))
    quantum = QuantumConfig(kind=kind, n_qubits=2)
    flow = ShapeFlow(SMALL, grid(layers), validity, build_conditioner(quantum)).double()
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


def test_moments_are_those_of_the_voxels_known_so_far() -> None:
    flow = flow_of()
    voxels, _, energy, eta = showers(flow, 8)
    share = flow.prepare(voxels, energy, eta)[1]
    moments = flow.network.moments(share)
    k = flow.order.n_coordinates - 1  # the last coordinate, in the second layer with bins or later
    cell = flow.order.coordinates[k].cell
    layer = flow.layers[cell.layer]
    x = torch.zeros(8, dtype=torch.float64)
    n = torch.zeros(8, dtype=torch.float64)
    for place, other in enumerate(flow.order.known[: flow.order.n_known[-1]]):
        if other.layer == cell.layer and other.alpha is not None:
            phi = 2.0 * math.pi * (other.alpha + 0.5) / layer.n_alpha
            x += share[:, place] * layer.radii[other.ring] * math.cos(phi)
            n += (share[:, place] > 0) / layer.n_voxels
    torch.testing.assert_close(moments[:, k, 0], torch.asinh(x / 0.5) / 4.0)
    torch.testing.assert_close(moments[:, k, 4], n)
    # Step by step, with nothing known behind, they are the same.
    for group, which in enumerate(flow.order.groups):
        now = share.clone()
        now[:, flow.order.n_known[group] :] = 0.0
        step = flow.network.moments.step(which, now)
        torch.testing.assert_close(step, moments[:, which.start : which.stop])


def test_turned_showers_are_the_same_showers() -> None:
    layers = grid(((3, 1), (2, 4), (3, 4)))
    random = Generator().manual_seed(6)
    voxels = torch.rand(500, 23, generator=random, dtype=torch.float64)
    other = turned(voxels, layers, random)
    torch.testing.assert_close(other[:, :3], voxels[:, :3], rtol=0.0, atol=0.0)
    first, second = (t[:, 3:11].reshape(-1, 4, 2) for t in (voxels, other))
    rings = first.sum(dim=1), second.sum(dim=1)
    torch.testing.assert_close(*rings, rtol=1e-12, atol=0.0)
    # All layers are turned alike: a bin of the one stays with the same bin of the other.
    pairs = [
        t[:, 3:11].reshape(-1, 4, 2)[..., 0] + 2.0 * t[:, 11:].reshape(-1, 4, 3)[..., 0]
        for t in (voxels, other)
    ]
    torch.testing.assert_close(pairs[0].sort(dim=1)[0], pairs[1].sort(dim=1)[0])
    # Neighbours stay neighbours, and all eight symmetries occur.
    place = (first[:, :, 0].unsqueeze(2) == second[:, :, 0].unsqueeze(1)).double().argmax(dim=2)
    step = (place.roll(-1, dims=1) - place) % 4
    assert set(map(tuple, step.tolist())) == {(1,) * 4, (3,) * 4}
    assert len({tuple(row) for row in place.tolist()}) == 8


def test_layers_without_a_common_symmetry_are_refused() -> None:
    with pytest.raises(ConfigError, match="3, 4 bins in alpha"):
        turned(torch.zeros(1, 17), grid(((2, 4), (3, 3))), None)
