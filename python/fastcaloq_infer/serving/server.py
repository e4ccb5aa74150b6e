"""The server: one event loop for REST and gRPC, from bound ports to the last answer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import ssl
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import uvicorn

from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.serving.auth import Tokens
from fastcaloq_infer.serving.connection import bounded_protocol
from fastcaloq_infer.serving.rest import application
from fastcaloq_infer.serving.service import Service
from fastcaloq_infer.serving.settings import Limits, ServerSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fastapi import FastAPI

    from fastcaloq_infer.serving.source import Source

log = logging.getLogger("fastcaloq.serve")

_BACKLOG = 128


class Server:
    """Serves one conditioner until it is told to stop; then answers what it has accepted.

    Ports are bound when the object is made, so that every mistake is known before the first
    request.

    Raises
    ------
    ConfigError
        A port that is taken, a token file or certificate that cannot be used.
    """

    def __init__(
        self,
        source: Source,
        settings: ServerSettings | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.source = source
        self.settings = settings = settings or ServerSettings()
        self.limits = limits or Limits()
        self._tokens = Tokens(settings.token_file) if settings.token_file else None
        self._tls = _certificate(settings)
        if settings.grpc_port:
            _bind(settings.host, settings.grpc_port, "--grpc-port").close()
        self._socket = _bind(settings.host, settings.port, "--port")
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped_early = False
        self._socket_host = self._socket.getsockname()[0]
        self.url = f"{'https' if self._tls else 'http'}://{_address(self._socket)}"
        self.grpc_address: str | None = None
        self.service: Service | None = None

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the server."""
        return ip_address(self._socket_host).is_loopback

    def run(self, started: Callable[[], None] | None = None, *, signals: bool = False) -> None:
        """Serve until `stop`; ``started`` is called once requests are answered.

        With ``signals`` SIGTERM and SIGINT stop the server as well (main thread only); a second
        one ends it without waiting for answers.
        """
        asyncio.run(self._run(started, signals=signals))

    def stop(self) -> None:
        """Ask the server to stop, from any thread."""
        self._stopped_early = True
        if self._loop is not None and self._stop is not None:
            with contextlib.suppress(RuntimeError):  # it has stopped already
                self._loop.call_soon_threadsafe(self._stop.set)

    async def _run(self, started: Callable[[], None] | None, *, signals: bool) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        if self._stopped_early:
            self._stop.set()
        service = self.service = Service(self.source, self.limits)
        http = self._http(application(service, self._tokens))
        rpc = await self._rpc(service)
        if signals:
            self._catch(http)
        serving = asyncio.create_task(http.serve(sockets=[self._socket]))
        try:
            while not http.started and not serving.done():
                await asyncio.sleep(0.01)
            if started is not None:
                started()
            await asyncio.wait(
                [serving, asyncio.create_task(self._stop.wait())],
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            service.stopping = http.should_exit = True
            log.info("stopping: %d requests to answer", service.batcher.inside)
            await asyncio.gather(serving, *([rpc.stop(self.limits.grace_seconds)] if rpc else []))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.limits.grace_seconds):
                    await service.batcher.close()
            log.info("stopped")

    def _catch(self, http: uvicorn.Server) -> None:
        loop, stop = self._loop, self._stop
        if loop is None or stop is None:
            return

        def stop_or_end() -> None:
            if stop.is_set():
                http.force_exit = True
            stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop_or_end)

    def _http(self, app: FastAPI) -> uvicorn.Server:
        limits, settings = self.limits, self.settings
        config = uvicorn.Config(
            app,
            http=bounded_protocol(limits.receive_seconds),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,  # a line per request helps nobody; the metrics count them
            server_header=False,
            limit_concurrency=limits.connections,
            backlog=_BACKLOG,
            timeout_keep_alive=int(limits.idle_seconds),
            timeout_graceful_shutdown=int(limits.grace_seconds),
            ssl_certfile=settings.tls_certificate,
            ssl_keyfile=settings.tls_key,
        )
        return _WithoutSignals(config)

    async def _rpc(self, service: Service) -> Any:
        settings = self.settings
        if settings.grpc_port is None:
            return None
        import grpc

        from fastcaloq_infer.serving.rpc import grpc_server

        server = grpc_server(service, self._tokens)
        address = f"{_bracketed(settings.host)}:{settings.grpc_port}"
        try:
            if self._tls is None:
                port = server.add_insecure_port(address)
            else:
                credentials = grpc.ssl_server_credentials([self._tls])
                port = server.add_secure_port(address, credentials)
        except RuntimeError as error:
            raise ConfigError(
                f"gRPC cannot listen on {address} ({error}): choose another --grpc-port, or leave "
                "gRPC out with --no-grpc"
            ) from None
        self.grpc_address = f"{_bracketed(settings.host)}:{port}"
        await server.start()
        return server


class _WithoutSignals(uvicorn.Server):
    """A server whose owner decides when it stops."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _certificate(settings: ServerSettings) -> tuple[bytes, bytes] | None:
    """Read key and certificate, having tried them."""
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None or key is None:
        return None
    contents = _read(key), _read(certificate)
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except (ssl.SSLError, OSError) as error:
        raise ConfigError(
            f"{certificate} and {key} are no certificate and its key ({error}): give PEM files "
            "that belong together"
        ) from None
    return contents


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"cannot read {path} ({error.strerror}): check the path and its permissions"
        ) from None


def _bind(host: str, port: int, option: str) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise ConfigError(
            f"cannot listen on port {port} of {host} ({error.strerror}): choose another "
            f"{option} or --host"
        ) from None
    return listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"{_bracketed(host)}:{port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
