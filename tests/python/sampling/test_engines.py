"""The native engine and ONNX Runtime give the same showers, within what float32 allows."""

import numpy as np
import pytest

from fastcaloq_infer import _core
from fastcaloq_infer.sampling import Sampler

BATCHES = (1, 7, 256, 10_000)
N = max(BATCHES)
MODELS = (
    "quantum-precomputed",
    "quantum-precomputed-eta",
    "quantum-embedded",
    "reuploading-embedded",
    "classical-precomputed",
    "classical-embedded",
    "none",
    "one-layer",
)


def conditions(metadata):
    random = np.random.default_rng(5)
    low, high = metadata.validity.incident_energy
    energies = np.exp(random.uniform(np.log(low), np.log(high), N)).astype(np.float32)
    energies[: N // 2] = 2.0 ** random.integers(8, 17, N // 2)  # the discrete energies of a scan
    etas = random.uniform(*metadata.validity.eta, N).astype(np.float32)
    etas = etas.clip(*np.array(metadata.validity.eta, dtype=np.float32))
    etas[1::2] *= -1
    return energies, etas


@pytest.mark.parametrize("name", MODELS)
def test_engines_agree_with_float64_and_each_other(make_model, name):
    from fastcaloq_infer.export.parity import reference

    path, flow, metadata = make_model(name)
    native, runtime = Sampler(path, threads=2), Sampler(path, engine="onnxruntime", threads=1)
    assert native.digest == runtime.digest
    energies, etas = conditions(metadata)
    z = _core.latents(11, np.arange(N, dtype=np.uint64), np.zeros(N, np.uint32), native.n_layers)
    table = native.card.conditioning.table
    # float64 showers with the bound of float32, by forward error analysis (see `reference`).
    exact = reference(
        flow, energies, etas, z, table.max_error * table.feature_range if table else 0
    )
    floor = native.card.parity.absolute_tolerance
    assert exact.near_edge.mean() < 0.01
    whole = None
    for batch in reversed(BATCHES):
        drawn = {}
        for sampler in (native, runtime):
            showers = sampler.sample(energies[:batch], eta=etas[:batch], seed=11)
            assert showers.layer_energy.dtype == np.float32
            drawn[sampler.engine] = showers.layer_energy
            padded = exact.layer_energy.copy()
            padded[:batch] = showers.layer_energy
            assert exact.excess(padded, floor).max() <= 1.0, (sampler.engine, batch)
        bound = floor + exact.relative_bound[:batch, None] * exact.layer_energy[:batch]
        difference = np.abs(drawn["native"].astype(np.float64) - drawn["onnxruntime"])
        difference[exact.near_edge[:batch]] = 0.0
        assert (difference <= 2 * bound).all(), batch
        if whole is None:
            whole = drawn["native"]
        np.testing.assert_array_equal(drawn["native"], whole[:batch])


def test_engines_apply_the_same_policies(model):
    native, runtime = Sampler(model), Sampler(model, engine="onnxruntime", threads=1)
    energies = np.array([100.0, 1000.0, 70000.0], dtype=np.float32)
    clipped = [
        s.sample(energies, eta=[0.9, -0.9, 0.1], seed=1, out_of_range="clip")
        for s in (native, runtime)
    ]
    for showers in clipped:
        np.testing.assert_array_equal(showers.incident_energy, [256.0, 1000.0, 65536.0])
        np.testing.assert_array_equal(showers.eta, np.array([0.8, -0.8, 0.1], dtype=np.float32))
        assert showers.n_out_of_range == 3
    np.testing.assert_allclose(clipped[0].layer_energy, clipped[1].layer_energy, rtol=0.01)
    with pytest.raises(Exception, match="row 0") as first:
        native.sample(energies, eta=0.1, seed=1)
    with pytest.raises(type(first.value)) as second:
        runtime.sample(energies, eta=0.1, seed=1)
    assert str(first.value) == str(second.value)


def test_generate_takes_the_latents_of_sample(model):
    z = _core.latents(3, np.arange(9, dtype=np.uint64), np.zeros(9, np.uint32), 5)
    for engine in ("native", "onnxruntime"):
        sampler = Sampler(model, engine=engine, threads=1)
        sampled = sampler.sample(1000.0, eta=0.2, seed=3, n=9)
        generated = sampler.generate(1000.0, z, eta=0.2)
        np.testing.assert_array_equal(sampled.layer_energy, generated.layer_energy)


def test_missing_onnxruntime_says_what_to_install(model, monkeypatch):
    import sys

    from fastcaloq_infer.errors import InputError

    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(InputError, match=r"pip install 'fastcaloq-infer\[onnxruntime\]'"):
        Sampler(model, engine="onnxruntime")
