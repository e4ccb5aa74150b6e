"""The conditioner as a service (Open Inference Protocol), and the client that asks one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastcaloq_infer.lazy import lazy
from fastcaloq_infer.serving.errors import ServiceError
from fastcaloq_infer.serving.settings import Limits, ServerSettings, ServiceOptions

if TYPE_CHECKING:
    from fastcaloq_infer.serving.conditioner import ServedConditioner
    from fastcaloq_infer.serving.server import Server
    from fastcaloq_infer.serving.source import Source, open_source

__all__ = [
    "Limits",
    "ServedConditioner",
    "Server",
    "ServerSettings",
    "ServiceError",
    "ServiceOptions",
    "Source",
    "open_source",
]

__getattr__ = lazy(
    __name__,
    {
        "ServedConditioner": "conditioner",
        "Server": "server",
        "Source": "source",
        "open_source": "source",
    },
)
