"""Configures, builds and runs the C++ tests; they have to pass wherever the Python tests do."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    output = result.stdout + result.stderr
    if result.returncode != 0:
        pytest.fail(f"{' '.join(command)} failed:\n{output[-8000:]}", pytrace=False)
    return output


def test_cpp_tests_pass(tmp_path):
    for tool in ("cmake", "ninja", "ctest"):
        if shutil.which(tool) is None:
            pytest.fail(f"{tool} is missing: pip install 'fastcaloq-infer[test]'", pytrace=False)
    # A folder that outlives the test saves a rebuild to those who run it often.
    build = os.environ.get("FASTCALOQ_CPP_BUILD", str(tmp_path / "build"))
    # CMake says how to get GoogleTest where it is missing; warnings are errors here.
    run(
        *("cmake", "-G", "Ninja", "-S", str(ROOT), "-B", build),
        *("-DFASTCALOQ_BUILD_TESTS=ON", "-DFASTCALOQ_WERROR=ON"),
    )
    run("cmake", "--build", build, "--parallel", str(os.cpu_count() or 1))
    output = run(
        *("ctest", "--test-dir", build, "--output-on-failure", "--no-tests=error"),
        *("--parallel", str(os.cpu_count() or 1)),
    )
    assert "100% tests passed" in output
    assert "Not Run" not in output
