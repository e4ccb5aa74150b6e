"""Running other programs in tests (``from programs import run``)."""

from __future__ import annotations

import io
import shutil
import subprocess

import numpy as np
import pytest


def run(*command: object, failing: bool = False) -> str:
    """Return what a program printed.

    The test fails where the program does; with ``failing``, where it does not.
    """
    words = [str(word) for word in command]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    output = result.stdout + result.stderr
    if (result.returncode != 0) != failing:
        wrong = "succeeded" if failing else "failed"
        pytest.fail(f"{' '.join(words)} {wrong}:\n{output[-8000:]}", pytrace=False)
    return output


def need(*tools: str) -> None:
    """Fail where a tool of the extra `test` is not there."""
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.fail(f"{tool} is missing: pip install 'fastcaloq-infer[test]'", pytrace=False)


def energies(lines: list[str]) -> np.ndarray:
    """Layer energies as printed; nine digits name a float32."""
    return np.loadtxt(io.StringIO("\n".join(lines)), dtype=np.float32)
