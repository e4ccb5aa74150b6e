"""The C++ side built once, installed, and used by a project of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from programs import need, run

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build tree with everything in it: libraries, components, adapters and tests."""
    need("cmake", "ninja", "ctest")
    # A folder that outlives the test saves a rebuild to those who run it often.
    place = os.environ.get("FASTCALOQ_CPP_BUILD") or tmp_path_factory.mktemp("cpp") / "build"
    stubs = ROOT / "tests" / "cpp" / "stubs"
    # CMake says how to get GoogleTest where it is missing; warnings are errors here. The adapters
    # are built against our stand-ins for the packages they need.
    run(
        *("cmake", "-G", "Ninja", "-S", ROOT, "-B", place),
        *("-DFASTCALOQ_BUILD_TESTS=ON", "-DFASTCALOQ_WERROR=ON", "-DCMAKE_INSTALL_LIBDIR=lib"),
        *("-DFASTCALOQ_SERVED=AUTO", "-DFASTCALOQ_BUILD_BENCH=ON"),
        *("-DFASTCALOQ_GEANT4=ON", f"-DGeant4_DIR={stubs / 'geant4'}"),
        *("-DFASTCALOQ_FASTCALOSIM=ON", f"-DFastCaloSim_DIR={stubs / 'fastcalosim'}"),
    )
    run("cmake", "--build", place, "--parallel", os.cpu_count() or 1)
    return Path(place)


@pytest.fixture(scope="session")
def installed(build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prefix of an installation, moved after it was made: nothing may hold to its first place."""
    folder = tmp_path_factory.mktemp("installed")
    run("cmake", "--install", build, "--prefix", folder / "first")
    return (folder / "first").rename(folder / "moved")


@pytest.fixture(scope="session")
def consumer(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the programs of a project that uses the installed shared library."""
    place = tmp_path_factory.mktemp("consumer")
    stubs = ROOT / "tests" / "cpp" / "stubs"
    run(
        *("cmake", "-G", "Ninja", "-S", ROOT / "tests" / "consumer", "-B", place),
        *(f"-DCMAKE_PREFIX_PATH={installed}", "-DCONSUMER_LIBRARY=shared"),
        f"-DGeant4_DIR={stubs / 'geant4'}",
        f"-DFastCaloSim_DIR={stubs / 'fastcalosim'}",
    )
    run("cmake", "--build", place)
    return place
