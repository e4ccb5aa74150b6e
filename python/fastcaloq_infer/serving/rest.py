"""The protocol over REST, as a FastAPI application."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

import fastcaloq_infer
from fastcaloq_infer.serving.errors import RequestError, bad_request
from fastcaloq_infer.serving.protocol import (
    BINARY_SIZE,
    DATATYPE,
    HEADER_LENGTH,
    OUTPUT,
    join,
    raw,
)
from fastcaloq_infer.serving.tensors import parse_request

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fastcaloq_infer.serving.auth import Tokens
    from fastcaloq_infer.serving.service import Service
    from fastcaloq_infer.serving.settings import Limits
    from fastcaloq_infer.serving.tensors import Parsed

_MODEL = "/v2/models/{name}"
_VERSION = _MODEL + "/versions/{version}"
_OPEN = ("/v2/health/live", "/v2/health/ready")  # for probes, which carry no tokens
_PATIENCE = 16  # bodies up to so many times the limit are read before they are refused
_CLOSING = (
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)  # before the body was read; the rest of it is not waited for
_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


def application(service: Service, tokens: Tokens | None) -> FastAPI:
    """Build the application for one service; ``tokens`` None lets everybody in."""
    app = FastAPI(
        title="FastCaloQ-Infer conditioner",
        description="Open Inference Protocol (KServe v2) with the binary tensor extension.",
        version=fastcaloq_infer.__version__,
        docs_url=None,  # those pages load scripts from elsewhere
        redoc_url=None,
        dependencies=[] if tokens is None else [Depends(_guard(tokens))],
    )
    _errors(app, service)

    async def infer(request: Request, name: str, version: str = "") -> Response:
        body = await _body(request, service.limits)
        service.check_model(name, version)
        parsed = parse_request(body, _header_length(request))
        features = await service.infer("rest", parsed.tensors)
        return _answer(service, parsed, features)

    for path in (_MODEL, _VERSION):
        app.add_api_route(path + "/infer", infer, methods=["POST"], response_model=None)
    _health(app, service)  # behind the one that hurries: routes are tried in turn
    _about(app, service)
    return app


def _health(app: FastAPI, service: Service) -> None:
    async def live() -> dict[str, bool]:
        return {"live": True}

    async def ready() -> Response:
        status = HTTPStatus.SERVICE_UNAVAILABLE if service.stopping else HTTPStatus.OK
        return JSONResponse({"ready": not service.stopping}, status)

    async def model_ready(name: str, version: str = "") -> Response:
        service.check_model(name, version)
        return await ready()

    app.add_api_route(_OPEN[0], live)
    app.add_api_route(_OPEN[1], ready, response_model=None)
    for path in (_MODEL, _VERSION):
        app.add_api_route(path + "/ready", model_ready, response_model=None)


def _about(app: FastAPI, service: Service) -> None:
    async def server() -> dict[str, Any]:
        return service.server_metadata()

    async def all_statistics() -> dict[str, Any]:
        return {"model_stats": [service.model_statistics()]}

    async def metadata(name: str, version: str = "") -> dict[str, Any]:
        service.check_model(name, version)
        return service.model_metadata()

    async def config(name: str, version: str = "") -> dict[str, Any]:
        service.check_model(name, version)
        return service.model_config()

    async def statistics(name: str, version: str = "") -> dict[str, Any]:
        service.check_model(name, version)
        return await all_statistics()

    async def index() -> list[dict[str, str]]:
        return [service.repository_index()]

    async def metrics() -> Response:
        return Response(service.statistics.exposition(), media_type=_PROMETHEUS)

    app.add_api_route("/v2", server)
    app.add_api_route("/v2/", server, include_in_schema=False)
    app.add_api_route("/v2/models/stats", all_statistics)
    for path in (_MODEL, _VERSION):
        app.add_api_route(path, metadata)
        app.add_api_route(path + "/config", config)
        app.add_api_route(path + "/stats", statistics)
    app.add_api_route("/v2/repository/index", index, methods=["POST"])
    app.add_api_route("/metrics", metrics, response_model=None)


def _errors(app: FastAPI, service: Service) -> None:
    """Answer every failure as the protocol does, ``{"error": reason}``."""

    async def refused(request: Request, error: Exception) -> Response:
        if not isinstance(error, RequestError):
            raise error
        if request.url.path.endswith("/infer"):
            service.statistics.refused("rest", error.status.name.lower())
        headers = {}
        if error.retry_after is not None:
            headers["Retry-After"] = f"{error.retry_after:.0f}"
        if error.status == HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Bearer"
        if error.status in _CLOSING:
            headers["Connection"] = "close"
        return JSONResponse({"error": error.message}, error.status, headers)

    async def unknown(_: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        headers = error.headers if isinstance(error, HTTPException) else None
        reason = HTTPStatus(status).phrase.lower()
        return JSONResponse(
            {"error": f"{reason}: the protocol has no such resource or method"}, status, headers
        )

    async def failed(_: Request, __: Exception) -> Response:
        return JSONResponse(
            {"error": "the server made a mistake: its log says which"},
            HTTPStatus.INTERNAL_SERVER_ERROR,
        )

    async def gone(_: Request, __: Exception) -> Response:
        service.statistics.refused("rest", "disconnected")
        return Response(status_code=HTTPStatus.BAD_REQUEST)  # nobody is there to read it

    app.add_exception_handler(RequestError, refused)
    app.add_exception_handler(HTTPException, unknown)
    app.add_exception_handler(ClientDisconnect, gone)
    app.add_exception_handler(Exception, failed)


def _guard(tokens: Tokens) -> Any:
    async def guard(request: Request) -> None:
        if request.url.path not in _OPEN:
            tokens.check(request.headers.get("authorization"))

    return guard


async def _body(request: Request, limits: Limits) -> bytes:
    """Read the body within the limits of size and time.

    What is a little too large is read to its end, and forgotten: a client that is still sending
    when the connection closes may never see why.
    """
    if request.headers.get("content-encoding", "identity") != "identity":
        raise RequestError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "compressed bodies are not read: send it as it is"
        )
    too_large = RequestError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"the body is larger than {limits.request_bytes} bytes: split the request",
    )
    bearable = _PATIENCE * limits.request_bytes
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > bearable:
        raise too_large
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.receive_seconds):
            async for part in request.stream():
                size += len(part)
                if size <= limits.request_bytes:
                    parts.append(part)
                elif size > bearable:
                    break
    except TimeoutError:
        raise RequestError(
            HTTPStatus.REQUEST_TIMEOUT,
            f"the body was not there after {limits.receive_seconds:g} s",
        ) from None
    if size > limits.request_bytes:
        raise too_large
    return b"".join(parts)


def _header_length(request: Request) -> int | None:
    text = request.headers.get(HEADER_LENGTH)
    if text is None:
        return None
    if not text.isdecimal() or len(text) > 12:
        raise bad_request(f"{HEADER_LENGTH} is no number of bytes")
    return int(text)


def _answer(service: Service, parsed: Parsed, features: NDArray[np.float32]) -> Response:
    tensor: dict[str, Any] = {
        "name": OUTPUT,
        "datatype": DATATYPE,
        "shape": list(features.shape),
    }
    content: dict[str, Any] = {
        "model_name": service.source.name,
        "model_version": service.source.version,
        "parameters": service.description(),
        "outputs": [tensor],
    }
    if parsed.id is not None:
        content["id"] = parsed.id
    if not parsed.binary:
        tensor["data"] = features.astype(float).ravel().tolist()
        return JSONResponse(content)
    numbers = raw(features)
    tensor["parameters"] = {BINARY_SIZE: len(numbers)}
    body, header_length = join(content, [numbers])
    return Response(
        body,
        media_type="application/octet-stream",
        headers={HEADER_LENGTH: str(header_length)},
    )
