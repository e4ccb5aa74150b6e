"""Precomputed, embedded and served conditioning: the same keys give the same showers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastcaloq_infer import _core
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.sampling.engines import NativeEngine, OnnxRuntimeEngine

N = 500
SEED = 12
MODES = ("precomputed", "embedded", "served")
FLOWS: dict[str, dict[str, Any]] = {
    "circuit": {"eta": (0.0, 0.8), "n_absolute": 1},
    "reuploading": {"quantum": {"reuploading": True, "encoding": "iqp", "observables": "z_zz"}},
    "classical": {"kind": "classical", "eta": (0.0, 0.8)},
}


@dataclass(frozen=True)
class Case:
    flow: Any
    paths: dict[str, Path]
    energies: np.ndarray
    etas: np.ndarray
    quantum: np.ndarray
    exact: dict[str, Any]  # float64 showers with the bound of float32, by mode

    def draw(self, engine, start=0, stop=N, **options):
        keys = np.arange(start, stop, dtype=np.uint64), np.zeros(stop - start, np.uint32)
        inputs = self.energies[start:stop], self.etas[start:stop]
        return engine.sample(*inputs, SEED, *keys, "refuse", **options)[0]


@pytest.fixture(scope="module", params=FLOWS)
def case(request, tmp_path_factory):
    from models import random_energy_flow

    from fastcaloq_infer.artefact import read_card
    from fastcaloq_infer.export import export_flow
    from fastcaloq_infer.export.parity import reference

    flow, metadata = random_energy_flow(31, hidden=(16,), n_blocks=3, **FLOWS[request.param])
    folder = tmp_path_factory.mktemp("modes")
    paths = {mode: folder / f"{mode}.onnx" for mode in (*MODES, "bare")}
    for mode in MODES:
        export_flow(flow, metadata, paths[mode], conditioning=mode)
    export_flow(flow, metadata, paths["bare"], conditioning="served", fallback=False)
    random = np.random.default_rng(6)
    low, high = metadata.validity.incident_energy
    energies = np.exp(random.uniform(np.log(low), np.log(high), N)).astype(np.float32)
    energies[: N // 3] = 2.0 ** random.integers(8, 17, N // 3)
    etas = random.uniform(*metadata.validity.eta, N).astype(np.float32)
    etas = etas.clip(*np.array(metadata.validity.eta, dtype=np.float32))
    z = _core.latents(SEED, np.arange(N, dtype=np.uint64), np.zeros(N, np.uint32), 5)
    own = reference(flow, energies, etas, z)
    table = read_card(paths["precomputed"]).conditioning.table
    exact = dict.fromkeys(MODES, own)
    exact["precomputed"] = reference(flow, energies, etas, z, table.max_error)
    return Case(flow, paths, energies, etas, served_features(flow, energies, etas), exact)


def served_features(flow, energies, etas):
    """What a service answers: the conditioner's constants in float64, rounded to float32."""
    rows = np.stack([np.log(energies.astype(np.float64)), np.abs(etas.astype(np.float64))], axis=1)
    scaling = flow.condition
    condition = (rows - scaling.centre.double().numpy()) / scaling.half_width.double().numpy()
    return flow.conditioner.export_constants().evaluate(condition).astype(np.float32)


def make_engine(kind, path):
    return NativeEngine(path, 1, "auto") if kind == "native" else OnnxRuntimeEngine(path, 1)


