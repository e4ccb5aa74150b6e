"""The protocol over gRPC, with the compiled stubs of the public tritonclient package."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import grpc
from tritonclient.grpc import model_config_pb2, service_pb2, service_pb2_grpc

from fastcaloq_infer.serving.errors import RequestError, bad_request
from fastcaloq_infer.serving.protocol import DATATYPE, OUTPUT, raw
from fastcaloq_infer.serving.tensors import check_outputs, from_bytes, from_numbers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import numpy as np
    from numpy.typing import NDArray

    from fastcaloq_infer.serving.auth import Tokens
    from fastcaloq_infer.serving.service import Service

_CODES = {
    HTTPStatus.BAD_REQUEST: grpc.StatusCode.INVALID_ARGUMENT,
    HTTPStatus.UNAUTHORIZED: grpc.StatusCode.UNAUTHENTICATED,
    HTTPStatus.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    HTTPStatus.SERVICE_UNAVAILABLE: grpc.StatusCode.RESOURCE_EXHAUSTED,
    HTTPStatus.GATEWAY_TIMEOUT: grpc.StatusCode.DEADLINE_EXCEEDED,
}
_OPEN = (
    "/inference.GRPCInferenceService/ServerLive",
    "/inference.GRPCInferenceService/ServerReady",
)


def grpc_server(service: Service, tokens: Tokens | None) -> Any:
    """Return a ``grpc.aio`` server for one service, without a port yet."""
    limits = service.limits
    server = grpc.aio.server(
        interceptors=[] if tokens is None else [_Guard(service, tokens)],
        options=[
            ("grpc.so_reuseport", 0),  # else a second server would share the port unnoticed
            ("grpc.max_receive_message_length", limits.request_bytes),
            ("grpc.server_handshake_timeout_ms", int(1000 * limits.receive_seconds)),
            ("grpc.max_connection_idle_ms", int(1000 * limits.idle_seconds)),
            ("grpc.max_metadata_size", 16 * 1024),
        ],
        maximum_concurrent_rpcs=2 * limits.pending,
    )
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(_Servicer(service), server)
    return server


class _Guard(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Lets in who has a token, but for the health of the server."""

    def __init__(self, service: Service, tokens: Tokens) -> None:
        self._service = service
        self._tokens = tokens

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], details: Any
    ) -> Any:
        """See `grpc.aio.ServerInterceptor`."""
        if details.method not in _OPEN:
            metadata = dict(details.invocation_metadata)
            try:
                self._tokens.check(metadata.get("authorization"))
            except RequestError as error:
                self._service.statistics.refused("grpc", "unauthorized")
                return _refusal(error, streams=details.method.endswith("ModelStreamInfer"))
        return await continuation(details)


def _refusal(error: RequestError, *, streams: bool) -> Any:
    async def refuse(_: Any, context: Any) -> None:
        await _abort(context, error)

    if streams:
        return grpc.stream_stream_rpc_method_handler(refuse)
    return grpc.unary_unary_rpc_method_handler(refuse)


async def _abort(context: Any, error: RequestError) -> None:
    trailing: tuple[tuple[str, str], ...] = ()
    if error.retry_after is not None:
        trailing = (("retry-after", f"{error.retry_after:.0f}"),)
    await context.abort(_CODES.get(error.status, grpc.StatusCode.INTERNAL), error.message, trailing)


class _Servicer(service_pb2_grpc.GRPCInferenceServiceServicer):  # type: ignore[misc]
    """The calls of the protocol, of its statistics, and those Triton's clients start with."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def ServerLive(self, _: Any, __: Any) -> Any:  # noqa: N802 - the protocol's names
        return service_pb2.ServerLiveResponse(live=True)

    async def ServerReady(self, _: Any, __: Any) -> Any:  # noqa: N802
        return service_pb2.ServerReadyResponse(ready=not self._service.stopping)

    async def ModelReady(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self._check(request.name, request.version, context)
        return service_pb2.ModelReadyResponse(ready=not self._service.stopping)

    async def ServerMetadata(self, _: Any, __: Any) -> Any:  # noqa: N802
        return service_pb2.ServerMetadataResponse(**self._service.server_metadata())

    async def ModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self._check(request.name, request.version, context)
        return service_pb2.ModelMetadataResponse(**self._service.model_metadata())

    async def ModelConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self._check(request.name, request.version, context)
        config = model_config_pb2.ModelConfig(**self._service.model_config())
        return service_pb2.ModelConfigResponse(config=config)

    async def ModelStatistics(self, request: Any, context: Any) -> Any:  # noqa: N802
        if request.name:
            await self._check(request.name, request.version, context)
        return service_pb2.ModelStatisticsResponse(model_stats=[self._service.model_statistics()])

    async def RepositoryIndex(self, _: Any, __: Any) -> Any:  # noqa: N802
        return service_pb2.RepositoryIndexResponse(models=[self._service.repository_index()])

    async def ModelInfer(self, request: Any, context: Any) -> Any:  # noqa: N802
        try:
            return await self._infer(request)
        except RequestError as error:
            await _abort(context, error)

    async def ModelStreamInfer(  # noqa: N802
        self, requests: AsyncIterator[Any], _: Any
    ) -> AsyncIterator[Any]:
        async for request in requests:
            try:
                yield service_pb2.ModelStreamInferResponse(
                    infer_response=await self._infer(request)
                )
            except RequestError as error:
                yield service_pb2.ModelStreamInferResponse(error_message=error.message)

    async def _check(self, name: str, version: str, context: Any) -> None:
        try:
            self._service.check_model(name, version)
        except RequestError as error:
            await _abort(context, error)

    async def _infer(self, request: Any) -> Any:
        service = self._service
        try:
            service.check_model(request.model_name, request.model_version)
            check_outputs([output.name for output in request.outputs])
            features = await service.infer("grpc", _tensors(request))
        except RequestError as error:
            service.statistics.refused("grpc", error.status.name.lower())
            raise
        response = service_pb2.ModelInferResponse(
            model_name=service.source.name,
            model_version=service.source.version,
            id=request.id,
            outputs=[{"name": OUTPUT, "datatype": DATATYPE, "shape": features.shape}],
            raw_output_contents=[raw(features)],
        )
        about = service.description()
        response.parameters["evaluated_by"].string_param = about["evaluated_by"]
        response.parameters["reproducible"].bool_param = about["reproducible"]
        return response


def _tensors(request: Any) -> dict[str, NDArray[np.float32]]:
    contents = request.raw_input_contents
    if contents and len(contents) != len(request.inputs):
        raise bad_request(
            f"{len(contents)} raw contents for {len(request.inputs)} inputs: give one for each, "
            "or none"
        )
    tensors: dict[str, NDArray[np.float32]] = {}
    for position, tensor in enumerate(request.inputs):
        if tensor.name in tensors:
            raise bad_request(f"{tensor.name[:40]!r} is there twice")
        about = (tensor.name, tensor.datatype, list(tensor.shape))
        if contents:
            tensors[tensor.name] = from_bytes(*about, contents[position])
        else:
            tensors[tensor.name] = from_numbers(*about, tensor.contents.fp32_contents)
    return tensors
