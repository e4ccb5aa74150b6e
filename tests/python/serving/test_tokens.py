"""Who has no valid token is not let in, and no token is ever written down."""

from __future__ import annotations

import logging
import os
import subprocess
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tritonclient.grpc as triton_grpc
import urllib3
from services import VERSION, make_source, running
from tritonclient.utils import InferenceServerException

from fastcaloq_infer.errors import ConfigError, InputError
from fastcaloq_infer.sampling.served import ServedConditioning, read_token
from fastcaloq_infer.serving import ServedConditioner, ServiceError, ServiceOptions
from fastcaloq_infer.serving.auth import Tokens

if TYPE_CHECKING:
    from pathlib import Path

GOOD, OLD, NEW = "good-0123456789abcdef", "old-0123456789abcdef0", "new-0123456789abcdef0"
ONE = np.array([1000.0], np.float32)


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.write_text(f"# who may ask\n{GOOD}\n\n{OLD} 2020-01-31T12:00:00+00:00\n")
    return path


def features(url: str, token: str | None, **options: Any) -> np.ndarray:
    client = ServedConditioner(
        url, "toy", VERSION, 2, token=token, options=ServiceOptions(retries=0, **options)
    )
    try:
        return client.features(ONE, 0 * ONE)
    finally:
        client.close()


def test_tokens_over_rest(token_file: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with running(make_source(), token_file=token_file) as server:
        assert features(server.url, GOOD).shape == (1, 2)
        for token, reason in (
            (None, "no token was given"),
            (NEW, "not known here"),
            (GOOD[:-1], "not known here"),
            (OLD, "has expired"),
        ):
            with pytest.raises(ServiceError, match=rf"refuses \(401\): .*{reason}"):
                features(server.url, token)
        token_file.write_text(f"{NEW} 2999-01-01\n")  # replaced while the server runs
        os.utime(token_file, ns=(1, 1))
        assert features(server.url, NEW).shape == (1, 2)
        with pytest.raises(ServiceError, match="401"):
            features(server.url, GOOD)
        token_file.unlink()
        with pytest.raises(ServiceError, match="401"):
            features(server.url, NEW)
        with urllib3.PoolManager(retries=False) as http:
            for path in ("/v2/models/toy", "/metrics", "/v2"):
                response = http.request("GET", server.url + path)
                assert response.status == 401
                assert response.headers["WWW-Authenticate"] == "Bearer"
            for path in ("/v2/health/live", "/v2/health/ready"):  # probes have none
                assert http.request("GET", server.url + path).status == 200
    assert "nobody is let in" in caplog.text
    for token in (GOOD, OLD, NEW):
        assert token not in caplog.text


def test_tokens_over_grpc(token_file: Path) -> None:
    with running(make_source(), token_file=token_file, grpc=True) as server:
        client = triton_grpc.InferenceServerClient(server.grpc_address)
        assert client.is_server_live()
        assert client.get_model_metadata("toy", headers={"authorization": f"Bearer {GOOD}"})
        for headers in ({}, {"authorization": f"Bearer {NEW}"}, {"authorization": GOOD}):
            with pytest.raises(InferenceServerException, match="UNAUTHENTICATED"):
                client.get_model_metadata("toy", headers=headers)
        with pytest.raises(InferenceServerException, match="expired"):
            client.is_model_ready("toy", headers={"authorization": f"Bearer {OLD}"})
        client.close()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "has no token"),
        ("# only this\n", "has no token"),
        ("short\n", "line 1: a token of fewer than 16"),
        (f"{GOOD}\n{NEW} tomorrow\n", "line 2: behind the token stands no time"),
    ],
)
def test_bad_token_files_are_refused_without_quoting_them(
    tmp_path: Path, text: str, reason: str
) -> None:
    path = tmp_path / "tokens"
    path.write_text(text)
    with pytest.raises(ConfigError, match=reason) as error:
        Tokens(path)
    assert not any(word in str(error.value) for word in ("short", GOOD, NEW, "tomorrow"))
    with pytest.raises(ConfigError, match="cannot be read"):
        Tokens(tmp_path / "missing")


def test_clients_read_the_same_file(token_file: Path, tmp_path: Path) -> None:
    assert read_token(token_file) == GOOD
    assert read_token(None) is None
    (tmp_path / "empty").write_text("# nothing\n")
    with pytest.raises(InputError, match="is empty"):
        read_token(tmp_path / "empty")
    with pytest.raises(InputError, match="cannot be read"):
        read_token(tmp_path / "missing")


def test_descriptions_hide_the_token() -> None:
    assert GOOD not in repr(ServedConditioning("http://x:1", GOOD))
    with pytest.raises(InputError, match="no header can carry") as error:
        ServedConditioner("http://x:1", "toy", VERSION, 2, token=f"{GOOD}\r\nX: y")
    assert GOOD not in str(error.value)
    with pytest.raises(InputError, match="holds no password"):
        ServedConditioner("http://user:secret@x:1", "toy", VERSION, 2)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


def test_tls(certificate: tuple[Path, Path], token_file: Path) -> None:
    public, key = certificate
    with running(
        make_source(), tls_certificate=public, tls_key=key, token_file=token_file, grpc=True
    ) as server:
        assert server.url.startswith("https://")
        assert features(server.url, GOOD, ca_certificate=public).shape == (1, 2)
        with pytest.raises(ServiceError, match=r"self.signed certificate"):
            features(server.url, GOOD)
        client = triton_grpc.InferenceServerClient(
            server.grpc_address, ssl=True, root_certificates=str(public)
        )
        assert client.is_model_ready("toy", headers={"authorization": f"Bearer {GOOD}"})
        client.close()


def test_bad_certificates_are_refused(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    from fastcaloq_infer.serving import Server, ServerSettings

    public, key = certificate
    for settings, reason in (
        ({"tls_certificate": public}, "one of them is missing"),
        ({"tls_certificate": key, "tls_key": key}, "are no certificate and its key"),
        ({"tls_certificate": public, "tls_key": tmp_path / "no"}, "cannot read"),
    ):
        with pytest.raises(ConfigError, match=reason):
            Server(make_source(), ServerSettings(port=0, grpc_port=None, **settings))
    with pytest.raises(InputError, match="no certificate of an authority"):
        features("https://127.0.0.1:1", None, ca_certificate=key)
