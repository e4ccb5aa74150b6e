"""The Dask workers of a production: a running scheduler's, or processes started for it."""

from __future__ import annotations

import asyncio
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.farm.worker import draw_part

if TYPE_CHECKING:
    from contextlib import ExitStack

    from distributed import Client

__all__ = ["Farm", "connect"]

_GREETING = 10.0  # seconds for a scheduler to answer
_KEPT = str(1 << 26)  # bytes: a chunk of 100,000 showers takes some 20 MB
_PER_PROCESSOR = 8  # beyond this many, workers only take each other's memory


@dataclass(frozen=True)
class Farm:
    """Where the work is done: ``scheduler`` (an address) or ``workers`` processes started here.

    Raises
    ------
    InputError
        No worker, or more than this machine can bear.
    """

    workers: int = 2
    scheduler: str | None = None

    def __post_init__(self) -> None:
        """Refuse before anything is written what would fail, or never end, at the start."""
        processors = os.cpu_count() or 1
        most = _PER_PROCESSOR * processors
        if self.scheduler is None and not 0 < self.workers <= most:
            raise InputError(
                f"{self.workers} workers cannot be started: this machine has {processors} "
                f"processors; give 1 to {most}, best one per processor"
            )


def connect(farm: Farm, stack: ExitStack) -> Client:
    """Return a client of the scheduler, closed with ``stack``, as is a cluster started for it.

    Raises
    ------
    InputError
        No scheduler answers at the address.
    """
    import dask
    from distributed import Client, LocalCluster

    _quieten(stack)
    stack.enter_context(
        dask.config.set(
            {
                # Lost workers are counted here, by part; the scheduler shall not give up before.
                "distributed.scheduler.allowed-failures": 1000,
                "distributed.nanny.pre-spawn-environ.DASK_LOGGING__DISTRIBUTED": "critical",
                # Dask has workers give every freed page back at once; taking them anew for each
                # chunk of showers cost a third of the processor time.
                "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": _KEPT,
                "distributed.nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_": _KEPT,
            }
        )
    )
    if farm.scheduler is None:
        cluster = stack.enter_context(
            LocalCluster(
                n_workers=farm.workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                host="127.0.0.1",
                # Any free port for the scheduler's own page, as several productions may run here.
                scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
                preload=draw_part.__module__,  # its dask_setup
            )
        )
        return stack.enter_context(Client(cluster))
    try:
        # A thread of its own, as a notebook has a loop running in this one.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, _greet(farm.scheduler)).result()
        return stack.enter_context(Client(farm.scheduler, timeout=_GREETING))
    except Exception as error:  # every protocol has errors of its own, without a common base
        raise InputError(
            f"no Dask scheduler answers at {farm.scheduler} ({type(error).__name__}); start one "
            "with 'dask scheduler', or leave --scheduler out and give --workers"
        ) from error


async def _greet(address: str) -> None:
    """Exchange greetings: a ``Client`` waits for ever on a server that is no scheduler."""
    from distributed import Security
    from distributed.comm import connect as greeted

    arguments = Security().get_connection_args("client")
    comm = await asyncio.wait_for(greeted(address, **arguments), _GREETING)
    comm.abort()


def _quieten(stack: ExitStack) -> None:
    """Keep Dask's log off the screen: what matters to the user comes as an error or a count."""
    for name in ("distributed", "distributed.client"):
        logger = logging.getLogger(name)
        stack.callback(logger.setLevel, logger.level)
        logger.setLevel(logging.CRITICAL)
