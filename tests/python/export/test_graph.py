"""ONNX Runtime draws from the file what the flow draws in float64, within float32."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
import torch
from models import random_energy_flow
from onnx.reference import ReferenceEvaluator

from fastcaloq_infer.artefact.file import serialise
from fastcaloq_infer.export import export_flow
from fastcaloq_infer.export.parity import Reference, draw, reference
from fastcaloq_infer.export.verify import Runner, parity_error, worst_excess
from fastcaloq_infer.export.whole import model_graph

if TYPE_CHECKING:
    from pathlib import Path

    from fastcaloq_infer.export import ExportResult
    from fastcaloq_infer.flow import EnergyFlow

WIDE_ETA = {"eta": (0.0, 2.5)}
CASES: dict[str, dict[str, Any]] = {
    "spline": {},
    "embedded": {"conditioning": "embedded"},
    "affine": {"transform": "affine"},
    "silu": {"activation": "silu", "hidden": (16, 24, 16)},
    "unbounded": {"bounds": False, "n_knots": 1},
    "two-knots": {"n_knots": 2, "n_absolute": 2},
    "presampler-alone": {"n_absolute": 1},
    "all-but-one-alone": {"n_absolute": 4},
    "classical": {"kind": "classical"},
    "classical-embedded": {"kind": "classical", "conditioning": "embedded"},
    "no-conditioner": {"kind": "none"},
    "eta": {**WIDE_ETA, "kind": "classical"},
    "reuploading": {
        "conditioning": "embedded",
        "quantum": {"reuploading": True, "n_layers": 3, "observables": "z_zz"},
    },
    "iqp": {**WIDE_ETA, "conditioning": "embedded", "quantum": {"encoding": "iqp", "n_qubits": 3}},
    "one-layer": {"n_layers": 1},
    "two-layers": {"n_layers": 2, "n_blocks": 1},
    "seven-layers": {"n_layers": 7, "bins": 5},
    "two-bins": {"bins": 2, "tail_bound": 1.5, "min_bin_width": 0.1},
    "no-hidden": {"hidden": ()},
    "wild": {"scale": 3.0},
}


@dataclass(frozen=True)
class Case:
    flow: EnergyFlow
    result: ExportResult
    runner: Runner
    content: bytes


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    return make_case(tmp_path_factory.mktemp("graph") / "model.onnx", **CASES[request.param])


def make_case(path: Path, conditioning: Any = "precomputed", **options: Any) -> Case:
    torch.set_num_threads(1)
    flow, metadata = random_energy_flow(11, **options)
    result = export_flow(flow, metadata, path, conditioning=conditioning)
    content = path.read_bytes()
    return Case(flow, result, Runner(content), content)


def showers(case: Case, n: int, seed: int) -> Reference:
    table = case.result.card.conditioning.table
    place = np.random.default_rng(seed).uniform(size=n)
    error = table.max_error if table else 0.0
    return draw(case.flow, case.result.card.validity, place, seed, error)


@pytest.mark.parametrize("batch", [1, 7, 256])
def test_equals_the_flow(case: Case, batch: int) -> None:
    expected = showers(case, batch, seed=batch)
    assert worst_excess(case.runner, expected, 1e-4) <= 1.0
    found = case.runner(expected.incident_energy, expected.eta, expected.z_energy)
    clear = ~expected.near_edge
    np.testing.assert_array_equal(found[clear] == 0.0, expected.layer_energy[clear] == 0.0)


def test_bound_is_worth_something(case: Case) -> None:
    """A bound of per cents would let a wrong graph pass; few showers may lie at an edge."""
    expected = showers(case, 256, seed=2)
    assert np.median(expected.relative_bound) < 5e-3
    assert expected.near_edge.mean() < 0.05


def test_parity_vectors_are_in_the_file(case: Case) -> None:
    assert parity_error(case.runner, case.result.card) == case.result.parity_error <= 1.0


def test_file_keeps_the_contract(case: Case) -> None:
    model = onnx.load_from_string(case.content)
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version == 9
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 18)]
    n = case.flow.n_layers

    def shapes(values: Any) -> dict[str, list[Any]]:
        return {
            v.name: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim]
            for v in values
            if v.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
        }

    assert shapes(model.graph.input) == {
        "incident_energy": ["N", 1],
        "eta": ["N", 1],
        "z_energy": ["N", n],
    }
    assert shapes(model.graph.output) == {"layer_energy": ["N", n]}
    found = {t.name: tuple(t.dims) for t in model.graph.initializer}
    assert found == expected_initialisers(case)
    assert all(t.raw_data for t in model.graph.initializer)


def expected_initialisers(case: Case) -> dict[str, tuple[int, ...]]:
    card = case.result.card
    n, q = card.n_layers, card.conditioning.features
    expected: dict[str, tuple[int, ...]] = {}
    for b, block in enumerate(card.flow.blocks):
        for name in ("actnorm.scale", "actnorm.shift", "permutation"):
            expected[f"energy.block{b}.{name}"] = (n,)
        widths = [block.passive + 2 + q, *card.flow.hidden, block.n_parameters * block.active]
        for i in range(len(widths) - 1):
            expected[f"energy.block{b}.subnet.{i}.weight"] = (widths[i], widths[i + 1])
            expected[f"energy.block{b}.subnet.{i}.bias"] = (widths[i + 1],)
    if card.conditioning.table:
        table = card.conditioning.table
        expected["conditioner.table"] = (table.n_energy, table.n_eta, q)
    elif card.conditioning.circuit:
        circuit = card.conditioning.circuit
        d, f = 2**circuit.n_qubits, {1: 2, 2: 5}[circuit.monomial_degree]
        expected["quantum.initial_state"] = (2 * d,)
        expected["quantum.readout"] = (d, q)
        for u in range(circuit.n_layers if circuit.reuploading else 1):
            expected[f"quantum.{u}.phases"] = (f, d)
            expected[f"quantum.{u}.matrix"] = (2 * d, 2 * d)
    elif card.conditioning.hidden:
        widths = [2, *card.conditioning.hidden, q]
        for i in range(len(widths) - 1):
            expected[f"conditioner.subnet.{i}.weight"] = (widths[i], widths[i + 1])
            expected[f"conditioner.subnet.{i}.bias"] = (widths[i + 1],)
    return expected


def test_every_latent_gives_a_finite_shower(case: Case) -> None:
    """Latents up to the 6.8 that Philox and Box-Muller reach, energies over the whole reach."""
    n = 10_000
    random = np.random.default_rng(4)
    reach = case.result.card.extrapolation
    energy = np.exp(random.uniform(*np.log(reach.incident_energy), n)).astype(np.float32)
    eta = random.uniform(*reach.eta, n).astype(np.float32)
    z = random.standard_normal((n, case.flow.n_layers)).astype(np.float32)
    corners = n // 4
    z[:corners] = random.choice([-6.8, -6.0, 0.0, 6.0, 6.8], z[:corners].shape)
    z[corners : 2 * corners] *= 2.0
    found = case.runner(energy, eta, z)
    assert np.isfinite(found).all()
    assert (found >= 0).all()


def test_200_000_showers_are_finite_and_have_zeros(tmp_path: Path) -> None:
    case = make_case(tmp_path / "model.onnx", n_absolute=1)
    n = 200_000
    random = np.random.default_rng(5)
    energy = np.exp(random.uniform(np.log(256), np.log(65536), n)).astype(np.float32)
    z = random.standard_normal((n, 5)).astype(np.float32)
    z[:1000] = random.choice([-6.8, 6.8], (1000, 5))
    found = case.runner(energy, np.full(n, 0.2, np.float32), z)
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    empty = (found == 0).mean(axis=0)
    assert (empty > 0.001).any()
    assert (empty < 0.999).all()


def test_on_the_edge_of_the_spline(tmp_path: Path) -> None:
    """The identity outside begins where the spline ends, to the last bit of the input."""
    case = make_case(tmp_path / "model.onnx", tail_bound=3.0, kind="none", n_blocks=2)
    edge = np.float32(3.0)
    values = [edge, np.nextafter(edge, np.float32(9)), np.nextafter(edge, np.float32(0)), 2.0, 6.8]
    z = np.array([[s * v] * 5 for v in values for s in (1.0, -1.0)], dtype=np.float32)
    n = len(z)
    expected = reference(case.flow, np.full(n, 1e3, np.float32), np.full(n, 0.2, np.float32), z)
    assert worst_excess(case.runner, expected, 1e-4) <= 1.0


@pytest.mark.parametrize(
    "options",
    [
        {"n_absolute": 1},
        {"kind": "classical", **WIDE_ETA},
        {"quantum": {"reuploading": True, "encoding": "angle_x"}},
    ],
    ids=["angle_y", "classical-eta", "reuploading"],
)
def test_modes_agree(tmp_path: Path, options: dict[str, Any]) -> None:
    table = make_case(tmp_path / "table.onnx", **options)
    embedded = make_case(tmp_path / "embedded.onnx", conditioning="embedded", **options)
    expected = showers(table, 512, seed=6)
    inputs = (expected.incident_energy, expected.eta, expected.z_energy)
    one, two = table.runner(*inputs), embedded.runner(*inputs)
    assert not np.array_equal(one, two)  # two ways indeed
    # Each is within the bound of the same reference.
    assert expected.excess(one, 1e-4).max() <= 1.0
    assert expected.excess(two, 1e-4).max() <= 1.0


def test_another_runtime_agrees(tmp_path: Path) -> None:
    """ONNX's own evaluator: the graph means the same without ONNX Runtime's optimiser."""
    case = make_case(tmp_path / "model.onnx", n_absolute=1, n_blocks=2)
    expected = showers(case, 5, seed=7)
    feed = {
        "incident_energy": expected.incident_energy[:, None],
        "eta": expected.eta[:, None],
        "z_energy": expected.z_energy,
    }
    with np.errstate(divide="ignore", over="ignore"):  # log(0) and exp(1e30) are meant
        (found,) = ReferenceEvaluator(onnx.load_from_string(case.content)).run(None, feed)
    assert expected.excess(found, 1e-4).max() <= 1.0


def test_a_wrong_weight_does_not_pass(tmp_path: Path) -> None:
    """The tolerance is tight enough to see one weight in a thousand changed by a per cent."""
    case = make_case(tmp_path / "model.onnx")
    model = onnx.load_from_string(case.content)
    for tensor in model.graph.initializer:
        if tensor.name == "energy.block1.subnet.1.weight":
            weights = onnx.numpy_helper.to_array(tensor).copy()
            weights[np.unravel_index(np.abs(weights).argmax(), weights.shape)] *= 1.01
            tensor.CopyFrom(onnx.numpy_helper.from_array(weights, tensor.name))
    content, _ = serialise(model, case.result.card)
    assert parity_error(Runner(content), case.result.card) > 1.0


def test_dead_weight_is_refused(tmp_path: Path) -> None:
    card = make_case(tmp_path / "model.onnx", kind="none", n_blocks=1, hidden=()).result.card
    with pytest.raises(KeyError, match="spare"):
        model_graph(
            card, {**_initialisers(tmp_path / "model.onnx"), "spare": np.zeros(3, np.float32)}
        )


def _initialisers(path: Path) -> dict[str, np.ndarray]:
    return {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}


def test_edges_are_excused_and_nothing_else(tmp_path: Path) -> None:
    case = make_case(tmp_path / "model.onnx", kind="none", n_blocks=1)
    expected = showers(case, 16, seed=8)
    found = case.runner(expected.incident_energy, expected.eta, expected.z_energy)
    assert expected.excess(found, 1e-4).max() <= 1.0
    assert expected.excess(found * np.float32(1.1), 1e-4).max() > 1.0
    excused = replace(expected, near_edge=np.ones(16, dtype=bool))
    assert excused.excess(found * np.float32(1.1), 1e-4).max() == 0.0
