"""Processes that do runs: started fresh, one thread each, gone when their parent is gone."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

from fastcaloq_infer.errors import FastCaloQError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from fastcaloq_infer.study.matrix import Run

__all__ = ["StudyError", "do_runs"]

_ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class StudyError(FastCaloQError):
    """Runs of a study that could not be done; the others are kept."""


def do_runs(tasks: Sequence[tuple[Run, Path]], jobs: int) -> Iterator[Run]:
    """Do runs in ``jobs`` processes; yield every run when it is done.

    Each run is done by one thread of one process, so neither their number nor their order decides
    a result.

    Raises
    ------
    StudyError
        After the last run: some could not be done. At once: a process was killed.
    """
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))  # read when a process loads its libraries
    failed: list[tuple[Run, FastCaloQError]] = []
    pool = ProcessPoolExecutor(
        jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_start
    )
    try:
        futures = {pool.submit(_do, run, folder): run for run, folder in tasks}
        for future in as_completed(futures):
            try:
                future.result()
            except FastCaloQError as error:
                failed.append((futures[future], error))
            else:
                yield futures[future]
    except BrokenProcessPool as error:
        raise StudyError(
            "a process of the study was killed, perhaps for want of memory; what is done is kept: "
            "start the study again, with fewer --jobs if it happens again"
        ) from error
    except BaseException:  # a key press: the runs in work are lost, so nobody waits for them
        for process in list(pool._processes.values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
    if failed:
        run, reason = failed[0]
        raise StudyError(
            f"{len(failed)} of {len(tasks)} runs could not be done (first: {run.name}: {reason}); "
            "the others are kept: mend this and start the study again"
        )


def _start() -> None:
    import torch

    torch.set_num_threads(1)
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    """End this process when its parent is gone, killed without a chance to say so."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _do(run: Run, folder: Path) -> None:
    from fastcaloq_infer.study.execute import execute

    execute(run, folder)
