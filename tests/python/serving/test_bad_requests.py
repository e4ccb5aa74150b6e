"""Whatever is sent, the answer is one clear refusal, and the next request works."""

from __future__ import annotations

import json
import re
import socket
import struct
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import urllib3
from services import make_source, running

from fastcaloq_infer.serving import Limits
from fastcaloq_infer.serving.protocol import encode_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastcaloq_infer.serving import Server

INFER = "/v2/models/toy/infer"
LENGTH = "Inference-Header-Content-Length"
ONE = np.array([1000.0], np.float32)


def good() -> tuple[bytes, dict[str, str]]:
    body, length = encode_request(ONE, 0 * ONE)
    return body, {LENGTH: str(length)}


@pytest.fixture
def http() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False, timeout=10) as pool:
        yield pool


def tensor(tensor_name: str, **change: Any) -> dict[str, Any]:
    return {"name": tensor_name, "shape": [1, 1], "datatype": "FP32", "data": [1000.0], **change}


def request(**change: Any) -> dict[str, Any]:
    return {"inputs": [tensor("incident_energy", **change), tensor("eta", data=[0.2])]}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "no inference request"),
        (b"{", "no inference request"),
        (b"[1, 2]", "no inference request"),
        (b"\xff\xfe\x00", "no inference request"),
        (b"[" * 50_000, "no inference request"),
        (b'{"inputs": ' + b'[{"a":' * 5000, "no inference request"),
        (b"{}", "inputs: Field required"),
        (json.dumps({"inputs": []}), "inputs are missing"),
        (json.dumps({"inputs": [3]}), "inputs.0"),
        (json.dumps(request(name=7)), "inputs.0.name"),
        (json.dumps(request(shape=[-1, 1])), "inputs.0.shape.0"),
        (json.dumps(request(shape=[2**40, 1])), "inputs.0.shape.0"),
        (json.dumps(request(shape=[2**30, 1])), "not the 1073741824 numbers"),
        (json.dumps(request(shape=[1])), r"must be \[N, 1\]"),
        (json.dumps(request(shape=[0, 1], data=[])), "at least one row"),
        (json.dumps(request(datatype="INT32")), "must be FP32"),
        (json.dumps(request(data=["a"])), "not the 1 numbers"),
        (json.dumps(request(data=[True])), "not the 1 numbers"),
        (json.dumps(request(data=[None])), "not the 1 numbers"),
        (json.dumps(request(data=[[1.0], [2.0, 3.0]])), "ragged"),
        (json.dumps(request(data=[1.0, 2.0])), "not the 1 numbers"),
        (json.dumps(request(data=None)), "neither data nor"),
        (json.dumps(request(data=[float("nan")])), "incident_energy is nan"),
        (json.dumps(request(data=[1e300])), "incident_energy is inf"),
        (json.dumps(request(parameters={"binary_data_size": 4})), "0 are left"),
        (json.dumps(request(parameters={"binary_data_size": "4"})), "no number of bytes"),
        (json.dumps(request(parameters={"binary_data_size": -4})), "no number of bytes"),
        (json.dumps(request(name="eta")), "'eta' is there twice"),
        (json.dumps({**request(), "outputs": [{"name": "x"}]}), "no output 'x'"),
    ],
)
def test_malformed_bodies(
    toy: Server, http: urllib3.PoolManager, body: str | bytes, reason: str
) -> None:
    response = http.request("POST", toy.url + INFER, body=body)
    assert response.status == 400
    assert re.search(reason, response.json()["error"])
    body, headers = good()
    assert http.request("POST", toy.url + INFER, body=body, headers=headers).status == 200


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda body, n: (body + b"xxxx", n), "4 bytes at the end belong to no tensor"),
        (lambda body, n: (body[:-1], n), "is no number of bytes that the body holds"),
        (lambda body, n: (body, n + 10_000), "does not fit a body"),
        (lambda body, n: (body, "many"), "is no number of bytes"),
        (lambda body, n: (body, "9" * 30), "is no number of bytes"),
        (lambda body, n: (body, n - 3), "no inference request"),
    ],
)
def test_malformed_binary_tensors(
    toy: Server, http: urllib3.PoolManager, change: Any, reason: str
) -> None:
    body, headers = good()
    body, length = change(body, int(headers[LENGTH]))
    response = http.request("POST", toy.url + INFER, body=body, headers={LENGTH: str(length)})
    assert response.status == 400
    assert reason in response.json()["error"]


