"""The file for ATLAS FastCaloSim, loaded and run as its handler does."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from models import random_flows

from fastcaloq_infer.artefact.bins import check_bins, input_shapes
from fastcaloq_infer.errors import ModelError
from fastcaloq_infer.export import export_flow
from fastcaloq_infer.export.export import ExportResult
from fastcaloq_infer.export.fastcalosim import (
    INPUTS,
    bins_path,
    fastcalosim_graph,
    inputs_of,
    read_fastcalosim,
)
from fastcaloq_infer.export.model import describe_model
from fastcaloq_infer.export.trained import together
from fastcaloq_infer.export.verify import Runner
from fastcaloq_infer.sampling import Sampler

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SMALL: dict[str, Any] = {"units": 2, "context": 3, "head": 5, "bins": 4, "offset": 1}


@dataclass(frozen=True)
class Files:
    atlas: ExportResult
    own: ExportResult
    many: Runner  # the same graph with a dynamic number of showers


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("atlas")
    flow, metadata, shape = random_flows(31, shape=SMALL)
    atlas = export_flow(flow, metadata, folder / "atlas.onnx", shape=shape, contract="fastcalosim")
    own = export_flow(flow, metadata, folder / "own.onnx", shape=shape)
    model = describe_model(together(flow, metadata, shape), "many", "precomputed", fallback=False)
    many = fastcalosim_graph(model.card, model.initialisers, "N")
    return Files(atlas, own, Runner(many.SerializeToString()))


class Handler:
    """Loads a file as FastCaloSim does: one type for all, shapes of the file, flat vectors."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        nodes = [*self.session.get_inputs(), *self.session.get_outputs()]
        assert {node.type for node in nodes} == {"tensor(float)"}
        self.shapes = {
            node.name: [d if isinstance(d, int) and d > 0 else 1 for d in node.shape]
            for node in nodes
        }

    def __call__(self, values: dict[str, list[float]]) -> NDArray[np.float32]:
        feed = {}
        for node in self.session.get_inputs():
            flat = np.array(values[node.name], dtype=np.float32)
            assert flat.size == math.prod(self.shapes[node.name])
            feed[node.name] = flat.reshape(self.shapes[node.name])
        output = self.session.get_outputs()
        assert len(output) == 1
        result: NDArray[np.float32] = self.session.run([output[0].name], feed)[0]
        return result.ravel()


def test_as_the_handler_does(files: Files) -> None:
    """The same showers as from our own file, by the classes' names and units."""
    handler, card = Handler(files.atlas.path), files.atlas.card
    boundaries, layers = input_shapes(card)
    n_voxels, n_layers = boundaries[-1], len(layers)
    assert handler.shapes == {
        "inn_eta_in": [1, 1],
        "inn_einc_in": [1, 1],
        "inn_z_energy": [1, n_layers],
        "cfm_z_shape": [1, n_voxels],
        "voxel_energy": [1, n_voxels],
    }
    random = np.random.default_rng(1)
    own = Runner(files.own.path.read_bytes())
    for energy in (256.0, 4096.0, 65536.0):
        z_energy, z_shape = random.standard_normal(n_layers), random.standard_normal(n_voxels)
        voxels = handler(
            {
                "inn_eta_in": [10.0 * abs(-0.2)],
                "inn_einc_in": [energy],
                "inn_z_energy": z_energy.tolist(),
                "cfm_z_shape": z_shape.tolist(),
            }
        )
        expected = own.showers([energy], [-0.2], [z_energy], [z_shape])
        # eta comes as ten times itself and may differ by a rounding.
        np.testing.assert_allclose(voxels, expected.voxel_energy[0], rtol=1e-3, atol=1e-3)
        sums = np.add.reduceat(voxels.astype(np.float64), boundaries[:-1])
        np.testing.assert_allclose(sums, expected.layer_energy[0], rtol=1e-4, atol=1e-3)


def test_what_old_runtimes_can_load(files: Files) -> None:
    model = onnx.load(files.atlas.path)
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version <= 9
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 18)]
    assert [value.name for value in model.graph.input] == list(INPUTS)
    # Weights have been rearranged already: the fewer nodes, the sooner the file is loaded.
    own = onnx.load(files.own.path).graph.node
    turned = [[n for n in nodes if n.op_type == "Transpose"] for nodes in (own, model.graph.node)]
    assert len(turned[0]) > 10 > len(turned[1])


