"""Whole showers from Python: both engines, their arguments, and what they refuse."""

import numpy as np
import pytest

from fastcaloq_infer import _core
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.sampling import Sampler, arguments

ENGINES = ("native", "onnxruntime")
N = 2000


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Path of a small model of 22 voxels in 4 layers, and its flows in float64."""
    from models import random_flows

    from fastcaloq_infer.export import export_flow

    flow, metadata, shape = random_flows(3, quantum={"n_qubits": 3}, eta=(0.0, 0.8))
    path = tmp_path_factory.mktemp("whole") / "model.onnx"
    export_flow(flow, metadata, path, shape=shape)
    return path, (flow, shape[0]), metadata


@pytest.fixture(scope="module", params=ENGINES)
def sampler(request, whole):
    return Sampler(whole[0], engine=request.param, threads=1)


def energies(n=N):
    return np.exp(np.random.default_rng(1).uniform(np.log(256), np.log(65536), n))


def test_voxels_come_with_the_energies(sampler):
    showers = sampler.sample(energies(), eta=0.3, seed=1)
    voxels = showers.voxel_energy
    assert voxels.shape == (N, 22)
    assert voxels.dtype == np.float32
    assert (voxels >= 0).all()
    assert 0.02 < (voxels == 0).mean() < 0.98
    # 9, 12, 6 and 1 voxels; the chain of at most 4 fractions keeps sums within its rounding.
    ends = np.cumsum([layer.n_voxels for layer in sampler.card.binning.layers])
    sums = np.stack([part.sum(axis=1) for part in np.split(voxels.astype(float), ends[:-1], 1)], 1)
    np.testing.assert_allclose(sums, showers.layer_energy, rtol=4e-6, atol=0)


def test_energies_are_the_same_without_voxels(sampler):
    with_voxels = sampler.sample(energies(), eta=0.3, seed=1)
    alone = sampler.sample(energies(), eta=0.3, seed=1, voxels=False)
    assert alone.voxel_energy is None
    if sampler.engine == "native":
        np.testing.assert_array_equal(alone.layer_energy, with_voxels.layer_energy)
    else:  # another graph: ONNX Runtime may fuse its nodes in another way
        np.testing.assert_allclose(alone.layer_energy, with_voxels.layer_energy, rtol=1e-4)


def test_the_same_key_gives_the_same_shower_anywhere(whole):
    sampler = Sampler(whole[0], threads=2)
    together = sampler.sample(energies(), eta=0.3, seed=5)
    for start, stop in ((0, 1), (1, 8), (700, 2000)):
        part = Sampler(whole[0], threads=1).sample(
            energies()[start:stop], eta=0.3, seed=5, first_event=start
        )
        np.testing.assert_array_equal(part.voxel_energy, together.voxel_energy[start:stop])


def test_generate_takes_the_latents_of_sample(sampler):
    event, particle = np.arange(50, dtype=np.uint64), np.zeros(50, np.uint32)
    z = _core.latents(3, event, particle, 4)
    z_shape = _core.latents(3, event, particle, 22, stream=1)
    sampled = sampler.sample(1000.0, eta=0.2, seed=3, n=50)
    generated = sampler.generate(1000.0, z, eta=0.2, z_shape=z_shape)
    np.testing.assert_array_equal(sampled.layer_energy, generated.layer_energy)
    np.testing.assert_array_equal(sampled.voxel_energy, generated.voxel_energy)
    assert sampler.generate(1000.0, z, eta=0.2).voxel_energy is None


def test_engines_agree_with_float64_and_each_other(whole):
    """Voxel by voxel within the bound of float32, but where rounding decides what is empty.

    An edge of an atom may move by a few 1e-6 in the quantile of its latent, and a shower has two
    for each of its 18 fractions: of some thousand showers a few per cent come that near when the
    safety factor of 8 is counted, and at most as many may differ.
    """
    from fastcaloq_infer.export.shape_parity import draw_showers

    path, flows, metadata = whole
    card = Sampler(path).card
    tables = [section.table for section in card.conditionings]
    errors = tuple(table.max_error * table.feature_range for table in tables)
    exact = draw_showers(flows, metadata.validity, np.linspace(0, 1, N), 7, errors)
    assert exact.near_edge.mean() < 0.05
    floor = card.shape.parity.absolute_tolerance
    drawn = {}
    for engine in ENGINES:
        made = Sampler(path, engine=engine, threads=1).generate(
            exact.energy.incident_energy,
            exact.energy.z_energy,
            eta=exact.energy.eta,
            z_shape=exact.z_shape,
        )
        drawn[engine] = made.voxel_energy.astype(np.float64)
        assert exact.excess(made.voxel_energy, floor).max() <= 1.0, engine
    difference = np.abs(drawn["native"] - drawn["onnxruntime"])
    bound = 2 * (floor + exact.relative_bound[:, None] * exact.voxel_energy)
    apart = (difference > bound).any(axis=1)
    assert not (apart & ~exact.near_edge).any()
    assert apart.mean() < 0.005


def test_features_from_outside_give_the_same_showers(whole, tmp_path):
    from models import random_flows

    from fastcaloq_infer.export import export_flow

    flow, metadata, shape = random_flows(3, quantum={"n_qubits": 3}, eta=(0.0, 0.8))
    path = tmp_path / "served.onnx"
    export_flow(flow, metadata, path, shape=shape, conditioning="served")
    native = Sampler(path)
    assert native.card.served
    assert native.card.n_features == native._model.n_features
    e, eta = energies(100).astype(np.float32), np.full(100, 0.3, np.float32)
    features = _core.Model(whole[0]).features(e, eta)
    assert features.shape == (100, native.card.n_features)
    event, particle = np.arange(100, dtype=np.uint64), np.zeros(100, np.uint32)
    own = Sampler(whole[0])._engine.sample(e, eta, 1, event, particle, "refuse", voxels=True)
    for engine in ENGINES:
        given = Sampler(path, engine=engine, threads=1)._engine.sample(
            e, eta, 1, event, particle, "refuse", features, voxels=True
        )
        if engine == "native":
            np.testing.assert_array_equal(given[1], own[1])
        with pytest.raises(InputError, match="quantum"):
            Sampler(path, engine=engine)._engine.sample(
                e, eta, 1, event, particle, "refuse", features[:, :-1].copy(), voxels=True
            )


def test_voxels_of_an_energy_model_are_refused_with_advice(model):
    for engine in ENGINES:
        sampler = Sampler(model, engine=engine, threads=1)
        assert sampler.n_voxels == 0
        assert sampler.sample(1000.0, eta=0.3, seed=1, n=2).voxel_energy is None
        with pytest.raises(InputError, match="take a model of whole showers"):
            sampler.sample(1000.0, eta=0.3, seed=1, n=2, voxels=True)
        z = np.zeros((2, 5), np.float32)
        with pytest.raises(InputError, match="take a model of whole showers"):
            sampler.generate(1000.0, z, eta=0.3, z_shape=np.zeros((2, 22)))
        event, particle = np.zeros(1, np.uint64), np.zeros(1, np.uint32)
        one = np.full(1, 1000.0, np.float32), np.full(1, 0.3, np.float32)
        with pytest.raises(InputError, match="take a model of whole showers"):
            sampler._engine.sample(*one, 1, event, particle, "refuse", voxels=True)


@pytest.mark.parametrize("voxels", ["yes", 2, 1.0, []])
def test_voxels_is_yes_no_or_none(sampler, voxels):
    with pytest.raises(InputError, match="True, False or None"):
        sampler.sample(1000.0, eta=0.3, seed=1, n=2, voxels=voxels)


@pytest.mark.parametrize("z_shape", [np.zeros((2, 21)), np.zeros((3, 22)), [[1.0], [1.0, 2.0]],
                                     np.zeros((2, 22), complex), "latents"])  # fmt: skip
def test_latents_of_another_shape_are_refused(sampler, z_shape):
    with pytest.raises(InputError, match="z_shape"):
        sampler.generate(1000.0, np.zeros((2, 4)), eta=0.3, z_shape=z_shape)


def test_latents_that_are_not_finite_are_refused_by_row(sampler):
    z_shape = np.zeros((3, 22), np.float32)
    z_shape[1, 5] = np.nan
    with pytest.raises(InputError, match="row 1"):
        sampler.generate(1000.0, np.zeros((3, 4), np.float32), eta=0.3, z_shape=z_shape)


def test_showers_that_memory_cannot_hold_are_refused_with_both_sizes(sampler, monkeypatch):
    monkeypatch.setattr(arguments, "available_memory", lambda: 2 * 10**8)
    with pytest.raises(InputError, match=r"GB of memory, of which 0\.2 GB are available") as error:
        sampler.sample(1000.0, eta=0.3, seed=1, n=5_000_000)
    assert "\n" not in str(error.value)
    assert "voxels=False" in str(error.value)
    monkeypatch.setattr(arguments, "available_memory", lambda: None)
    arguments.check_memory(10**12, 22, True)  # nobody says how much there is


def test_an_empty_batch_has_no_voxels(sampler):
    showers = sampler.sample(np.empty(0), eta=np.empty(0), seed=1)
    assert showers.voxel_energy.shape == (0, 22)


def test_energies_alone_run_a_part_of_the_graph(whole):
    import onnx

    from fastcaloq_infer.sampling.graph_part import graph_part

    content = whole[0].read_bytes()
    part = onnx.load_from_string(graph_part(content, "layer_energy"))
    onnx.checker.check_model(part)
    full = onnx.load_from_string(content)
    assert [value.name for value in part.graph.output] == ["layer_energy"]
    assert {value.name for value in part.graph.input} == {"incident_energy", "eta", "z_energy"}
    assert len(part.graph.node) < len(full.graph.node) / 2
    names = {tensor.name for tensor in part.graph.initializer}
    assert not any(name.startswith("shape.") for name in names)
    assert any(name.startswith("energy.") for name in names)