@pytest.mark.parametrize("kind", ["native", "onnxruntime"])
def test_modes_agree(case, kind):
    """Each mode is within the forward error bound of float32 around the same float64 showers.

    The bound of the precomputed mode has the table's measured interpolation error in it.
    """
    drawn, bounds, edges = {}, {}, np.zeros(N, dtype=bool)
    floor = 1e-4  # MeV: a tenth of the energy below which a layer of these flows counts as empty
    for mode, exact in case.exact.items():
        engine = make_engine(kind, case.paths[mode])
        drawn[mode] = case.draw(engine, **({"quantum": case.quantum} if mode == "served" else {}))
        assert exact.excess(drawn[mode], floor).max() <= 1.0, mode
        bounds[mode] = floor + exact.relative_bound[:, None] * exact.layer_energy
        edges |= exact.near_edge
    assert edges.mean() < 0.02
    for one, other in (("precomputed", "embedded"), ("served", "embedded")):
        assert not np.array_equal(drawn[one], drawn[other])  # two ways indeed
        apart = np.abs(drawn[one].astype(np.float64) - drawn[other])[~edges]
        assert (apart <= (bounds[one] + bounds[other])[~edges]).all()
        np.testing.assert_array_equal((drawn[one] == 0)[~edges], (drawn[other] == 0)[~edges])


def test_the_same_features_give_the_same_bits(case):
    """Whichever file the flow's weights come from and whoever computed the features."""
    native = {mode: make_engine("native", path) for mode, path in case.paths.items()}
    for mode in ("precomputed", "embedded"):
        own = native[mode].model.features(case.energies, case.etas)
        assert own.shape == (N, native[mode].model.n_features)
        expected = case.draw(native[mode])
        for file in case.paths:
            np.testing.assert_array_equal(case.draw(native[file], quantum=own), expected)
    fallback = case.draw(native["served"])
    np.testing.assert_array_equal(fallback, case.draw(native["precomputed"]))


def test_given_features_follow_their_shower(case):
    """One by one, in shards and on several threads: the same bits."""
    whole = case.draw(make_engine("native", case.paths["bare"]), quantum=case.quantum)
    engine = NativeEngine(case.paths["bare"], 3, "auto")
    for size in (1, 7, 400, N):
        stop = min(N, 60 * size)
        parts = [
            case.draw(engine, i, min(i + size, stop), quantum=case.quantum[i : min(i + size, stop)])
            for i in range(0, stop, size)
        ]
        np.testing.assert_array_equal(np.concatenate(parts), whole[:stop])


def test_the_fallback_of_both_engines(case):
    native, runtime = (
        case.draw(make_engine(kind, case.paths["served"])) for kind in ("native", "onnxruntime")
    )
    given = make_engine("native", case.paths["served"]).model.features(case.energies, case.etas)
    np.testing.assert_array_equal(
        runtime, case.draw(make_engine("onnxruntime", case.paths["served"]), quantum=given)
    )
    np.testing.assert_allclose(native.sum(axis=1), runtime.sum(axis=1), rtol=0.01)


@pytest.mark.parametrize("kind", ["native", "onnxruntime"])
def test_bad_features_are_refused(case, kind):
    engine = make_engine(kind, case.paths["bare"])
    with pytest.raises(InputError, match=r"served|service"):
        case.draw(engine)
    width = engine.model.n_features
    good = case.quantum[:4]
    for bad in (good[:3], good[:, : width - 1], good.astype(np.float64), good.ravel()):
        with pytest.raises(InputError, match="quantum"):
            case.draw(engine, 0, 4, quantum=bad)
    for value in (np.nan, np.inf):
        bad = good.copy()
        bad[2, 1] = value
        with pytest.raises(InputError, match="row 2"):
            case.draw(engine, 0, 4, quantum=bad)


def test_features_nobody_reads_are_refused(case, make_model):
    with pytest.raises(InputError, match="engine 'native'"):
        case.draw(make_engine("onnxruntime", case.paths["precomputed"]), quantum=case.quantum)
    path, _, _ = make_model("none")
    sampler = _core.Sampler(_core.Model(path))
    keys = np.zeros(1, np.uint64), np.zeros(1, np.uint32)
    row = np.full(1, 1000.0, np.float32), np.full(1, 0.2, np.float32)
    with pytest.raises(InputError, match="without a conditioner"):
        sampler.sample(*row, 1, *keys, quantum=np.zeros((1, 0), np.float32))
    with pytest.raises(InputError, match="no features of its own"):
        _core.Model(path).features(*row)
