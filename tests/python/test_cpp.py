"""Configures, builds and runs the C++ tests; they have to pass wherever the Python tests do."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from fastcaloq_infer import Sampler
from fastcaloq_infer.export import export_onnx
from fastcaloq_infer.sampling.models import find, folder
from fastcaloq_infer.serving import Server, ServerSettings, ServiceOptions, open_source

TOKEN = "0123456789abcdef0123456789abcdef"  # noqa: S105  of this test alone
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
    place = os.environ.get("FASTCALOQ_CPP_BUILD", str(tmp_path_factory.mktemp("cpp") / "build"))
    # CMake says how to get GoogleTest where it is missing; warnings are errors here.
    run(
        *("cmake", "-G", "Ninja", "-S", str(ROOT), "-B", place),
        *("-DFASTCALOQ_BUILD_TESTS=ON", "-DFASTCALOQ_WERROR=ON", "-DFASTCALOQ_SERVED=AUTO"),
    )
    run("cmake", "--build", place, "--parallel", str(os.cpu_count() or 1))
    return place


def test_cpp_tests_pass(build: str) -> None:
    output = run(
        *("ctest", "--test-dir", build, "--output-on-failure", "--no-tests=error"),
        *("--parallel", str(os.cpu_count() or 1)),
    )
    assert "100% tests passed" in output
    assert "Not Run" not in output


@pytest.fixture(scope="module")
def consumer(build: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the programs of a project that uses the installed library."""
    folder = tmp_path_factory.mktemp("consumer")
    installed, consumer = folder / "installed", folder / "build"
    run("cmake", "--install", build, "--prefix", str(installed))
    run(
        *("cmake", "-G", "Ninja", "-S", str(ROOT / "tests" / "consumer"), "-B", str(consumer)),
        f"-DCMAKE_PREFIX_PATH={installed}",
    )
    run("cmake", "--build", str(consumer))
    return consumer


def energies(lines: list[str]) -> np.ndarray:
    """Layer energies as printed; nine digits name a float32."""
    return np.loadtxt(io.StringIO("\n".join(lines)), dtype=np.float32)


def test_example_draws_the_showers_of_its_python_twin(consumer: Path) -> None:
    arguments = (str(find("photon_energy")), "65536", "3")
    printed = run(str(consumer / "examples" / "generate"), *arguments)
    twin = run(sys.executable, str(ROOT / "examples" / "generate.py"), *arguments)
    *_, n_hits = energies(printed.splitlines()).T
    assert not n_hits.any()  # a model of layer energies alone
    assert [line.rsplit(" ", 1)[0] for line in printed.splitlines()] == twin.splitlines()
    refused = subprocess.run(
        [consumer / "examples" / "generate", find("photon_energy"), "1e9", "1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: incident energy 1e+09 MeV is outside")


def test_example_event_loop_does_not_depend_on_its_threads(consumer: Path) -> None:
    command = (str(consumer / "examples" / "event_loop"), str(find("photon_energy")), "50")
    alone, together = (run(*command, threads) for threads in ("1", "3"))
    assert alone == together
    energy, *_ = alone.split()
    # Four photons of 1 to 50 GeV in each of 50 events; the response is 1.02.
    assert 0.95 < float(energy) / (50 * 4 * 25500) < 1.1
    assert "0 particles without a shower" in alone


def test_page_about_cpp_shows_the_example() -> None:
    page = (ROOT / "docs" / "cpp.md").read_text()
    shown = page.split("```cpp\n")[1].split("```")[0]
    assert shown in (ROOT / "examples" / "generate.cpp").read_text()


def test_consumer_asks_our_service_and_falls_back_to_the_table(
    consumer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One conditioner, three ways to its features, in C++ as in Python."""
    program = consumer / "generate_served"
    if not program.exists():
        pytest.skip("libcurl's headers are missing, so the component `served` was left out")
    checkpoint, model = folder("photon_energy") / "model.safetensors", tmp_path / "served.onnx"
    export_onnx(checkpoint, model, conditioning="served")
    key, certificate, tokens = (tmp_path / name for name in ("key.pem", "public.pem", "tokens"))
    run(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
        *("-nodes", "-keyout", str(key), "-out", str(certificate), "-days", "2"),
        *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
    )
    tokens.write_text(TOKEN + "\n")
    tokens.chmod(0o600)
    settings = ServerSettings(
        port=0, grpc_port=None, token_file=tokens, tls_certificate=certificate, tls_key=key
    )
    server = Server(open_source(checkpoint), settings)
    started = threading.Event()
    thread = threading.Thread(target=server.run, args=(started.set,))
    thread.start()
    try:
        assert started.wait(60)
        command = (str(program), str(model), server.url, "65536", "3")
        for environment, reason in (
            ({"CA_FILE": str(certificate)}, "check the token"),
            ({"CA_FILE": str(certificate), "TOKEN": "other"}, "check the token"),
            ({"TOKEN": TOKEN}, "certificate"),
        ):
            refused = subprocess.run(
                command, env=environment, capture_output=True, text=True, check=False
            )
            assert refused.returncode == 1
            assert reason in refused.stderr
            assert TOKEN not in refused.stderr
        monkeypatch.setenv("TOKEN", TOKEN)
        monkeypatch.setenv("CA_FILE", str(certificate))
        *printed, note = run(*command).splitlines()
        sampler = Sampler(
            model,
            conditioning="served",
            url=server.url,
            token=TOKEN,
            service=ServiceOptions(ca_certificate=certificate),
        )
        asked = sampler.sample(65536.0, n=3, eta=0.2, seed=1).layer_energy
    finally:
        server.stop()
        thread.join(60)
    assert note == "0 conditions by the table"
    assert np.array_equal(energies(printed), asked)
    *printed, note = run(*command).splitlines()
    assert note == "1 conditions by the table"
    table = Sampler("photon_energy").sample(65536.0, n=3, eta=0.2, seed=1).layer_energy
    assert np.array_equal(energies(printed), table)
    assert not np.array_equal(table, asked)  # two ways indeed
    np.testing.assert_allclose(table, asked, rtol=Sampler(model).card.parity.relative_tolerance)
