"""The library as users get it: installed, through pkg-config, inside the Python package."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from programs import need, run

import fastcaloq_infer
from fastcaloq_infer import _core
from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.sampling.models import find

ROOT = Path(__file__).resolve().parents[3]
GENERATE = (find("photon_energy"), 65536, 2)


@pytest.fixture(scope="module")
def generated(consumer: Path) -> str:
    """What every build of examples/generate.cpp must print."""
    return run(consumer / "examples" / "generate", *GENERATE)


@pytest.mark.parametrize("kind", ["static", "shared"])
def test_exceptions_and_classes_cross_the_boundary(consumer: Path, kind: str) -> None:
    printed = run(consumer / f"boundary_{kind}", find("photon_energy"))
    assert printed.count("ok: ") == 9
    assert printed.splitlines()[-1] == fastcaloq_infer.__version__


def test_adapters_are_installed_as_components(consumer: Path) -> None:
    assert run(consumer / "adapters").count("needs a parametrisation") == 2


def test_shared_library_goes_by_its_interface_version(installed: Path, consumer: Path) -> None:
    major, minor, _ = fastcaloq_infer.__version__.split(".")
    name = f"libfastcaloq.so.{major}.{minor}"
    assert (installed / "lib" / name).exists()
    assert name in run("ldd", consumer / "examples" / "generate")
    assert name not in run("ldd", consumer / "boundary_static")


def test_public_headers_name_nobody_else(installed: Path) -> None:
    """The standard library and each other, so that nothing else must be there to compile them."""
    folder = installed / "include" / "fastcaloq"
    headers = sorted(folder.glob("*.hpp"))
    assert len(headers) > 15
    for header in headers:
        text = header.read_text()
        included = re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', text, re.MULTILINE)
        ours = {name for name in included if name.startswith("fastcaloq/")}
        assert all((folder.parent / name).exists() for name in ours), header
        assert all(re.fullmatch(r"[a-z_]+", name) for name in set(included) - ours), header
        code = re.sub(r"//.*", "", text)
        others = {name for name in re.findall(r"(?<![\w:])(\w+)::", code) if name.islower()}
        assert others <= {"std", "fastcaloq", "detail"}, header


@pytest.mark.parametrize("static", [False, True], ids=["shared", "static"])
def test_pkg_config_is_enough_to_build(
    installed: Path, generated: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, static: bool
) -> None:
    if shutil.which("pkg-config") is None:
        pytest.skip("pkg-config is missing")
    monkeypatch.setenv("PKG_CONFIG_PATH", str(installed / "lib" / "pkgconfig"))
    assert run("pkg-config", "--modversion", "fastcaloq").strip() == fastcaloq_infer.__version__
    flags = run("pkg-config", "--cflags", "--libs", "fastcaloq", *["--static"] * static).split()
    flags.append("-static" if static else f"-Wl,-rpath,{installed / 'lib'}")
    source, program = ROOT / "examples" / "generate.cpp", tmp_path / "generate"
    run(os.environ.get("CXX", "c++"), "-std=c++17", source, "-o", program, *flags)
    assert run(program, *GENERATE) == generated


def test_python_package_brings_the_library(generated: str, tmp_path: Path) -> None:
    need("cmake", "ninja")
    build = tmp_path / "build"
    run(
        *("cmake", "-G", "Ninja", "-S", ROOT / "tests" / "consumer" / "wheel", "-B", build),
        f"-DPython_EXECUTABLE={sys.executable}",
    )
    run("cmake", "--build", build)
    assert run(build / "simulation", *GENERATE) == generated


def test_page_shows_what_was_built() -> None:
    page = (ROOT / "docs" / "cpp.md").read_text()
    blocks = re.findall(r"```cmake\n(.*?)```", page, re.DOTALL)
    wheel = (ROOT / "tests" / "consumer" / "wheel" / "CMakeLists.txt").read_text()
    (shown,) = (block for block in blocks if "cmake_dir" in block)
    assert shown in wheel


def test_package_without_the_library_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_core, "__file__", str(tmp_path / "_core.so"))
    with pytest.raises(ConfigError, match=r"has no FastCaloQConfig\.cmake.*install"):
        fastcaloq_infer.cmake_dir()