def extreme_latents(random: np.random.Generator, n: int, width: int) -> NDArray[np.float64]:
    z = random.standard_normal((n, width))
    z[: n // 4] = random.choice([-6.0, 0.0, 6.0], (n // 4, width))
    z[n // 4 : n // 2] *= 1.5
    return z


def test_no_latent_gives_what_is_no_number(files: Files) -> None:
    random, card = np.random.default_rng(2), files.atlas.card
    n = 20_000
    energy = np.exp(random.uniform(*np.log(card.extrapolation.incident_energy), n))
    latents = [extreme_latents(random, n, width) for width in (card.n_layers, card.n_voxels)]
    (voxels,) = files.many.run(inputs_of(energy, np.full(n, 0.2), *latents))
    assert np.isfinite(voxels).all()
    assert (voxels >= 0).all()
    single = Runner(files.atlas.path.read_bytes())
    for i in range(0, n, n // 200):
        feed = inputs_of([energy[i]], [0.2], *(z[i : i + 1] for z in latents))
        (row,) = single.run(feed)
        np.testing.assert_allclose(row[0], voxels[i], rtol=2e-3, atol=2e-3)


def test_particles_out_of_reach_are_taken_to_its_edge(files: Files) -> None:
    card, random = files.atlas.card, np.random.default_rng(3)
    low, high = card.extrapolation.incident_energy
    latents = [random.standard_normal((1, width)) for width in (card.n_layers, card.n_voxels)]

    def draw(energy: float, eta: float) -> NDArray[np.float32]:
        (voxels,) = files.many.run(inputs_of([energy], [eta], *latents))
        return voxels

    for outside, edge in ((0.0, low), (-5.0, low), (1e9, high), (np.inf, high)):
        np.testing.assert_array_equal(draw(outside, 0.2), draw(edge, 0.2))
    np.testing.assert_array_equal(draw(1000.0, 4.9), draw(1000.0, card.extrapolation.eta[1]))


def test_bins_are_those_of_the_card(files: Files) -> None:
    card, path = files.atlas.card, files.atlas.companion
    assert path == bins_path(files.atlas.path)
    boundaries, layers = input_shapes(card)
    with h5py.File(path) as file:
        assert len(file) == 4 * len(layers)
        for layer, start, stop in zip(
            card.binning.layers, boundaries, boundaries[1:], strict=False
        ):
            r, dr, a, da = (
                file[f"{name}_layer_{layer.id}"][:]
                for name in (
                    "binstart_radius",
                    "binsize_radius",
                    "binstart_alpha",
                    "binsize_alpha",
                )
            )
            assert {x.dtype for x in (r, dr, a, da)} == {np.dtype("float32")}
            assert {x.shape for x in (r, dr, a, da)} == {(stop - start,)}
            # Alpha by alpha, r the fastest: the order of the output.
            rings = len(layer.r_edges) - 1
            for voxel in range(stop - start):
                ring, alpha = voxel % rings, voxel // rings
                assert r[voxel] == np.float32(layer.r_edges[ring])
                assert r[voxel] + dr[voxel] == np.float32(layer.r_edges[ring + 1])
                assert a[voxel] == np.float32(2.0 * math.pi * alpha / layer.n_alpha)
            assert (a + da).max() == pytest.approx(2.0 * math.pi)


def test_bins_of_another_model_are_refused(files: Files, tmp_path: Path) -> None:
    model = read_fastcalosim(files.atlas.path)
    assert model.digest == files.atlas.digest
    bins = files.atlas.companion
    assert bins is not None
    check_bins(bins, model.card, model.digest)
    with pytest.raises(ModelError, match="belong to another model"):
        check_bins(bins, model.card, "0" * 64)
    changed = tmp_path / "changed.hdf5"
    changed.write_bytes(bins.read_bytes())
    with h5py.File(changed, "r+") as file:
        file["binstart_radius_layer_1"][0] = 1.0
    with pytest.raises(ModelError, match=r"not those of random-31 \(binstart_radius_layer_1\)"):
        check_bins(changed, model.card, model.digest)
    with h5py.File(changed, "r+") as file:
        del file["binstart_radius_layer_1"]
    with pytest.raises(ModelError, match="binstart_radius_layer_1"):
        check_bins(changed, model.card, model.digest)
    for text in ("", "no HDF5"):
        (tmp_path / "broken.hdf5").write_text(text)
        with pytest.raises(ModelError, match="cannot read the bins"):
            check_bins(tmp_path / "broken.hdf5", model.card, model.digest)
    with pytest.raises(ModelError, match="cannot read the bins"):
        check_bins(tmp_path / "none.hdf5", model.card, model.digest)


def test_is_no_file_for_our_own_sampler(files: Files) -> None:
    with pytest.raises(ModelError):
        Sampler(files.atlas.path)
    with pytest.raises(ModelError):
        read_fastcalosim(files.own.path)


def test_both_files_or_none(tmp_path: Path) -> None:
    flow, metadata, shape = random_flows(31, shape=SMALL)
    path = tmp_path / "atlas.onnx"
    bins_path(path).write_bytes(b"precious")
    with pytest.raises(Exception, match="--force"):
        export_flow(flow, metadata, path, shape=shape, contract="fastcalosim")
    assert bins_path(path).read_bytes() == b"precious"
    assert not path.exists()
