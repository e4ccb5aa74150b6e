"""Requests that wait for each other: what arrives during one batch becomes the next."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fastcaloq_infer.serving.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from fastcaloq_infer.serving.counters import Statistics
    from fastcaloq_infer.serving.settings import Limits

    Evaluate = Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]]


class _Waiting(NamedTuple):
    incident_energy: NDArray[np.float32]
    eta: NDArray[np.float32]
    answer: asyncio.Future[NDArray[np.float32]]
    since: float


class Batcher:
    """Evaluates requests in batches, one batch at a time, in a thread of its own.

    A request that finds the evaluator idle starts at once: batches grow with the load and never
    wait for company. Lives in one event loop; the number of requests inside is bounded.
    """

    def __init__(self, evaluate: Evaluate, limits: Limits, statistics: Statistics) -> None:
        self._evaluate = evaluate
        self._limits = limits
        self._statistics = statistics
        self._waiting: deque[_Waiting] = deque()
        self._inside = 0
        self._wake = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="fastcaloq-batch")
        self._task = asyncio.create_task(self._run())

    @property
    def inside(self) -> int:
        """Requests accepted and not answered."""
        return self._inside

    async def features(
        self, incident_energy: NDArray[np.float32], eta: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Features (N, Q) of conditions (N,) each.

        Raises
        ------
        RequestError
            Too many requests are inside, or the answer took too long.
        """
        if self._inside >= self._limits.pending:
            raise RequestError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"{self._inside} requests are waiting already: try again later",
                retry_after=1.0,
            )
        answer: asyncio.Future[NDArray[np.float32]] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(incident_energy, eta, answer, time.monotonic()))
        self._count(1)
        self._wake.set()
        try:
            async with asyncio.timeout(self._limits.request_seconds):
                return await answer
        except TimeoutError:
            raise RequestError(
                HTTPStatus.GATEWAY_TIMEOUT,
                f"no features after {self._limits.request_seconds:g} s: ask for fewer rows at a "
                "time, or later",
            ) from None
        finally:
            self._count(-1)

    async def close(self) -> None:
        """Stop once every request inside has its answer."""
        while self._inside:
            await asyncio.sleep(0.01)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._thread.shutdown()

    def _count(self, change: int) -> None:
        self._inside += change
        self._statistics.pending.set(self._inside)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            batch = self._next()
            if not batch:
                self._wake.clear()
                continue
            start = time.monotonic()
            energies = np.concatenate([waiting.incident_energy for waiting in batch])
            etas = np.concatenate([waiting.eta for waiting in batch])
            try:
                features = await loop.run_in_executor(self._thread, self._evaluate, energies, etas)
            except Exception as error:  # whatever a device raises is an answer
                for waiting in batch:
                    if not waiting.answer.done():
                        waiting.answer.set_exception(error)
                continue
            seconds = time.monotonic() - start
            self._statistics.batch([start - waiting.since for waiting in batch], seconds)
            row = 0
            for waiting in batch:
                end = row + len(waiting.eta)
                if not waiting.answer.done():  # else its time was up
                    waiting.answer.set_result(features[row:end])
                row = end

    def _next(self) -> list[_Waiting]:
        """Take as many requests as fit into a batch, those whose time is up left out."""
        batch: list[_Waiting] = []
        rows = 0
        while self._waiting:
            first = self._waiting[0]
            if first.answer.done():
                self._waiting.popleft()
                continue
            rows += len(first.eta)
            if batch and rows > self._limits.batch_rows:
                break
            batch.append(self._waiting.popleft())
        return batch
