"""The module `_core`: strict arrays, complete types."""

import subprocess
import sys

import numpy as np
import pytest

from fastcaloq_infer import _core
from fastcaloq_infer.errors import InputError


@pytest.fixture(scope="module")
def core(model):
    return _core.Sampler(_core.Model(model), threads=1)


def good(n=3):
    return {
        "incident_energy": np.full(n, 1000.0, dtype=np.float32),
        "eta": np.full(n, 0.1, dtype=np.float32),
        "event": np.arange(n, dtype=np.uint64),
        "particle": np.zeros(n, dtype=np.uint32),
    }


@pytest.mark.parametrize("name", ["incident_energy", "eta", "event", "particle"])
def test_arrays_must_be_what_they_say(core, name):
    assert core.sample(**good(), seed=1)[0].shape == (3, 5)
    array = good()[name]
    for bad in (
        array.astype(np.float64),
        array.astype(np.int64),
        array[:2],
        np.repeat(array, 2)[::2],
        array.reshape(3, 1),
        array[:1].reshape(()),
    ):
        with pytest.raises(InputError):
            core.sample(**(good() | {name: bad}), seed=1)


def test_numbers_must_fit(core):
    for seed in (-1, 2**64, 1.5):
        with pytest.raises(TypeError):
            core.sample(**good(), seed=seed)
    with pytest.raises(InputError, match="stream"):
        _core.latents(1, np.zeros(1, np.uint64), np.zeros(1, np.uint32), 5, stream=3)


def test_inputs_are_left_alone(core):
    arrays = good()
    arrays["incident_energy"][:] = 1.0
    for array in arrays.values():
        array.setflags(write=False)
    energies, voxels, count = core.sample(**arrays, seed=1, out_of_range="clip")
    assert voxels is None
    assert count == 3
    assert energies.flags.writeable


def test_stub_is_complete(tmp_path):
    allowed = tmp_path / "allowed.txt"  # pybind11's classes have a metaclass of their own
    allowed.write_text("fastcaloq_infer._core.Model\nfastcaloq_infer._core.Sampler\n")
    result = subprocess.run(
        [
            *(sys.executable, "-m", "mypy.stubtest", "fastcaloq_infer._core"),
            *("--concise", "--allowlist", str(allowed)),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_inference_loads_no_training_package(model):
    program = f"""
import sys
import fastcaloq_infer
from fastcaloq_infer.sampling import Sampler
sampler = Sampler({str(model)!r})
showers = sampler.sample(1000.0, eta=0.1, seed=1, n=10)
assert showers.layer_energy.shape == (10, 5) and sampler.card.particle == "photon"
loaded = {{name.split(".")[0] for name in sys.modules}}
print(sorted(loaded & {{"torch", "pennylane", "onnxruntime", "onnx", "matplotlib", "sklearn"}}))
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
