"""What goes wrong between a client and a service, seen from either side."""

from __future__ import annotations

from http import HTTPStatus

from fastcaloq_infer.errors import FastCaloQError


class ServiceError(FastCaloQError):
    """The service is away, refuses, or answers what its model cannot have answered."""


class ServiceAwayError(ServiceError):
    """No answer: the one case in which a model's own table may stand in."""


class RequestError(Exception):
    """A request that the server refuses; becomes an HTTP status or a gRPC status code.

    ``retry_after`` [s] is given where the same request may succeed later.
    """

    def __init__(
        self, status: HTTPStatus, message: str, *, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after


def bad_request(message: str) -> RequestError:
    """Return a refusal that the caller can only mend by asking differently."""
    return RequestError(HTTPStatus.BAD_REQUEST, message)
