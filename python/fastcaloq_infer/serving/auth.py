"""Who may ask: bearer tokens from a file, compared in constant time, never logged."""

from __future__ import annotations

import hmac
import logging
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.serving.errors import RequestError

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger("fastcaloq.serve")

_SHORTEST = 16
_SCHEME = "bearer"


class _Token(NamedTuple):
    secret: bytes
    expires: datetime | None


class Tokens:
    """The tokens a server accepts: one per line, each with the time it expires if it does.

    ``SECRET`` or ``SECRET 2027-01-31T12:00:00+00:00``; empty lines and lines after ``#`` are
    passed over. The file is read again when it changes, so tokens can be replaced and revoked
    while the server runs; without a readable file nobody is let in.

    Raises
    ------
    ConfigError
        The file is missing, empty or has a line that is no token (which is not quoted).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = (0, 0)
        self._tokens: list[_Token] = []
        self._refresh()
        if not self._tokens:
            raise ConfigError(f"{path} has no token, so nobody could ask: write one per line")

    def check(self, authorization: str | None) -> None:
        """Accept the value of an ``Authorization`` header.

        Raises
        ------
        RequestError
            401: missing, unknown or expired.
        """
        try:
            self._refresh()
        except ConfigError as error:
            self._tokens = []
            log.error("nobody is let in: %s", error)  # noqa: TRY400 - the reason is in the text
        scheme, _, secret = (authorization or "").partition(" ")
        if scheme.lower() != _SCHEME or not secret:
            raise _unauthorised("no token was given: send 'Authorization: Bearer TOKEN'")
        given = secret.strip().encode("utf-8", "surrogateescape")
        known: _Token | None = None
        for token in self._tokens:  # all of them: the time must not tell which one was close
            if hmac.compare_digest(token.secret, given):
                known = token
        if known is None:
            raise _unauthorised("the token is not known here: ask whoever runs the server")
        if known.expires is not None and known.expires <= datetime.now(UTC):
            raise _unauthorised("the token has expired: ask whoever runs the server for a new one")

    def _refresh(self) -> None:
        try:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_ino)
            if stamp == self._stamp:
                return
            text = self._path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            self._stamp = (0, 0)
            raise ConfigError(
                f"the token file {self._path} cannot be read "
                f"({getattr(error, 'strerror', None) or 'no text'}): check the path"
            ) from None
        self._tokens = [
            _parse(line, f"{self._path}, line {number}")
            for number, line in enumerate(text.splitlines(), 1)
            if line.strip() and not line.lstrip().startswith("#")
        ]
        self._stamp = stamp


def _parse(line: str, place: str) -> _Token:
    secret, _, expiry = line.strip().partition(" ")
    if len(secret) < _SHORTEST:
        raise ConfigError(
            f"{place}: a token of fewer than {_SHORTEST} characters can be guessed: use a longer "
            "one, such as that of 'openssl rand -hex 32'"
        )
    if not expiry.strip():
        return _Token(secret.encode(), None)
    try:
        expires = datetime.fromisoformat(expiry.strip())
    except ValueError:
        raise ConfigError(
            f"{place}: behind the token stands no time such as 2027-01-31T12:00:00+00:00"
        ) from None
    return _Token(secret.encode(), expires if expires.tzinfo else expires.replace(tzinfo=UTC))


def _unauthorised(message: str) -> RequestError:
    return RequestError(HTTPStatus.UNAUTHORIZED, message)
