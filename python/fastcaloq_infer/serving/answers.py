"""What a service answers, held to what this model's conditioner can have answered."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastcaloq_infer.serving.errors import ServiceError
from fastcaloq_infer.serving.protocol import BINARY_SIZE, DATATYPE, OUTPUT

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Answer(NamedTuple):
    """What a server said: the JSON, and the raw tensors behind it."""

    content: dict[str, Any]
    numbers: bytes
    retries: int


def read_features(answer: Answer, rows: int, width: int, url: str) -> NDArray[np.float32]:
    """Return the features (rows, width) of an answer.

    Raises
    ------
    ServiceError
        Another tensor, shape or type, or numbers that are not finite.
    """
    outputs = answer.content.get("outputs")
    tensors = outputs if isinstance(outputs, list) else []
    found = [t for t in tensors if isinstance(t, dict) and t.get("name") == OUTPUT]
    if len(tensors) != 1 or len(found) != 1:
        raise _foreign(url, f"its answer has no tensor {OUTPUT!r}, or others beside it")
    tensor = found[0]
    if tensor.get("shape") != [rows, width] or tensor.get("datatype") != DATATYPE:
        raise _foreign(
            url,
            f"{OUTPUT!r} is {str(tensor.get('datatype'))[:20]} of shape "
            f"{str(tensor.get('shape'))[:60]} where {DATATYPE} of [{rows}, {width}] was expected",
        )
    parameters = tensor.get("parameters")
    size = parameters.get(BINARY_SIZE) if isinstance(parameters, dict) else None
    try:
        if size is None:
            values = np.asarray(tensor["data"], dtype=np.float32).reshape(rows, width)
        elif size != len(answer.numbers):
            raise _foreign(url, f"{size} bytes are announced and {len(answer.numbers)} came")
        else:
            values = np.frombuffer(answer.numbers, dtype="<f4").reshape(rows, width)
    except (KeyError, ValueError, TypeError):
        raise _foreign(url, f"the numbers of {OUTPUT!r} do not fit its shape") from None
    if not np.isfinite(values).all():
        raise _foreign(url, f"{OUTPUT!r} has numbers that are not finite")
    return values


def _foreign(url: str, what: str) -> ServiceError:
    return ServiceError(
        f"the service at {url} does not fit this model: {what}; check the URL and what is served"
    )


def split_answer(
    content: bytes, header_length: str | None, url: str
) -> tuple[dict[str, Any], bytes]:
    """Return an answer's JSON and the raw tensors behind it; ``ServiceError`` if it has none."""
    end = len(content)
    if header_length is not None:
        end = int(header_length) if header_length.isdecimal() else -1
    found = None
    if 0 <= end <= len(content):
        with contextlib.suppress(ValueError, RecursionError):
            found = json.loads(content[:end])
    if not isinstance(found, dict):
        raise _foreign(url, "its answer is no JSON of the Open Inference Protocol")
    return found, content[end:]
