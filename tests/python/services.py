"""Services for tests: ours in a thread, and one that is not ours (``from services import ...``)."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcaloq_infer.artefact.sections import Ranges
from fastcaloq_infer.serving import Limits, Server, ServerSettings, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REACH = Ranges(incident_energy=(100.0, 100_000.0), eta=(0.0, 2.5))
VERSION = "0123456789abcdef"


def formula(energy: np.ndarray, eta: np.ndarray) -> np.ndarray:
    """Features that a test can compute by itself."""
    return np.stack([np.sin(energy.astype(float)), np.cos(7.0 * eta.astype(float))], axis=1)


def make_source(rows: Callable[..., np.ndarray] = formula, **other: Any) -> Source:
    about: dict[str, Any] = {
        "name": "toy",
        "version": VERSION,
        "n_features": 2,
        "reach": REACH,
        "description": "a formula",
    }
    return Source(**{**about, "rows": rows, **other})


@contextmanager
def running(
    source: Source, limits: Limits | None = None, *, grpc: bool = False, **settings: Any
) -> Iterator[Server]:
    """Run a server in a thread, on ports that are free."""
    server = Server(
        source, ServerSettings(port=0, grpc_port=0 if grpc else None, **settings), limits
    )
    started = threading.Event()
    thread = threading.Thread(target=server.run, args=(started.set,))
    thread.start()
    try:
        assert started.wait(20), "the server did not start"
        yield server
    finally:
        server.stop()
        thread.join(30)
        assert not thread.is_alive(), "the server did not stop"


class Double:
    """A server of the protocol that shares no code with ours; how it answers can be bent.

    ``misbehave`` is called with the request's number (from 0) and the answer's JSON, and may
    change it, or return (status, headers, body) to be sent instead.
    """

    def __init__(self) -> None:
        self.name, self.version, self.width = "toy", VERSION, 2
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.connections: set[Any] = set()
        self.binary = True
        self.misbehave: Callable[[int, dict[str, Any]], Any] = lambda _, __: None
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                double.headers.append(dict(self.headers))
                self.answer(
                    {"name": double.name, "versions": [double.version], "inputs": [], "outputs": []}
                )

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                end = int(self.headers["Inference-Header-Content-Length"])
                request = json.loads(body[:end])
                double.headers.append(dict(self.headers))
                double.connections.add(self.client_address)
                position, columns = end, {}
                for tensor in request["inputs"]:
                    size = tensor["parameters"]["binary_data_size"]
                    assert tensor["datatype"] == "FP32"
                    column = np.frombuffer(body[position : position + size], "<f4")
                    assert tensor["shape"] == [len(column), 1]
                    columns[tensor["name"]] = column
                    position += size
                assert position == len(body)
                features = formula(columns["incident_energy"], columns["eta"]).astype("<f4")
                features = np.resize(features, (len(features), double.width))
                number = len(double.requests)
                double.requests.append(columns)
                output: dict[str, Any] = {
                    "name": "quantum",
                    "datatype": "FP32",
                    "shape": list(features.shape),
                }
                content = {
                    "model_name": double.name,
                    "model_version": double.version,
                    "outputs": [output],
                }
                raw = b""
                if double.binary:
                    raw = features.tobytes()
                    output["parameters"] = {"binary_data_size": len(raw)}
                else:
                    output["data"] = features.astype(float).tolist()  # nested: allowed as well
                bent = double.misbehave(number, content)
                if bent is None:
                    self.answer(content, raw)
                elif bent == "hang up":
                    self.close_connection = True
                else:
                    status, headers, body = bent
                    self.send(status, headers, body)

            def answer(self, content: dict[str, Any], raw: bytes = b"") -> None:
                text = json.dumps(content).encode()
                headers = {"Inference-Header-Content-Length": str(len(text))} if raw else {}
                self.send(200, headers, text + raw)

            def send(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                for key, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
