"""A local HTTP server that answers like a Zenodo record, well or badly."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class Record:
    """A record's content, and how the server shall misbehave."""

    record: int
    files: dict[str, bytes]
    supports_range: bool = True
    break_after: int | None = None  # bytes of each answer after which the connection is cut
    breaks: int = 0  # how many answers are cut
    busy: int = 0  # how many requests are answered 503
    checksums: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    raw_record: bytes | None = None

    def listing(self) -> bytes:
        if self.raw_record is not None:
            return self.raw_record
        files = [
            {
                "key": name,
                "size": len(content),
                "checksum": "md5:"
                + self.checksums.get(name, hashlib.md5(content, usedforsecurity=False).hexdigest()),
            }
            for name, content in self.files.items()
        ]
        return json.dumps({"id": self.record, "files": files}).encode()


class _Handler(BaseHTTPRequestHandler):
    record: Record

    def do_GET(self) -> None:
        record = self.record
        path = self.path.split("?")[0]
        asked = self.headers.get("Range")
        record.requests.append((path, asked))
        if record.busy:
            record.busy -= 1
            self.send_error(503)
            return
        prefix = f"/records/{record.record}/files/"
        if path == f"/api/records/{record.record}":
            self._send(200, record.listing(), {})
        elif path.startswith(prefix) and path.removeprefix(prefix) in record.files:
            content = record.files[path.removeprefix(prefix)]
            if asked and record.supports_range:
                start = int(asked.removeprefix("bytes=").removesuffix("-"))
                header = {"Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
                self._send(206, content[start:], header, may_break=True)
            else:
                self._send(200, content, {}, may_break=True)
        else:
            self.send_error(404)

    def _send(
        self, status: int, body: bytes, headers: dict[str, str], *, may_break: bool = False
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        record = self.record
        if may_break and record.breaks and record.break_after is not None:
            record.breaks -= 1
            body = body[: record.break_after]
            self.close_connection = True
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Stay silent."""


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[Record, str]]]:
    """Start servers: ``record, base_url = serve(record=1, files={"a": b"..."})``."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    running = []

    def start(**settings: Any) -> tuple[Record, str]:
        record = Record(**settings)
        handler = type("Handler", (_Handler,), {"record": record})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((server, thread))
        return record, f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join()
