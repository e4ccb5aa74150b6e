"""The C++ side built once, installed, and used by a project of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from programs import need, run

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the C++ side is built."""
    # A folder that outlives the test saves a rebuild to those who run it often.
    own = os.environ.get("FASTCALOQ_CPP_BUILD")
    return Path(own).resolve() if own else tmp_path_factory.mktemp("cpp") / "build"


@pytest.fixture(scope="session")
def onnxruntime(place: Path) -> Path | str:
    """Prefix with ONNX Runtime's headers and library, or why they cannot be had here."""
    prefix = place / "onnxruntime-prefix"
    if (prefix / "lib" / "libonnxruntime.so").exists():
        return prefix
    got = subprocess.run(
        ["bash", ROOT / "tests" / "get_onnxruntime.sh", prefix],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    if got.returncode not in (0, 3):
        pytest.fail(got.stderr, pytrace=False)
    return prefix if got.returncode == 0 else got.stderr


def found_onnxruntime(onnxruntime: Path | str) -> str:
    """Return the option that tells CMake where it is."""
    return f"-DONNXRUNTIME_ROOT={onnxruntime if isinstance(onnxruntime, Path) else ''}"


@pytest.fixture(scope="session")
def build(place: Path, onnxruntime: Path | str) -> Path:
    """Build tree with everything in it: libraries, components, adapters and tests."""
    need("cmake", "ninja", "ctest")
    stubs = ROOT / "tests" / "cpp" / "stubs"
    # CMake says how to get GoogleTest where it is missing; warnings are errors here. The adapters
    # are built against our stand-ins for the packages they need.
    run(
        *("cmake", "-G", "Ninja", "-S", ROOT, "-B", place),
        *("-DFASTCALOQ_BUILD_TESTS=ON", "-DFASTCALOQ_WERROR=ON", "-DCMAKE_INSTALL_LIBDIR=lib"),
        *("-DFASTCALOQ_SERVED=AUTO", "-DFASTCALOQ_BUILD_BENCH=ON"),
        *(found_onnxruntime(onnxruntime), f"-DPython_EXECUTABLE={sys.executable}"),
        f"-DFASTCALOQ_ONNXRUNTIME={'ON' if isinstance(onnxruntime, Path) else 'OFF'}",
        *("-DFASTCALOQ_GEANT4=ON", f"-DGeant4_DIR={stubs / 'geant4'}"),
        *("-DFASTCALOQ_FASTCALOSIM=ON", f"-DFastCaloSim_DIR={stubs / 'fastcalosim'}"),
    )
    run("cmake", "--build", place, "--parallel", os.cpu_count() or 1)
    return place


@pytest.fixture(scope="session")
def installed(build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prefix of an installation, moved after it was made: nothing may hold to its first place."""
    folder = tmp_path_factory.mktemp("installed")
    run("cmake", "--install", build, "--prefix", folder / "first")
    return (folder / "first").rename(folder / "moved")


@pytest.fixture(scope="session")
def consumer(
    installed: Path, onnxruntime: Path | str, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Folder with the programs of a project that uses the installed shared library."""
    place = tmp_path_factory.mktemp("consumer")
    stubs = ROOT / "tests" / "cpp" / "stubs"
    run(
        *("cmake", "-G", "Ninja", "-S", ROOT / "tests" / "consumer", "-B", place),
        *(f"-DCMAKE_PREFIX_PATH={installed}", "-DCONSUMER_LIBRARY=shared"),
        f"-DGeant4_DIR={stubs / 'geant4'}",
        f"-DFastCaloSim_DIR={stubs / 'fastcalosim'}",
        found_onnxruntime(onnxruntime),
    )
    run("cmake", "--build", place)
    return place
