"""Our client and a server that is not ours: what it may say, and what it may not."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from services import VERSION, Double, formula

from fastcaloq_infer.errors import ConfigError, InputError
from fastcaloq_infer.serving import ServedConditioner, ServiceError, ServiceOptions
from fastcaloq_infer.serving.errors import ServiceAwayError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

N = 40
ENERGY = np.geomspace(100, 100_000, N).astype(np.float32)
ETA = np.linspace(-2.5, 2.5, N).astype(np.float32)
EXPECTED = formula(ENERGY, np.abs(ETA)).astype(np.float32)


@pytest.fixture
def connect(double: Double) -> Iterator[Callable[..., ServedConditioner]]:
    clients = []

    def make(url: str = double.url, **options: Any) -> ServedConditioner:
        quick = {"pause_seconds": 0.01, "longest_pause_seconds": 0.05, **options}
        clients.append(ServedConditioner(url, "toy", VERSION, 2, options=ServiceOptions(**quick)))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.mark.parametrize("binary", [True, False])
def test_asks_a_foreign_server(double: Double, connect: Any, binary: bool) -> None:
    double.binary = binary
    client = connect()
    client.check()
    assert np.array_equal(client.features(ENERGY, ETA), EXPECTED)
    assert (double.requests[0]["eta"] >= 0).all()  # a condition is (E_inc, |eta|)
    assert np.array_equal(client.features(ENERGY, -ETA), EXPECTED)
    assert len(double.requests) == 1
    assert client.counters.remembered == N


def test_one_connection_serves_many_requests(double: Double, connect: Any) -> None:
    client = connect(cache_rows=0)
    for _ in range(5):
        client.features(ENERGY, ETA)
    assert (len(double.requests), len(double.connections)) == (5, 1)
    assert client.counters.requests == 5


def test_large_batches_are_split(double: Double, connect: Any) -> None:
    features = connect(request_rows=15, cache_rows=0).features(ENERGY, ETA)
    assert np.array_equal(features, EXPECTED)
    assert [len(request["eta"]) for request in double.requests] == [15, 15, 10]
    assert connect(cache_rows=0).features(ENERGY[:0], ETA[:0]).shape == (0, 2)


def bent(**change: Any) -> Callable[[int, dict[str, Any]], Any]:
    def bend(_: int, content: dict[str, Any]) -> None:
        for key, value in change.items():
            content["outputs"][0][key] = value

    return bend


def replaced(**change: Any) -> Callable[[int, dict[str, Any]], Any]:
    return lambda _, content: content.update(change)


def said(body: bytes, status: int = 200, **headers: str) -> Callable[[int, dict[str, Any]], Any]:
    return lambda _, __: (status, headers, body)


@pytest.mark.parametrize(
    ("misbehave", "reason"),
    [
        (bent(shape=[N, 3]), rf"of shape \[{N}, 3\] where FP32 of \[{N}, 2\]"),
        (bent(shape=[N + 1, 2]), "where FP32 of"),
        (bent(shape=None), "where FP32 of"),
        (bent(datatype="FP64"), "is FP64 of shape"),
        (bent(name="output"), "has no tensor 'quantum'"),
        (bent(parameters={"binary_data_size": 3}), "3 bytes are announced"),
        (bent(parameters=None), "do not fit its shape"),
        (replaced(outputs=[]), "has no tensor"),
        (replaced(outputs=7), "has no tensor"),
        (replaced(model_version="f" * 16), f"version {'f' * 16}, and this model is toy"),
        (replaced(model_name="electron"), "serves electron version"),
        (said(b"<html>"), "no JSON of the Open Inference"),
        (said(b"[]"), "no JSON of the Open Inference"),
        (said(b"{}", **{"Inference-Header-Content-Length": "99"}), "no JSON"),
        (said(b"[" * 100_000), "no JSON"),
        (said(b"x" * 2_000_000), "more than .* bytes"),
        (said(b'{"error": "row 3:\\n bad"}', 400), r"refuses \(400\): row 3: bad"),
        (said(b"nobody knows", 404), r"refuses \(404\): nobody knows"),
        (said(b"", 302, Location="http://127.0.0.1:1/"), r"refuses \(302\)"),
    ],
)
def test_what_no_conditioner_of_this_model_says(
    double: Double, connect: Any, misbehave: Any, reason: str
) -> None:
    double.misbehave = misbehave
    client = connect(failures=1)
    with pytest.raises(ServiceError, match=reason) as error:
        client.features(ENERGY, ETA)
    assert not isinstance(error.value, ServiceAwayError)  # a table may not stand in for this
    assert double.url in str(error.value)
    assert len(double.requests) == 1  # no use to ask again
    double.misbehave = lambda _, __: None
    assert np.array_equal(client.features(ENERGY, ETA), EXPECTED)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_not_finite(double: Double, connect: Any, value: float) -> None:
    double.binary = False
    double.misbehave = bent(data=[0.0] * (2 * N - 1) + [value])
    with pytest.raises(ServiceError, match="not finite"):
        connect().features(ENERGY, ETA)


def test_a_service_of_another_conditioner(double: Double, connect: Any) -> None:
    double.version = "f" * 16
    with pytest.raises(ServiceError, match="different trainings"):
        connect().check()
    double.name = "electron"
    with pytest.raises(ServiceError, match="serves electron version"):
        connect().check()


@pytest.mark.parametrize(
    "trouble",
    ["hang up", (503, {"Retry-After": "0"}, b"{}"), (429, {}, b"slowly"), (502, {}, b"")],
)
def test_tries_again_after_a_pause(double: Double, connect: Any, trouble: Any) -> None:
    double.misbehave = lambda number, _: trouble if number < 2 else None
    client = connect(retries=3, cache_rows=0)
    assert np.array_equal(client.features(ENERGY, ETA), EXPECTED)
    assert client.counters.retries == 2
    assert not client.client.breaker.open


def test_a_service_that_asks_for_an_hour_does_not_get_it(double: Double, connect: Any) -> None:
    double.misbehave = said(b"{}", 503, **{"Retry-After": "3600"})
    start = time.monotonic()
    with pytest.raises(ServiceAwayError, match=r"503"):
        connect(retries=1, longest_pause_seconds=0.1).features(ENERGY, ETA)
    assert time.monotonic() - start < 5


def test_gives_up_with_a_reason(connect: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ServiceAwayError, match=r"Connection refused.*see whether it runs"):
            connect(url, retries=1).features(ENERGY, ETA)


def test_a_silent_server_is_not_waited_for(connect: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = connect(
            f"http://127.0.0.1:{silent.getsockname()[1]}", answer_seconds=0.2, retries=1
        )
        start = time.monotonic()
        with pytest.raises(ServiceAwayError, match="timed out"):
            client.features(ENERGY, ETA)
        assert time.monotonic() - start < 5


def test_a_dripping_answer_is_not_waited_for(connect: Any) -> None:
    """Every byte comes in time, the answer never: a time-out per byte would wait for ever."""
    stop = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not stop.wait(0.05):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        client = connect(
            f"http://127.0.0.1:{listener.getsockname()[1]}", answer_seconds=0.3, retries=0
        )
        with pytest.raises(ServiceAwayError, match="did not finish its answer"):
            client.features(ENERGY, ETA)
        stop.set()
        thread.join(10)


def test_the_breaker_opens_and_closes(double: Double, connect: Any) -> None:
    double.misbehave = said(b"{}", 500)
    client = connect(retries=0, failures=2, rest_seconds=0.4)
    for _ in range(2):
        with pytest.raises(ServiceAwayError, match=r"refuses \(500\)"):
            client.features(ENERGY, ETA)
    with pytest.raises(ServiceAwayError, match="failed 2 times in a row and is left alone"):
        client.features(ENERGY, ETA)
    assert len(double.requests) == 2  # it was left alone
    time.sleep(0.5)
    with pytest.raises(ServiceAwayError, match="500"):  # one call tries, and fails
        client.features(ENERGY, ETA)
    with pytest.raises(ServiceAwayError, match="left alone"):
        client.features(ENERGY, ETA)
    double.misbehave = lambda _, __: None
    time.sleep(0.5)
    assert np.array_equal(client.features(ENERGY, ETA), EXPECTED)
    assert not client.client.breaker.open
    assert client.counters.failures == 5


def test_many_threads_share_a_client(double: Double, connect: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    client = connect(cache_rows=16)

    def draw(seed: int) -> bool:
        random = np.random.default_rng(seed)
        chosen = random.integers(0, N, 200)
        features = client.features(ENERGY[chosen], ETA[chosen])
        return np.array_equal(features, EXPECTED[chosen])

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(draw, range(64)))
    assert len(double.connections) <= ServiceOptions().connections


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8000", "ftp://x", "http://", "http://x:99999", "x y"]
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(InputError, match="no address of a service"):
        ServedConditioner(url, "toy", VERSION, 2)


@pytest.mark.parametrize("option", [{"retries": -1}, {"answer_seconds": 0}, {"cache_rows": -1}])
def test_impossible_options(option: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="cannot be used"):
        ServiceOptions(**option)
