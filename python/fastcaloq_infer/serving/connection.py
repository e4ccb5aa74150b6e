"""HTTP connections that may not dawdle: uvicorn has no limit for the head of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

_LARGEST_HEAD = 64 * 1024


def bounded_protocol(receive_seconds: float) -> type[HttpToolsProtocol]:
    """Return a protocol that closes connections whose request line and headers do not arrive.

    Half-open and dripping connections would each hold a place for ever. The body is the
    application's business.
    """

    class BoundedProtocol(HttpToolsProtocol):
        _deadline: asyncio.TimerHandle | None = None
        _head = 0

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._start()

        def data_received(self, data: bytes) -> None:
            if self._in_head():
                self._head += len(data)
                if self._deadline is None:
                    self._start()
            super().data_received(data)
            if not self._in_head():
                self._stop()
            elif self._head > _LARGEST_HEAD:
                self._close()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop()
            super().connection_lost(exc)

        def _in_head(self) -> bool:
            """Whether no request is being received or answered."""
            return self.cycle is None or self.cycle.response_complete

        def _start(self) -> None:
            self._deadline = self.loop.call_later(receive_seconds, self._close)

        def _stop(self) -> None:
            self._head = 0
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

        def _close(self) -> None:
            self._stop()
            if not self.transport.is_closing():
                self.transport.abort()

    return BoundedProtocol
