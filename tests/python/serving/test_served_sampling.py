"""Showers with features from a service: the same as with the model's own, or a clear reason."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from services import running

from fastcaloq_infer import Sampler
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.sampling.models import folder
from fastcaloq_infer.serving import ServiceError, ServiceOptions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fastcaloq_infer.serving import Server, Source

ENERGY = np.resize(np.geomspace(256, 65536, 15), 400)
QUICK = ServiceOptions(retries=0, connect_seconds=1.0, rest_seconds=0.3)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The shipped model, exported in every mode."""
    from fastcaloq_infer.export import export_onnx

    where = tmp_path_factory.mktemp("modes")
    found = {"precomputed": folder("photon_energy") / "model.onnx"}
    for mode in ("embedded", "served"):
        found[mode] = export_onnx("photon_energy", where / f"{mode}.onnx", conditioning=mode).path
    found["bare"] = export_onnx(
        "photon_energy", where / "bare.onnx", conditioning="served", fallback=False
    ).path
    return found


@pytest.fixture(scope="module")
def exact(photon: Source) -> Iterator[Server]:
    with running(photon) as server:
        yield server


def draw(model: Any, engine: Any = "native", **options: Any) -> np.ndarray:
    sampler = Sampler(model, engine=engine, threads=1, **options)
    return sampler.sample(ENERGY, eta=0.22, seed=3).layer_energy


@pytest.mark.parametrize("engine", ["native", "onnxruntime"])
def test_all_modes_give_the_same_showers(
    files: dict[str, Path], exact: Server, engine: str
) -> None:
    """To the tolerance that every one of these files states for its engine."""
    from fastcaloq_infer.artefact import read_card

    own = draw(files["precomputed"], engine)
    parity = read_card(files["precomputed"]).parity
    allowed = 2 * (parity.absolute_tolerance + parity.relative_tolerance * own)
    served = {
        mode: draw(files[mode], engine, conditioning="served", url=exact.url)
        for mode in (("served", "bare") if engine == "onnxruntime" else tuple(files))
    }
    embedded = draw(files["embedded"], engine)
    for other in (embedded, *served.values()):
        assert (np.abs(other - own) <= allowed).all()
    if engine == "native":  # the same flow with the same features: the same bits
        assert all(np.array_equal(other, served["bare"]) for other in served.values())


def test_memory_changes_nothing(files: dict[str, Path], exact: Server) -> None:
    with_memory, without = (
        draw(
            files["served"],
            conditioning="served",
            url=exact.url,
            service=ServiceOptions(cache_rows=rows),
        )
        for rows in (100, 0)
    )
    assert np.array_equal(with_memory, without)


def test_a_grid_of_energies_is_asked_for_once(exact: Server) -> None:
    sampler = Sampler("photon_energy", conditioning="served", url=exact.url)
    for _ in range(3):
        eta = np.random.default_rng(0).uniform(0.2, 0.25, len(ENERGY))  # which does not matter
        sampler.sample(ENERGY, eta=eta, seed=1)
    counters = sampler.service_counters
    assert counters is not None
    assert (counters.requests, counters.rows) == (1, 3 * len(ENERGY))
    assert "trained conditioner" in sampler.conditioning


def test_conditions_are_clipped_before_they_are_asked_for(exact: Server) -> None:
    sampler = Sampler("photon_energy", conditioning="served", url=exact.url)
    own = Sampler("photon_energy")
    for options in ({"out_of_range": "clip"}, {"out_of_range": "extrapolate"}):
        drawn, expected = (
            s.sample([200.0, 100_000.0], eta=0.2, seed=1, **options) for s in (sampler, own)
        )
        assert drawn.n_out_of_range == 2
        assert drawn.layer_energy == pytest.approx(expected.layer_energy, rel=1e-3, abs=1e-2)
    with pytest.raises(InputError, match="row 0"):
        sampler.sample([200.0], eta=0.2, seed=1)


def test_given_latents_are_served_as_well(exact: Server) -> None:
    z = np.zeros((3, 5), np.float32)
    served = Sampler("photon_energy", conditioning="served", url=exact.url)
    drawn = served.generate([300.0, 3000.0, 30_000.0], z, eta=0.2).layer_energy
    expected = Sampler("photon_energy").generate([300.0, 3000.0, 30_000.0], z, eta=0.2).layer_energy
    assert drawn == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("engine", ["native", "onnxruntime"])
