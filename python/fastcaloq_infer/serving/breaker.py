"""A circuit breaker: a service that fails again and again is left alone for a while."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class CircuitBreaker:
    """Counts failed calls in a row; may be used by many threads.

    Closed: calls go through. After ``failures`` failed calls in a row it opens: for
    ``rest_seconds`` no call is let through. Then one call is tried: if it works the breaker
    closes, else it opens again.
    """

    def __init__(
        self, failures: int, rest_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit, self._rest, self._clock = failures, rest_seconds, clock
        self._failed = 0
        self._until = 0.0
        self._lock = Lock()

    @property
    def open(self) -> bool:
        """Whether a call would not be let through now."""
        return self._failed >= self._limit and self._clock() < self._until

    def admit(self) -> float:
        """Return 0 if the caller may go on, else the seconds until somebody may."""
        with self._lock:
            if self._failed < self._limit:
                return 0.0
            now = self._clock()
            if now < self._until:
                return self._until - now
            self._until = now + self._rest  # the others wait for how this one fares
            return 0.0

    def worked(self) -> None:
        """Report that a call got its answer."""
        with self._lock:
            self._failed = 0

    def failed(self) -> None:
        """Report that a call got none."""
        with self._lock:
            self._failed += 1
            self._until = self._clock() + self._rest