def test_other_refusals_keep_the_form_of_the_protocol(
    toy: Server, http: urllib3.PoolManager
) -> None:
    body, headers = good()
    for path, status in (
        ("/v2/models/other/infer", 404),
        ("/v2/models/toy/versions/1/infer", 404),
        ("/v3/models", 404),
        ("/v2/models/" + "x" * 5000 + "/infer", 404),
    ):
        response = http.request("POST", toy.url + path, body=body, headers=headers)
        assert response.status == status
        assert 0 < len(response.json()["error"]) < 400
    assert http.request("GET", toy.url + INFER).status == 405
    response = http.request(
        "POST", toy.url + INFER, body=body, headers={**headers, "Content-Encoding": "gzip"}
    )
    assert response.status == 415
    assert "compressed" in response.json()["error"]


def test_metrics_are_for_prometheus(toy: Server, http: urllib3.PoolManager) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    http.request("POST", toy.url + INFER, body=b"{")
    text = http.request("GET", toy.url + "/metrics").data.decode()
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["fastcaloq_serve_requests_total", "bad_request", "rest"] >= 1
    assert found["fastcaloq_serve_pending_requests",] == 0


def test_a_body_that_is_too_large_is_not_kept(http: urllib3.PoolManager) -> None:
    with running(make_source(), Limits(request_bytes=10_000)) as server:
        for size in (10_001, 150_000, 5_000_000):
            try:
                response = http.request("POST", server.url + INFER, body=b"x" * size)
            except urllib3.exceptions.ProtocolError:
                assert size == 5_000_000  # beyond all measure: the connection just ends
                continue
            assert response.status == 413
            assert "larger than 10000 bytes" in response.json()["error"]
        chunks = (b"x" * 4000 for _ in range(10))
        assert http.request("POST", server.url + INFER, body=chunks).status == 413
        body, headers = good()
        assert http.request("POST", server.url + INFER, body=body, headers=headers).status == 200


def closed_after(connection: socket.socket) -> tuple[float, bytes]:
    """Seconds until the server closes the connection, and what it said before."""
    connection.settimeout(10)
    start, said = time.monotonic(), b""
    try:
        while part := connection.recv(4096):
            said += part
    except ConnectionResetError:
        pass
    return time.monotonic() - start, said


def test_half_open_and_dripping_connections_end() -> None:
    """Silent, half a head, a head without its body, an endless head: none stays."""
    limits = Limits(receive_seconds=0.5)
    with running(make_source(), limits) as server:
        address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        head = b"POST " + INFER.encode() + b" HTTP/1.1\r\nHost: x\r\n"
        for sent, status in (
            (b"", b""),
            (head, b""),
            (head + b"Content-Length: 500\r\n\r\n{", b"408"),
            (head + b"X: " + b"y" * 100_000, b""),
        ):
            with socket.create_connection(address) as connection:
                connection.sendall(sent)
                seconds, said = closed_after(connection)
            assert seconds < 3  # the limit, and a busy machine
            assert status in said.split(b"\r\n")[0]
        with socket.create_connection(address) as connection:  # reset in the middle of a request
            connection.sendall(head + b"Content-Length: 500\r\n\r\n{")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with urllib3.PoolManager(retries=False, timeout=10) as http:
            body, headers = good()
            answer = http.request("POST", server.url + INFER, body=body, headers=headers)
            assert answer.status == 200


def test_an_idle_connection_may_be_used_again(toy: Server) -> None:
    """The time limit is for requests under way, not for the pause between two."""
    with urllib3.HTTPConnectionPool("127.0.0.1", int(toy.url.rpartition(":")[2])) as pool:
        body, headers = good()
        for _ in range(3):
            assert pool.request("POST", INFER, body=body, headers=headers).status == 200
            time.sleep(0.1)
        assert pool.num_connections == 1


def test_a_silent_crowd_does_not_keep_others_out() -> None:
    limits = Limits(receive_seconds=1.0, connections=50)
    with running(make_source(), limits) as server:
        address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        crowd = [socket.create_connection(address) for _ in range(60)]
        deadline = time.monotonic() + 10
        body, headers = good()
        status = 0
        with urllib3.PoolManager(retries=False, timeout=5) as http:
            while status != 200 and time.monotonic() < deadline:
                answer = http.request("POST", server.url + INFER, body=body, headers=headers)
                status = answer.status
                assert status in (200, 503)
                time.sleep(0.1)
        assert status == 200
        for connection in crowd:
            connection.close()
