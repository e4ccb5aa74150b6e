"""Configures, builds and runs the C++ tests; they have to pass wherever the Python tests do."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from fastcaloq_infer import Sampler
from fastcaloq_infer.sampling.models import find

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    output = result.stdout + result.stderr
    if result.returncode != 0:
        pytest.fail(f"{' '.join(command)} failed:\n{output[-8000:]}", pytrace=False)
    return output


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> str:
    for tool in ("cmake", "ninja", "ctest"):
        if shutil.which(tool) is None:
            pytest.fail(f"{tool} is missing: pip install 'fastcaloq-infer[test]'", pytrace=False)
    # A folder that outlives the test saves a rebuild to those who run it often.
    folder = os.environ.get("FASTCALOQ_CPP_BUILD", str(tmp_path_factory.mktemp("cpp") / "build"))
    # CMake says how to get GoogleTest where it is missing; warnings are errors here.
    run(
        *("cmake", "-G", "Ninja", "-S", str(ROOT), "-B", folder),
        *("-DFASTCALOQ_BUILD_TESTS=ON", "-DFASTCALOQ_WERROR=ON"),
    )
    run("cmake", "--build", folder, "--parallel", str(os.cpu_count() or 1))
    return folder


def test_cpp_tests_pass(build: str) -> None:
    output = run(
        *("ctest", "--test-dir", build, "--output-on-failure", "--no-tests=error"),
        *("--parallel", str(os.cpu_count() or 1)),
    )
    assert "100% tests passed" in output
    assert "Not Run" not in output


def test_consumer_of_the_installed_library_draws_the_same_showers(
    build: str, tmp_path: Path
) -> None:
    installed, consumer = tmp_path / "installed", tmp_path / "consumer"
    run("cmake", "--install", build, "--prefix", str(installed))
    run(
        *("cmake", "-G", "Ninja", "-S", str(ROOT / "tests" / "consumer"), "-B", str(consumer)),
        f"-DCMAKE_PREFIX_PATH={installed}",
    )
    run("cmake", "--build", str(consumer))
    printed = run(str(consumer / "generate"), str(find("photon")), "65536", "3")
    showers = Sampler("photon").sample(65536.0, n=3, eta=0.2, seed=1)
    # Nine digits name a float32, so the same bits give the same numbers.
    assert np.array_equal(np.loadtxt(io.StringIO(printed), dtype=np.float32), showers.layer_energy)
