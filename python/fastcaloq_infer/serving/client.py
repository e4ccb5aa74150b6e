"""Asking a server of the Open Inference Protocol over HTTP, patiently but not for ever."""

from __future__ import annotations

import json
import ssl
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import numpy as np
import urllib3

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.serving.answers import Answer, split_answer
from fastcaloq_infer.serving.breaker import CircuitBreaker
from fastcaloq_infer.serving.errors import ServiceAwayError, ServiceError
from fastcaloq_infer.serving.protocol import HEADER_LENGTH, encode_request, model_path

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.serving.settings import ServiceOptions

_AGAIN = (
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)
_LARGEST_TEXT = 2**20  # of an answer, beside its numbers


class InferenceClient:
    """Connections to one server, shared by all threads of a process.

    Raises
    ------
    InputError
        The URL cannot be used.
    """

    def __init__(self, url: str, token: str | None, options: ServiceOptions) -> None:
        self.url = _checked(url)
        self._options = options
        self._headers = {} if token is None else {"Authorization": f"Bearer {_clean(token)}"}
        self._pool = urllib3.PoolManager(
            maxsize=options.connections,
            num_pools=1,
            timeout=urllib3.Timeout(connect=options.connect_seconds, read=options.answer_seconds),
            **_trust(options),
        )
        self._retries = urllib3.Retry(
            total=options.retries,
            redirect=False,  # nobody else gets the token
            status_forcelist=_AGAIN,
            allowed_methods=None,  # every request may be repeated: it changes nothing
            backoff_factor=options.pause_seconds,
            backoff_jitter=options.pause_seconds,
            backoff_max=options.longest_pause_seconds,
            retry_after_max=int(np.ceil(options.longest_pause_seconds)),
            raise_on_status=False,
        )
        self.breaker = CircuitBreaker(options.failures, options.rest_seconds)

    def metadata(self, model: str) -> dict[str, Any]:
        """Return the server's description of a model.

        Raises
        ------
        ServiceAwayError
            No answer.
        ServiceError
            A refusal.
        """
        return self._ask("GET", model_path(model), None, {}, 0).content

    def infer(
        self, model: str, incident_energy: NDArray[np.float32], eta: NDArray[np.float32], width: int
    ) -> Answer:
        """Ask for features of conditions (N,) each; errors as of `metadata`.

        ``width`` is the number of features to expect, which limits the size of an answer.
        """
        body, header_length = encode_request(incident_energy, eta)
        headers = {
            "Content-Type": "application/octet-stream",
            HEADER_LENGTH: str(header_length),
        }
        # Servers may answer in JSON, where a number has up to 25 characters.
        largest = _LARGEST_TEXT + 25 * len(eta) * max(width, 64)
        return self._ask("POST", f"{model_path(model)}/infer", body, headers, largest)

    def close(self) -> None:
        """Close all connections."""
        self._pool.clear()

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], largest: int
    ) -> Answer:
        wait = self.breaker.admit()
        if wait:
            raise ServiceAwayError(
                f"the service at {self.url} failed {self._options.failures} times in a row and is "
                f"left alone for another {wait:.1f} s: see whether it runs, or try again then"
            )
        try:
            answer = self._request(method, path, body, headers, largest or _LARGEST_TEXT)
        except ServiceAwayError:
            self.breaker.failed()
            raise
        except ServiceError:
            self.breaker.worked()  # it is there; what it said is another matter
            raise
        self.breaker.worked()
        return answer

    def _request(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], largest: int
    ) -> Answer:
        try:
            response = self._pool.request(
                method,
                self.url + path,
                body=body,
                headers={**self._headers, **headers},
                retries=self._retries,
                preload_content=False,
            )
            content = self._read(response, largest)
        except urllib3.exceptions.HTTPError as error:
            raise ServiceAwayError(
                f"the service at {self.url} gave no answer ({_reason(error)}): see whether it "
                "runs there, and whether a firewall or a proxy is between"
            ) from error
        retries = len(response.retries.history) if response.retries else 0
        if response.status != HTTPStatus.OK:
            raise self._refused(response.status, content)
        return Answer(
            *split_answer(content, response.headers.get(HEADER_LENGTH), self.url), retries
        )

    def _read(self, response: urllib3.BaseHTTPResponse, largest: int) -> bytes:
        """Read an answer, however slowly it drips, within time and size."""
        deadline = time.monotonic() + self._options.answer_seconds
        parts: list[bytes] = []
        size = 0
        try:
            while part := response.read1(65_536):
                parts.append(part)
                size += len(part)
                self._check_progress(size, largest, deadline)
        except BaseException:
            response.close()  # half an answer is left in the connection
            raise
        response.release_conn()
        return b"".join(parts)

    def _check_progress(self, size: int, largest: int, deadline: float) -> None:
        if size > largest:
            raise ServiceError(
                f"the service at {self.url} answers with more than {largest} bytes, so it is no "
                "conditioner of this model: check the URL"
            )
        if time.monotonic() > deadline:
            raise ServiceAwayError(
                f"the service at {self.url} did not finish its answer within "
                f"{self._options.answer_seconds:g} s: it is overloaded or broken"
            )

    def _refused(self, status: int, content: bytes) -> ServiceError:
        try:
            said = json.loads(content)["error"]
        except (ValueError, KeyError, TypeError, RecursionError):
            said = content[:200].decode("utf-8", "replace")
        text = f"the service at {self.url} refuses ({status}): {' '.join(str(said).split())[:300]}"
        if status in (*_AGAIN, HTTPStatus.INTERNAL_SERVER_ERROR):
            return ServiceAwayError(text)
        return ServiceError(text)


def _checked(url: str) -> str:
    try:
        parsed = urllib3.util.parse_url(url)
    except urllib3.exceptions.LocationParseError:
        parsed = urllib3.util.Url()
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.query:
        raise InputError(
            f"{url!r} is no address of a service: give one such as http://127.0.0.1:8000"
        )
    if parsed.auth is not None:
        raise InputError("the URL of a service holds no password: give a token instead")
    return url.rstrip("/").removesuffix("/v2")


def _clean(token: str) -> str:
    if not token.strip() or any(not "!" <= c <= "~" for c in token.strip()):
        raise InputError("the token is empty or has characters that no header can carry")
    return token.strip()


def _trust(options: ServiceOptions) -> dict[str, Any]:
    if options.ca_certificate is None:
        return {}
    try:
        context = ssl.create_default_context(cafile=options.ca_certificate)
    except (OSError, ssl.SSLError) as error:
        raise InputError(
            f"{options.ca_certificate} is no certificate of an authority ({error}): give a PEM file"
        ) from None
    return {"ssl_context": context}


def _reason(error: BaseException) -> str:
    """Say the last cause in a few words."""
    if isinstance(error, urllib3.exceptions.MaxRetryError) and error.reason is not None:
        error = error.reason
    text = str(error)
    return text.rpartition("): ")[2] or type(error).__name__
