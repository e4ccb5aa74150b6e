"""A C++ program whose features come from our service."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest
from programs import energies, run

from fastcaloq_infer import Sampler
from fastcaloq_infer.export import export_onnx
from fastcaloq_infer.sampling.models import folder
from fastcaloq_infer.serving import Server, ServerSettings, ServiceOptions, open_source

TOKEN = "0123456789abcdef0123456789abcdef"  # noqa: S105  of this test alone


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
