"""The public clients of Triton find what they look for, over REST and gRPC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton_http
from services import VERSION, formula, make_source, running
from tritonclient.utils import InferenceServerException

from fastcaloq_infer.serving import Limits, Server

if TYPE_CHECKING:
    from collections.abc import Iterator

N = 300
ENERGY = np.geomspace(100, 100_000, N).astype(np.float32)
ETA = np.linspace(-2.5, 2.5, N).astype(np.float32)
EXPECTED = formula(ENERGY, np.abs(ETA)).astype(np.float32)


@pytest.fixture(params=["rest", "grpc"])
def client(request: pytest.FixtureRequest, toy: Server) -> Iterator[Any]:
    if request.param == "rest":
        client = triton_http.InferenceServerClient(toy.url.removeprefix("http://"))
    else:
        client = triton_grpc.InferenceServerClient(toy.grpc_address)
    client.module = triton_http if request.param == "rest" else triton_grpc
    yield client
    client.close()


def inputs(module: Any, energy: np.ndarray, eta: np.ndarray, **options: Any) -> list[Any]:
    tensors = []
    for name, values in (("incident_energy", energy), ("eta", eta)):
        tensor = module.InferInput(name, [len(values), 1], "FP32")
        tensor.set_data_from_numpy(values[:, None], **options)
        tensors.append(tensor)
    return tensors


def as_dict(message: Any) -> dict[str, Any]:
    from google.protobuf.json_format import MessageToDict

    if isinstance(message, dict):
        return message
    return MessageToDict(message, preserving_proto_field_name=True)


def test_health(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("toy")
    assert client.is_model_ready("toy", VERSION)


def test_metadata(client: Any) -> None:
    assert as_dict(client.get_server_metadata())["name"] == "fastcaloq"
    about = as_dict(client.get_model_metadata("toy"))
    assert about["versions"] == [VERSION]
    shapes = {t["name"]: [int(e) for e in t["shape"]] for t in about["inputs"] + about["outputs"]}
    assert shapes == {"incident_energy": [-1, 1], "eta": [-1, 1], "quantum": [-1, 2]}
    config = as_dict(client.get_model_config("toy"))
    assert config.get("config", config)["max_batch_size"] == Limits().batch_rows


def test_infer(client: Any) -> None:
    result = client.infer("toy", inputs(client.module, ENERGY, ETA), request_id="seven")
    assert np.array_equal(result.as_numpy("quantum"), EXPECTED)
    answer = as_dict(result.get_response())
    assert (answer["model_name"], answer["model_version"], answer["id"]) == (
        "toy", VERSION, "seven",
    )  # fmt: skip


def test_infer_one_named_output_of_a_version(client: Any) -> None:
    output = client.module.InferRequestedOutput("quantum")
    tensors = inputs(client.module, ENERGY[:1], ETA[:1])
    result = client.infer("toy", tensors, model_version=VERSION, outputs=[output])
    assert np.array_equal(result.as_numpy("quantum"), EXPECTED[:1])


def test_plain_json(toy: Server) -> None:
    client = triton_http.InferenceServerClient(toy.url.removeprefix("http://"))
    tensors = inputs(triton_http, ENERGY, ETA, binary_data=False)
    output = triton_http.InferRequestedOutput("quantum", binary_data=False)
    result = client.infer("toy", tensors, outputs=[output])
    assert np.array_equal(result.as_numpy("quantum"), EXPECTED)
    client.close()


def test_statistics_count_requests_rows_and_failures(client: Any) -> None:
    def counters() -> tuple[int, int, int]:
        stats = as_dict(client.get_inference_statistics("toy"))["model_stats"][0]
        inference = stats["inference_stats"]
        return (
            int(stats["inference_count"]),
            int(inference["success"].get("count", 0)),
            int(inference["fail"].get("count", 0)),
        )

    before = counters()
    client.infer("toy", inputs(client.module, ENERGY, ETA))
    with pytest.raises(InferenceServerException):
        client.infer("toy", inputs(client.module, ENERGY * np.nan, ETA))
    assert np.subtract(counters(), before).tolist() == [N, 1, 1]


@pytest.mark.parametrize(
    ("energy", "eta", "reason"),
    [
        (ENERGY * np.float32(np.nan), ETA, "row 0: incident_energy is nan"),
        (np.where(ENERGY > 1e4, np.float32(np.inf), ENERGY), ETA, "incident_energy is inf"),
        (-ENERGY, ETA, "row 0: incident_energy is -100"),
        (ENERGY, np.full(N, 3.0, np.float32), "row 0: eta is 3, and this model knows 0 to 2.5"),
        (ENERGY, ETA[:-1], "one number of each per row"),
    ],
)
def test_useless_conditions_are_refused_with_their_row(
    client: Any, energy: np.ndarray, eta: np.ndarray, reason: str
) -> None:
    with pytest.raises(InferenceServerException, match=reason):
        client.infer("toy", inputs(client.module, energy, eta))


def test_unknown_model_and_version(client: Any) -> None:
    tensors = inputs(client.module, ENERGY, ETA)
    with pytest.raises(InferenceServerException, match="'electron' is not served here"):
        client.infer("electron", tensors)
    with pytest.raises(InferenceServerException, match="different trainings"):
        client.infer("toy", tensors, model_version="f" * 16)
    with pytest.raises(InferenceServerException, match="no output 'hidden'"):
        client.infer("toy", tensors, outputs=[client.module.InferRequestedOutput("hidden")])


def test_wrong_dtype_and_names(client: Any) -> None:
    energy = client.module.InferInput("incident_energy", [1, 1], "FP64")
    energy.set_data_from_numpy(np.ones((1, 1)))
    eta = inputs(client.module, ENERGY[:1], ETA[:1])[1]
    with pytest.raises(InferenceServerException, match="is FP64, and must be FP32"):
        client.infer("toy", [energy, eta])
    with pytest.raises(InferenceServerException, match="inputs are eta, and must be"):
        client.infer("toy", [eta])


def test_huge_batches_are_refused() -> None:
    n = 100_000
    limits = Limits(batch_rows=1000, request_bytes=100_000)
    energy, eta = np.full(n, 1000, np.float32), np.zeros(n, np.float32)
    with running(make_source(), limits, grpc=True) as server:
        clients = (
            triton_http.InferenceServerClient(server.url.removeprefix("http://")),
            triton_grpc.InferenceServerClient(server.grpc_address),
        )
        for client, module in zip(clients, (triton_http, triton_grpc), strict=True):
            with pytest.raises(InferenceServerException, match="at most 1000 rows"):
                client.infer("toy", inputs(module, energy[:1001], eta[:1001]))
            with pytest.raises(InferenceServerException, match=r"larger than"):
                client.infer("toy", inputs(module, energy, eta))
            assert client.infer("toy", inputs(module, energy[:1000], eta[:1000])) is not None
            client.close()


def test_a_stream_answers_every_request(toy: Server) -> None:
    import queue

    answers: queue.Queue[Any] = queue.Queue()
    client = triton_grpc.InferenceServerClient(toy.grpc_address)
    client.start_stream(callback=lambda result, error: answers.put((result, error)))
    client.async_stream_infer("toy", inputs(triton_grpc, ENERGY, ETA))
    client.async_stream_infer("other", inputs(triton_grpc, ENERGY, ETA))
    first, second = answers.get(timeout=10), answers.get(timeout=10)
    assert np.array_equal(first[0].as_numpy("quantum"), EXPECTED)
    assert "'other' is not served here" in str(second[1])
    client.stop_stream()
    client.close()
