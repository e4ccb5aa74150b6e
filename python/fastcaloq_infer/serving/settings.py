"""Limits and addresses of the server, patience and memory of the client."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path  # noqa: TC003 - part of the public signature

from fastcaloq_infer.errors import ConfigError

LOOPBACK = "127.0.0.1"
REST_PORT, GRPC_PORT = 8000, 8001  # those of Triton, which clients try first


@dataclass(frozen=True)
class Limits:
    """What one client, or all of them together, may ask of a server.

    Attributes
    ----------
    request_bytes
        Size of a request's body (HTTP) or message (gRPC).
    batch_rows
        Rows of one request, and of the batch that several requests are merged into.
    pending
        Requests accepted and not answered; one more is refused with a time to try again.
    connections
        Open HTTP connections.
    receive_seconds
        From a connection's first byte to the end of the request.
    request_seconds
        From the accepted request to its answer.
    idle_seconds
        How long a connection without a request stays open.
    grace_seconds
        How long a server that was told to stop works on what it has accepted.
    """

    request_bytes: int = 2**20
    batch_rows: int = 16_384
    pending: int = 256
    connections: int = 1024
    receive_seconds: float = 10.0
    request_seconds: float = 30.0
    idle_seconds: float = 75.0
    grace_seconds: float = 30.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 < value < float("inf"):
                raise ConfigError(f"the limit {field.name} is {value}; it must be above 0")


@dataclass(frozen=True)
class ServerSettings:
    """Where a server listens and whom it answers.

    Attributes
    ----------
    host
        Address to listen on; the loopback unless told otherwise.
    port, grpc_port
        0 lets the system choose; ``grpc_port`` None leaves gRPC out.
    token_file
        File with one token per line; None lets everybody in who reaches the port.
    tls_certificate, tls_key
        PEM files; both or neither.
    """

    host: str = LOOPBACK
    port: int = REST_PORT
    grpc_port: int | None = GRPC_PORT
    token_file: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None

    def __post_init__(self) -> None:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ConfigError(
                "TLS needs a certificate and its key, and one of them is missing: give both "
                "--tls-certificate and --tls-key"
            )
        for port in (self.port, self.grpc_port or 0):
            if not 0 <= port < 2**16:
                raise ConfigError(f"port {port} does not exist: choose one from 0 to 65535")


@dataclass(frozen=True)
class ServiceOptions:
    """How patiently a client asks, and how much it remembers.

    Attributes
    ----------
    connect_seconds, answer_seconds
        Time for a connection, and for the whole answer to one attempt.
    retries
        Further attempts after one that got no answer, or was told to come again; between them
        a pause that doubles from ``pause_seconds``, with a random part of the same size.
    pause_seconds, longest_pause_seconds
        See ``retries``; a service that asks for a longer pause gets the longest one.
    failures
        Failed calls in a row after which the service counts as away...
    rest_seconds
        ...for this long: it is not asked, and the call fails at once. Then one call tries again.
    cache_rows
        Conditions whose features are remembered (about 40 bytes each for 6 features); 0: none.
    request_rows
        Rows of one request; more are asked for in several.
    connections
        Connections kept open for threads that ask at the same time.
    ca_certificate
        PEM file with the authority that signed the server's certificate; None: the system's.
    """

    connect_seconds: float = 2.0
    answer_seconds: float = 10.0
    retries: int = 3
    pause_seconds: float = 0.05
    longest_pause_seconds: float = 2.0
    failures: int = 3
    rest_seconds: float = 10.0
    cache_rows: int = 65_536
    request_rows: int = 8192
    connections: int = 8
    ca_certificate: Path | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            lowest = 0 if field.name in ("retries", "cache_rows", "pause_seconds") else 1e-9
            if isinstance(value, int | float) and not lowest <= value < float("inf"):
                raise ConfigError(f"the option {field.name} is {value}, which cannot be used")