def test_the_service_goes_away_and_comes_back(
    files: dict[str, Path], photon: Source, engine: Any
) -> None:
    own = draw(files["served"], engine)
    options: dict[str, Any] = {
        "conditioning": "served", "service": ServiceOptions(**{**vars(QUICK), "cache_rows": 0}),
    }  # fmt: skip
    with running(photon) as server:
        strict, lenient = (
            Sampler(files["served"], engine, url=server.url, fallback=fallback, **options)
            for fallback in (False, True)
        )
        first = lenient.sample(ENERGY, eta=0.22, seed=3).layer_energy
        assert lenient.fallback_rows == 0
        port = int(server.url.rpartition(":")[2])
    with pytest.raises(ServiceError, match=r"no answer .*if you allow it .*--fallback"):
        strict.sample(ENERGY, eta=0.22, seed=3)
    stand_in = lenient.sample(ENERGY, eta=0.22, seed=3).layer_energy
    assert lenient.fallback_rows == len(ENERGY)
    assert np.array_equal(stand_in, own)  # the file's own features, bit for bit
    import threading

    from fastcaloq_infer.serving import Server as OurServer
    from fastcaloq_infer.serving import ServerSettings

    again = OurServer(photon, ServerSettings(port=port, grpc_port=None))
    started = threading.Event()
    thread = threading.Thread(target=again.run, args=(started.set,))
    thread.start()
    assert started.wait(20)
    assert np.array_equal(strict.sample(ENERGY, eta=0.22, seed=3).layer_energy, first)
    again.stop()
    thread.join(20)


def test_mistakes_are_one_line(files: dict[str, Path], exact: Server, toy: Server) -> None:
    nowhere = "http://127.0.0.1:1"
    for options, error, reason in (
        ({"conditioning": "embedded"}, InputError, "is unknown: use one of model, served"),
        ({"conditioning": "served"}, InputError, "needs the address"),
        ({"url": nowhere}, InputError, "belong to conditioning 'served'"),
        ({"fallback": True}, InputError, "belong to conditioning 'served'"),
        ({"conditioning": "served", "url": nowhere}, ServiceError, "no answer"),
        ({"conditioning": "served", "url": toy.url}, ServiceError, "'photon_energy' is not served"),
    ):
        with pytest.raises(error, match=reason) as raised:
            Sampler("photon_energy", service=QUICK, **options)
        assert "\n" not in str(raised.value)
    with pytest.raises(InputError, match="no table to fall back to"):
        Sampler(files["bare"], conditioning="served", url=exact.url, fallback=True)
    with pytest.raises(InputError, match="exported with --conditioning served"):
        draw("photon_energy", "onnxruntime", conditioning="served", url=exact.url)


def test_drawing_without_a_service_imports_no_client() -> None:
    code = (
        "import sys; from fastcaloq_infer import Sampler; Sampler('photon_energy').sample(300, n=1,"
        " eta=.2, seed=1); import fastcaloq_infer.cli.sample, fastcaloq_infer.cli.serve; "
        "print([m for m in ('urllib3', 'fastapi', 'grpc', 'uvicorn', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_commands(tmp_path: Path) -> None:
    """``fastcaloq serve`` in a process of its own, asked by ``fastcaloq sample``, then SIGTERM."""
    fastcaloq = [sys.executable, "-c", "from fastcaloq_infer.cli.main import main; main()"]
    token = tmp_path / "token"
    token.write_text("a-long-secret-of-the-test\n")
    environment = {**os.environ, "PYTHONWARNINGS": "error", "COLUMNS": "200"}
    server = subprocess.Popen(
        [*fastcaloq, "serve", "photon_energy", "--port", "0", "--grpc-port", "0",
         "--token-file", token],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        lines = [server.stdout.readline() for _ in range(3)]
        assert "serving photon_energy version" in lines[0]
        url = lines[1].split()[1]
        assert lines[2].startswith("gRPC 127.0.0.1:")
        output = tmp_path / "showers.hdf5"
        command = [*fastcaloq, "sample", "photon_energy", "-n", "2000", "-o", output, "--energies",
                   "256,65536", "--conditioning", "served", "--url", url]  # fmt: skip
        refused = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "refuses (401)" in refused.stderr
        done = subprocess.run(
            [*command, "--token-file", token], capture_output=True, text=True, env=environment
        )
        assert done.returncode == 0, done.stderr
        assert f"served by {url} (the table in model.onnx" in done.stdout
    finally:
        server.send_signal(signal.SIGTERM)
        out, err = server.communicate(timeout=30)
    assert server.returncode == 0
    assert "stopped" in err
    assert token.read_text().strip() not in out + err
    import h5py

    with h5py.File(output) as file:
        record = json.loads(file.attrs["provenance"])
        energies, etas = file["incident_energies"][:, 0], file["eta"][:].ravel()
        layers = file["layer_energies"][:]
    assert record["conditioning"].startswith("served by http://127.0.0.1")
    assert record["n_fallback"] == 0
    own = Sampler("photon_energy").sample(energies, eta=etas, seed=0)
    assert np.array_equal(layers, own.layer_energy)
