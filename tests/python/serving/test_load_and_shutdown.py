"""Many requests at a time: merged, bounded, refused with a time; none lost when it stops."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc as triton_grpc
import urllib3
from services import VERSION, formula, make_source, running
from tritonclient.utils import InferenceServerException

from fastcaloq_infer.serving import Limits, ServedConditioner, ServiceError, ServiceOptions
from fastcaloq_infer.serving.protocol import HEADER_LENGTH, encode_request

ONE = np.array([1000.0], np.float32)


class Gate:
    """A conditioner that computes only while it is open."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.entered = threading.Event()
        self.batches: list[int] = []

    def rows(self, energy: np.ndarray, eta: np.ndarray) -> np.ndarray:
        self.batches.append(len(np.unique(energy)))
        self.entered.set()
        assert self.open.wait(20)
        return formula(energy, eta)


def ask(url: str, energy: float, **options: Any) -> np.ndarray:
    settings: dict[str, Any] = {"retries": 0, "cache_rows": 0, **options}
    client = ServedConditioner(url, "toy", VERSION, 2, options=ServiceOptions(**settings))
    try:
        return client.features(energy * ONE / 1000, 0 * ONE)
    finally:
        client.close()


def wait_for(condition: Any) -> None:
    clock = threading.Event()
    for _ in range(1000):
        if condition():
            return
        clock.wait(0.01)
    raise AssertionError("it did not come to pass")


def test_requests_that_arrive_together_are_one_batch() -> None:
    gate = Gate()
    with running(make_source(gate.rows)) as server, ThreadPoolExecutor(9) as pool:
        first = pool.submit(ask, server.url, 500.0)
        assert gate.entered.wait(10)
        others = [pool.submit(ask, server.url, 600.0 + i) for i in range(8)]
        wait_for(lambda: server.service is not None and server.service.batcher.inside == 9)
        gate.open.set()
        energies = [500.0, *(600.0 + i for i in range(8))]
        for energy, answer in zip(energies, [first, *others], strict=True):
            expected = formula(np.array([energy], np.float32), 0 * ONE)
            assert np.array_equal(answer.result(), expected.astype(np.float32))
    assert gate.batches == [1, 8]


def test_a_full_queue_says_when_to_come_again() -> None:
    gate = Gate()
    with (
        running(make_source(gate.rows), Limits(pending=3), grpc=True) as server,
        ThreadPoolExecutor(4) as pool,
    ):
        waiting = [pool.submit(ask, server.url, 500.0 + i) for i in range(3)]
        wait_for(lambda: server.service is not None and server.service.batcher.inside == 3)
        with pytest.raises(ServiceError, match=r"refuses \(503\): 3 requests are waiting"):
            ask(server.url, 700.0)
        body, length = encode_request(ONE, 0 * ONE)
        refused = urllib3.request(
            "POST",
            f"{server.url}/v2/models/toy/infer",
            body=body,
            headers={HEADER_LENGTH: str(length)},
            retries=False,
        )
        assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
        client = triton_grpc.InferenceServerClient(server.grpc_address)
        tensors = []
        for name, value in (("incident_energy", ONE), ("eta", 0 * ONE)):
            tensors.append(triton_grpc.InferInput(name, [1, 1], "FP32"))
            tensors[-1].set_data_from_numpy(value[:, None])
        with pytest.raises(InferenceServerException, match="RESOURCE_EXHAUSTED"):
            client.infer("toy", tensors)
        client.close()
        patient = pool.submit(ask, server.url, 800.0, retries=5)  # told to come again, it does
        gate.open.set()
        assert all(answer.result().shape == (1, 2) for answer in [*waiting, patient])


def test_a_request_whose_time_is_up_is_told_so_and_forgotten() -> None:
    gate = Gate()
    with running(make_source(gate.rows), Limits(request_seconds=0.3)) as server:
        with pytest.raises(ServiceError, match=r"refuses \(504\): no features after 0.3 s"):
            ask(server.url, 500.0)
        assert server.service is not None
        assert server.service.batcher.inside == 0
        gate.open.set()
        assert ask(server.url, 600.0).shape == (1, 2)


def test_a_failing_device_is_an_answer_and_not_the_end() -> None:
    calls = []

    def rows(energy: np.ndarray, eta: np.ndarray) -> np.ndarray:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("the cryostat is warm")
        if len(calls) == 2:
            return np.full((len(energy), 2), np.nan)
        return formula(energy, eta)

    with running(make_source(rows)) as server:
        with pytest.raises(ServiceError, match=r"500\): the conditioner failed \(RuntimeError\)"):
            ask(server.url, 500.0)
        with pytest.raises(ServiceError, match="no finite features at 500 MeV"):
            ask(server.url, 500.0)
        assert ask(server.url, 500.0).shape == (1, 2)


def test_what_was_accepted_is_answered_when_the_server_stops() -> None:
    gate = Gate()
    with ThreadPoolExecutor(6) as pool:
        with running(make_source(gate.rows), grpc=True) as server:
            waiting = [pool.submit(ask, server.url, 500.0 + i) for i in range(5)]
            wait_for(lambda: server.service is not None and server.service.batcher.inside == 5)
            server.stop()
            wait_for(lambda: server.service is not None and server.service.stopping)
            threading.Event().wait(0.3)
            with pytest.raises(ServiceError, match="gave no answer"):  # the door is closed
                ask(server.url, 900.0)
            assert not any(answer.done() for answer in waiting)
            gate.open.set()
        assert all(answer.result().shape == (1, 2) for answer in waiting)


def test_taken_ports_and_unknown_hosts_are_known_at_once() -> None:
    from fastcaloq_infer.errors import ConfigError
    from fastcaloq_infer.serving import Server, ServerSettings

    with running(make_source(), grpc=True) as server:
        rest = int(server.url.rpartition(":")[2])
        rpc = int(str(server.grpc_address).rpartition(":")[2])
        for settings, reason in (
            (ServerSettings(port=rest, grpc_port=None), "choose another --port or --host"),
            (ServerSettings(port=0, grpc_port=rpc), "choose another --grpc-port"),
            (
                ServerSettings(host="no.such.host.example", port=0),
                "cannot listen on port 8001 of no",
            ),
        ):
            with pytest.raises(ConfigError, match=reason):
                Server(make_source(), settings)
    with pytest.raises(ConfigError, match="port 70000 does not exist"):
        ServerSettings(port=70_000)
    with pytest.raises(ConfigError, match="the limit pending is 0"):
        Limits(pending=0)
