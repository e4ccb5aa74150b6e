"""The Open Inference Protocol (KServe v2) as far as a conditioner needs it, for both sides.

REST bodies are JSON; with the binary tensor extension a tensor's numbers follow the JSON as raw
little-endian bytes, and the header `HEADER_LENGTH` says where the JSON ends. Sources: the protocol
at github.com/kserve/open-inference-protocol, the extensions at
github.com/triton-inference-server/server (docs/protocol).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

INPUTS: Final = ("incident_energy", "eta")
"""Input tensors, [N, 1] FP32 each: MeV, and eta of either sign."""
OUTPUT: Final = "quantum"
"""Output tensor, [N, Q] FP32: the conditioner's features."""
DATATYPE: Final = "FP32"
PLATFORM: Final = "fastcaloq_conditioner"
EXTENSIONS: Final = ("binary_tensor_data", "model_configuration", "statistics")
HEADER_LENGTH: Final = "Inference-Header-Content-Length"
BINARY_SIZE: Final = "binary_data_size"


def model_path(name: str) -> str:
    """Path of a model's resources."""
    return f"/v2/models/{name}"


def join(content: dict[str, Any], tensors: list[bytes]) -> tuple[bytes, int]:
    """Return a body of JSON and raw tensors, and the length of the JSON."""
    header = json.dumps(content, separators=(",", ":")).encode()
    return b"".join([header, *tensors]), len(header)


def raw(values: NDArray[np.float32]) -> bytes:
    """Return the numbers as they go over the wire."""
    return np.ascontiguousarray(values, dtype="<f4").tobytes()


def encode_request(
    incident_energy: NDArray[np.float32], eta: NDArray[np.float32]
) -> tuple[bytes, int]:
    """Return a request for features of conditions (N,) each, and the length of its JSON."""
    columns = [raw(incident_energy), raw(eta)]
    content = {
        "inputs": [
            {
                "name": name,
                "shape": [len(eta), 1],
                "datatype": DATATYPE,
                "parameters": {BINARY_SIZE: len(column)},
            }
            for name, column in zip(INPUTS, columns, strict=True)
        ],
        "outputs": [{"name": OUTPUT, "parameters": {"binary_data": True}}],
    }
    return join(content, columns)
