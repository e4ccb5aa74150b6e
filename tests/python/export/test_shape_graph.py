"""ONNX Runtime draws from the file the voxels that the shape flow draws in float64."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
import torch
from models import TINY_LAYERS, random_flows, write_random_model
from onnx.reference import ReferenceEvaluator

from fastcaloq_infer.artefact.file import serialise
from fastcaloq_infer.export import export_flow
from fastcaloq_infer.export.graph import Graph
from fastcaloq_infer.export.normal import tails
from fastcaloq_infer.export.shape_parity import ShapeReference, draw_showers
from fastcaloq_infer.export.verify import Runner, Showers, parity_error, worst_voxel_excess
from fastcaloq_infer.flow.shape.order import VoxelOrder

if TYPE_CHECKING:
    from pathlib import Path

    from fastcaloq_infer.export import ExportResult

SMALL = {"units": 2, "context": 3, "head": 5, "bins": 4, "offset": 1}
CASES: dict[str, dict[str, Any]] = {
    "default": {"shape": {}},
    "small": {"shape": SMALL},
    "embedded": {"conditioning": "embedded", "shape": SMALL},
    "unconditioned-shape": {"shape": {**SMALL, "kind": "none"}},
    "unconditioned-energy": {"kind": "none", "shape": SMALL},
    "classical-eta": {
        "kind": "classical",
        "eta": (0.0, 2.5),
        "shape": {**SMALL, "kind": "classical"},
    },
    "no-alpha": {"layers": ((4, 1), (2, 1)), "shape": SMALL},
    "one-ring": {"layers": ((1, 5), (0, 1), (1, 2)), "shape": SMALL},
    "slow-order": {"shape": {**SMALL, "stride": 4, "offset": 0}},
    "two-bins": {"shape": {**SMALL, "bins": 2, "tail_bound": 3.0, "min_bin_width": 0.1}},
}


@dataclass(frozen=True)
class Case:
    flows: Any
    result: ExportResult
    runner: Runner
    content: bytes

    def draw(self, n: int, seed: int) -> tuple[ShapeReference, Showers]:
        """Reference showers and what ONNX Runtime makes of them."""
        card = self.result.card
        errors = [s.table.max_error if s.table else 0.0 for s in card.conditionings]
        place = np.random.default_rng(seed).uniform(size=n)
        expected = draw_showers(self.flows, card.validity, place, seed, (errors[0], errors[1]))
        e = expected.energy
        inputs = (e.incident_energy, e.eta, e.z_energy, expected.z_shape)
        return expected, self.runner.showers(*inputs)


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    return make_case(tmp_path_factory.mktemp("shape") / "model.onnx", **CASES[request.param])


def make_case(path: Path, conditioning: Any = "precomputed", **options: Any) -> Case:
    torch.set_num_threads(1)
    flow, metadata, shape = random_flows(11, **options)
    result = export_flow(flow, metadata, path, shape=shape, conditioning=conditioning)
    content = path.read_bytes()
    return Case((flow, shape[0]), result, Runner(content), content)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return make_case(tmp_path_factory.mktemp("shape") / "model.onnx", shape=SMALL)


@pytest.mark.parametrize("batch", [1, 100])
def test_equals_the_flow(case: Case, batch: int) -> None:
    expected, found = case.draw(batch, seed=batch)
    assert found.voxel_energy is not None
    assert expected.excess(found.voxel_energy, 1e-4).max() <= 1.0
    assert expected.energy.excess(found.layer_energy, 1e-4).max() <= 1.0
    if batch > 1:  # a bound of per cents, or many edges, would let a wrong graph pass
        assert np.median(expected.relative_bound) < 5e-3
        assert expected.near_edge.mean() < 0.1
        voxels = expected.voxel_energy
        assert 0.05 < (voxels == 0).mean() < 0.95


def test_voxels_sum_to_their_layers(case: Case) -> None:
    """Every voxel is a product of fractions x and 1 - x, each pair off by at most 3 roundings."""
    card = case.result.card
    _, found = case.draw(200, seed=3)
    sizes = [rings * alpha for rings, alpha in card.binning.rings_and_bins]
    for part, energy, size in zip(
        np.split(found.voxel_energy, np.cumsum(sizes)[:-1], axis=1),
        found.layer_energy.T,
        sizes,
        strict=True,
    ):
        if size:
            sums = part.astype(np.float64).sum(axis=1)
            assert np.abs(sums - energy).max() <= 4e-6 * energy.max()
            assert (np.abs(sums - energy) <= 4e-6 * energy).all()


def test_file_keeps_the_contract(case: Case) -> None:
    model, card = onnx.load_from_string(case.content), case.result.card
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version == 9
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 18)]
    n, v = card.n_layers, card.n_voxels

    def shapes(values: Any) -> dict[str, list[Any]]:
        return {
            x.name: [d.dim_param or d.dim_value for d in x.type.tensor_type.shape.dim]
            for x in values
            if x.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
        }

    assert shapes(model.graph.input) == {
        "incident_energy": ["N", 1],
        "eta": ["N", 1],
        "z_energy": ["N", n],
        "z_shape": ["N", v],
    }
    assert shapes(model.graph.output) == {"layer_energy": ["N", n], "voxel_energy": ["N", v]}
    found = {
        t.name: tuple(t.dims)
        for t in model.graph.initializer
        if t.name.startswith(("shape.condition", "shape.group"))
        and not t.name.startswith("shape.conditioner")
    }
    assert found == shape_initialisers(case)


def shape_initialisers(case: Case) -> dict[str, tuple[int, ...]]:
    card = case.result.card
    shape = card.shape
    assert shape is not None
    order = VoxelOrder.of(card.binning.rings_and_bins, shape.stride, shape.offset)
    inputs = 2 + 2 * card.n_layers + shape.conditioning.features
    hidden, context = shape.units * order.n_groups, shape.context * order.n_coordinates
    expected: dict[str, tuple[int, ...]] = {}
    for i, width in enumerate((hidden, hidden, context), start=1):
        expected[f"shape.condition{i}.weight"] = (inputs, width)
        expected[f"shape.condition{i}.bias"] = (width,)
    for g, which in enumerate(order.groups):
        name, count, seen = f"shape.group{g}", len(which), (g + 1) * shape.units
        if order.n_known[g]:
            expected[f"{name}.hidden1.weight"] = (2 * order.n_known[g], shape.units)
        expected[f"{name}.hidden2.weight"] = (seen, shape.units)
        expected[f"{name}.context.weight"] = (seen, count * shape.context)
        expected[f"{name}.head1.weight"] = (count, shape.context + 16, shape.head)
        expected[f"{name}.head1.bias"] = (count, shape.head)
        expected[f"{name}.head2.weight"] = (count, shape.head, shape.n_parameters)
        expected[f"{name}.head2.bias"] = (count, shape.n_parameters)
    return expected


def test_every_latent_gives_a_finite_shower(case: Case) -> None:
    """Latents up to the 6.8 that Philox and Box-Muller reach, energies over the whole reach."""
    n, card = 4_000, case.result.card
    random = np.random.default_rng(4)
    energy = np.exp(random.uniform(*np.log(card.extrapolation.incident_energy), n))
    latents = []
    for width in (card.n_layers, card.n_voxels):
        z = random.standard_normal((n, width))
        z[: n // 4] = random.choice([-6.8, -6.0, 0.0, 6.0, 6.8], (n // 4, width))
        z[n // 4 : n // 2] *= 2.0
        latents.append(z)
    found = case.runner.showers(energy, random.uniform(*card.extrapolation.eta, n), *latents)
    assert np.isfinite(found.voxel_energy).all()
    assert (found.voxel_energy >= 0).all()


def test_parity_vectors_keep_away_from_the_edges(small: Case) -> None:
    shape = small.result.card.shape
    assert shape is not None
    assert parity_error(small.runner, small.result.card) == small.result.parity_error <= 1.0
    assert len(shape.parity.incident_energy) == 4
    # Moved by 1e-4 in probability, every latent still draws the same empty voxels.
    for sign in (-1.0, 1.0):
        z = np.array(shape.parity.z_shape)
        density = np.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi)
        parity = shape.parity
        found = small.runner.showers(
            parity.incident_energy, parity.eta, parity.z_energy, z + sign * 1e-4 / density
        )
        first_step = found.voxel_energy[:, :1] == 0  # later edges move with the voxels before
        np.testing.assert_array_equal(first_step, np.array(parity.voxel_energy)[:, :1] == 0)


def test_served_features_come_from_outside(tmp_path: Path) -> None:
    options: dict[str, Any] = {"shape": {**SMALL, "quantum": {"n_qubits": 2}}}
    result = write_random_model(
        tmp_path / "m.onnx", 11, whole=True, conditioning="served", **options
    )
    card = result.card
    assert card.shape is not None
    assert card.n_features == 4 + 2
    assert np.array(card.shape.parity.quantum).shape == (4, 6)
    model = onnx.load(result.path)
    dims = {v.name: v.type.tensor_type.shape.dim[1].dim_value for v in model.graph.input}
    assert dims["quantum"] == 6
    names = {tensor.name for tensor in model.graph.initializer}
    assert {"conditioner.table", "shape.conditioner.table"} <= names
    versions = {section.version for section in card.conditionings}
    assert card.feature_version not in {*versions, None}
    # The graph looks at both: other features of either, other voxels.
    runner, parity = Runner(result.path.read_bytes()), card.shape.parity
    inputs = (parity.incident_energy, parity.eta, parity.z_energy, parity.z_shape)
    for columns in (slice(0, 4), slice(4, 6)):
        features = np.array(parity.quantum)
        features[:, columns] *= 0.5
        found = runner.showers(*inputs, features)
        assert not np.allclose(found.voxel_energy, parity.voxel_energy, rtol=1e-3, atol=1e-3)


def test_another_runtime_agrees(small: Case) -> None:
    """ONNX's own evaluator: the graph means the same without ONNX Runtime's optimiser."""
    expected, _ = small.draw(3, seed=7)
    feed = {
        "incident_energy": expected.energy.incident_energy[:, None],
        "eta": expected.energy.eta[:, None],
        "z_energy": expected.energy.z_energy,
        "z_shape": expected.z_shape,
    }
    with np.errstate(divide="ignore", over="ignore"):  # of logarithms and exponentials of atoms
        _, voxels = ReferenceEvaluator(onnx.load_from_string(small.content)).run(None, feed)
    assert expected.excess(voxels, 1e-4).max() <= 1.0


def test_a_wrong_weight_does_not_pass(small: Case) -> None:
    model = onnx.load_from_string(small.content)
    for tensor in model.graph.initializer:
        if tensor.name == "shape.condition3.bias":
            weights = onnx.numpy_helper.to_array(tensor).copy()
            weights[: len(weights) // 4] += 0.01  # of numbers of order one
            tensor.CopyFrom(onnx.numpy_helper.from_array(weights, tensor.name))
    content, _ = serialise(model, small.result.card)
    assert parity_error(Runner(content), small.result.card) > 1.0


def test_edges_are_excused_and_nothing_else(small: Case) -> None:
    expected, found = small.draw(50, seed=8)
    voxels = found.voxel_energy
    assert voxels is not None
    assert worst_voxel_excess(voxels, expected, 1e-4) <= 1.0
    assert expected.excess(voxels * np.float32(1.1), 1e-4).max() > 1.0
    emptied = np.where(voxels == voxels.max(axis=1, keepdims=True), np.float32(0), voxels)
    assert np.isinf(expected.excess(emptied, 1e-4)[~expected.near_edge]).all()
    excused = replace(expected, near_edge=np.ones(50, dtype=bool))
    assert excused.excess(emptied, 1e-4).max() == 0.0
    with pytest.raises(Exception, match="too steep"):
        worst_voxel_excess(voxels, excused, 1e-4)


def test_same_bytes_again(small: Case, tmp_path: Path) -> None:
    again = make_case(tmp_path / "again.onnx", shape=SMALL)
    assert again.content == small.content


def test_both_tails_of_the_normal_distribution() -> None:
    """To 3e-6 of either tail, of which exp(-z^2 / 2) in float32 takes z^2 / 2 roundings."""
    g = Graph("normal", {})
    for value, name in zip(tails(g, g.input("z", 1)), ("low", "high"), strict=True):
        g.output(value, name, 1)
    z = np.linspace(-7.0, 7.0, 20_001).astype(np.float32)
    low, high = Runner(g.model().SerializeToString()).run({"z": z[:, None]})
    for found, sign in ((low, 1.0), (high, -1.0)):
        exact = np.array([0.5 * math.erfc(-sign * float(x) / math.sqrt(2.0)) for x in z])
        np.testing.assert_allclose(found[:, 0], exact, rtol=3.5e-6)


def test_tiny_layers_hold_every_kind_of_chain() -> None:
    order = VoxelOrder.of(TINY_LAYERS, 2, 6)
    assert {len(group) for group in order.groups} >= {1, 2}
