"""From the body of an inference request to checked arrays, on the server's side."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from fastcaloq_infer.serving.errors import bad_request
from fastcaloq_infer.serving.protocol import BINARY_SIZE, DATATYPE, OUTPUT

if TYPE_CHECKING:
    from numpy.typing import NDArray

Parameters = dict[str, Any]
Extent = Annotated[int, Field(ge=0, lt=2**31)]


class RequestInput(BaseModel):
    """One input tensor: numbers in ``data``, or raw bytes whose number the parameters give."""

    name: str
    shape: list[Extent]
    datatype: str
    parameters: Parameters = {}
    data: list[Any] | None = None


class RequestOutput(BaseModel):
    """One output that is asked for."""

    name: str
    parameters: Parameters = {}


class InferenceRequest(BaseModel):
    """The JSON of an inference request; keys that the protocol leaves open are passed over."""

    id: str | None = None
    parameters: Parameters = {}
    inputs: list[RequestInput]
    outputs: list[RequestOutput] | None = None


class Parsed(NamedTuple):
    """A request with its tensors as arrays, (N, 1) float32 each."""

    id: str | None
    tensors: dict[str, NDArray[np.float32]]
    binary: bool


def parse_request(body: bytes, header_length: int | None) -> Parsed:
    """Read the body of a REST request; ``header_length`` is that of its JSON, None: all of it.

    Raises
    ------
    RequestError
        No JSON, no inference request, or tensors that do not fit their description.
    """
    if header_length is not None and not 0 <= header_length <= len(body):
        raise bad_request(
            f"the header of {header_length} bytes does not fit a body of {len(body)} bytes"
        )
    text, rest = (
        (body, b"")
        if header_length is None
        else (
            body[:header_length],
            body[header_length:],
        )
    )
    try:
        request = InferenceRequest.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))
        what = f"{place}: {first['msg']}" if place else first["msg"]
        raise bad_request(f"this is no inference request: {what[:300]}") from None
    tensors: dict[str, NDArray[np.float32]] = {}
    position = 0
    for tensor in request.inputs:
        size = tensor.parameters.get(BINARY_SIZE)
        if size is None:
            values = _from_json(tensor)
        else:
            if type(size) is not int or not 0 <= size <= len(rest) - position:
                raise bad_request(
                    f"{_short(tensor.name)}: {BINARY_SIZE} {str(size)[:20]} is no number of bytes "
                    f"that the body holds, {len(rest) - position} are left"
                )
            values = from_bytes(
                tensor.name, tensor.datatype, tensor.shape, rest[position : position + size]
            )
            position += size
        _add(tensors, tensor.name, values)
    if position != len(rest):
        raise bad_request(f"{len(rest) - position} bytes at the end belong to no tensor")
    return Parsed(request.id, tensors, _binary(request))


def _add(tensors: dict[str, NDArray[np.float32]], name: str, values: NDArray[np.float32]) -> None:
    if name in tensors:
        raise bad_request(f"{_short(name)} is there twice")
    tensors[name] = values


def check_shape(name: str, datatype: str, shape: list[int]) -> None:
    """Refuse all but [N, 1] of FP32."""
    if datatype != DATATYPE:
        raise bad_request(f"{_short(name)} is {datatype[:20]}, and must be {DATATYPE}")
    if len(shape) != 2 or shape[1] != 1 or shape[0] < 1:
        raise bad_request(
            f"{_short(name)} has shape {shape[:8]}, and must be [N, 1] with at least one row"
        )


def from_bytes(name: str, datatype: str, shape: list[int], content: bytes) -> NDArray[np.float32]:
    """Return a tensor from its raw bytes."""
    check_shape(name, datatype, shape)
    if len(content) != 4 * math.prod(shape):
        raise bad_request(
            f"{_short(name)}: {len(content)} bytes are not the {4 * math.prod(shape)} of shape "
            f"{shape}"
        )
    return np.frombuffer(content, dtype="<f4").reshape(shape)


def from_numbers(name: str, datatype: str, shape: list[int], numbers: Any) -> NDArray[np.float32]:
    """Return a tensor from its numbers, flat or nested."""
    check_shape(name, datatype, shape)
    try:
        values = np.asarray(numbers)
    except ValueError:
        raise bad_request(f"{_short(name)}: data is ragged") from None
    if values.dtype.kind not in "fiu" or values.size != math.prod(shape):
        raise bad_request(
            f"{_short(name)}: data is not the {math.prod(shape)} numbers of shape {shape}"
        )
    with np.errstate(over="ignore"):  # beyond float32 becomes inf, which is out of any range
        return values.astype(np.float32).reshape(shape)


def _from_json(tensor: RequestInput) -> NDArray[np.float32]:
    if tensor.data is None:
        raise bad_request(f"{_short(tensor.name)} has neither data nor {BINARY_SIZE}")
    return from_numbers(tensor.name, tensor.datatype, tensor.shape, tensor.data)


def check_outputs(names: list[str]) -> None:
    """Refuse outputs there are not."""
    for name in names:
        if name != OUTPUT:
            raise bad_request(f"there is no output {_short(name)}, only {OUTPUT}")


def _binary(request: InferenceRequest) -> bool:
    """Whether the output is wanted as raw bytes."""
    default = request.parameters.get("binary_data_output", False)
    check_outputs([output.name for output in request.outputs or []])
    wanted = [output.parameters.get("binary_data", default) for output in request.outputs or []]
    return bool(wanted[0] if wanted else default)


def _short(name: str) -> str:
    return repr(name[:40])
