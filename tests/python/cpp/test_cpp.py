"""The C++ tests have to pass wherever the Python tests do."""

from __future__ import annotations

import os
from pathlib import Path

from programs import run


def test_cpp_tests_pass(build: Path) -> None:
    output = run(
        *("ctest", "--test-dir", build, "--output-on-failure", "--no-tests=error"),
        *("--parallel", os.cpu_count() or 1),
    )
    assert "100% tests passed" in output
    assert "Not Run" not in output
