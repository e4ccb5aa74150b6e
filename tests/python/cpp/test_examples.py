"""The examples, built against the installed library."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from programs import energies, run

from fastcaloq_infer import Sampler
from fastcaloq_infer.data import binning, write_binning
from fastcaloq_infer.sampling.models import find

ROOT = Path(__file__).resolve().parents[3]


def test_example_draws_the_showers_of_its_python_twin(consumer: Path) -> None:
    arguments = (find("photon_energy"), 65536, 3)
    printed = run(consumer / "examples" / "generate", *arguments)
    twin = run(sys.executable, ROOT / "examples" / "generate.py", *arguments)
    *_, n_hits = energies(printed.splitlines()).T
    assert not n_hits.any()  # a model of layer energies alone
    assert [line.rsplit(" ", 1)[0] for line in printed.splitlines()] == twin.splitlines()
    refused = run(
        consumer / "examples" / "generate", *(find("photon_energy"), 1e9, 1), failing=True
    )
    assert refused.startswith("error: incident energy 1e+09 MeV is outside")


def test_example_event_loop_does_not_depend_on_its_threads(consumer: Path) -> None:
    command = (consumer / "examples" / "event_loop", find("photon_energy"), 50)
    alone, together = (run(*command, threads) for threads in (1, 3))
    assert alone == together
    energy, *_ = alone.split()
    # Four photons of 1 to 50 GeV in each of 50 events; the response is 1.02.
    assert 0.95 < float(energy) / (50 * 4 * 25500) < 1.1
    assert "0 particles without a shower" in alone


def test_example_of_a_third_party_shape_follows_our_energies(
    consumer: Path, onnxruntime: Path | str, tmp_path: Path
) -> None:
    if not isinstance(onnxruntime, Path):
        pytest.skip(onnxruntime)
    which = binning("dataset-1-photons")
    graph = onnx.parser.parse_model(
        """<ir_version: 8, opset_import: ["": 17]> equal_shares
        (float[N,368] z_shape, float[N,5] layer_energy, float[N,1] incident_energy, float[N,1] eta)
        => (float[N,368] voxel_energy) { voxel_energy = MatMul(layer_energy, shares) }"""
    )
    shares = np.zeros((5, 368), np.float32)
    for layer, voxels in zip(shares, which.layer_slices, strict=True):
        layer[voxels] = 1 / (voxels.stop - voxels.start)
    graph.graph.initializer.append(onnx.numpy_helper.from_array(shares, "shares"))
    onnx.save(graph, tmp_path / "shape.onnx")
    write_binning(tmp_path / "binning.xml", which)
    program = consumer / "examples" / "third_party_shape"
    files = (find("photon_energy"), tmp_path / "shape.onnx", tmp_path / "binning.xml")
    *layers, in_voxels, n_hits = energies(run(program, *files, 65536, 3).splitlines()).T
    want = Sampler("photon_energy").sample(65536.0, n=3, eta=0.2, seed=1).layer_energy
    assert np.array_equal(np.stack(layers, axis=1), want)
    np.testing.assert_allclose(in_voxels, want.sum(axis=1), rtol=1e-5)
    assert (n_hits >= 350).all()  # of layers 1 and 2 at least
    refused = run(program, files[0], files[0], files[2], 65536, 3, failing=True)
    assert "has no input 'z_shape'" in refused
    assert refused.count("\n") == 1


@pytest.mark.parametrize(("number", "example"), [(0, "generate.cpp"), (1, "third_party_shape.cpp")])
def test_page_about_cpp_shows_the_examples(number: int, example: str) -> None:
    page = (ROOT / "docs" / "cpp.md").read_text()
    shown = page.split("```cpp\n")[1 + number].split("```")[0]
    assert shown in (ROOT / "examples" / example).read_text()
