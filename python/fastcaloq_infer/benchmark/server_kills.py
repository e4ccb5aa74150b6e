"""A conditioner's server killed in the middle of a production: what is left of the file."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcaloq_infer.output import produce
from fastcaloq_infer.output.reading import read_columns
from fastcaloq_infer.sampling import Sampler
from fastcaloq_infer.serving import ServiceError, ServiceOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    import psutil

    Server = Callable[[], AbstractContextManager[tuple[str, psutil.Process]]]

_LATEST = {"quick": 0.15, "full": 1.5}  # seconds into the work, when the server dies at the latest


def measure_server_kills(
    model: str, server: Server, folder: Path, *, quick: bool, say: Callable[[str], None]
) -> dict[str, int]:
    """Kill the server at random times of a production of energies that all differ.

    Returns
    -------
    dict
        Numbers of ``kills`` that ended a production with a message, files ``left`` behind by
        those, and showers ``changed`` in the production that followed with a new server, against
        one that nobody disturbed.
    """
    n, kills = (20_000, 2) if quick else (1_000_000, 20)
    with server() as (url, _):
        _produce(model, url, n, folder / "expected.root")
    expected = _showers(folder / "expected.root")
    moments = random.Random(2)
    outcome = {"kills": 0, "left": 0, "changed": 0}
    while outcome["kills"] < kills:
        say(f"kill {outcome['kills'] + 1} of {kills}: the conditioner's server")
        path = folder / f"{outcome['kills']}.root"
        with server() as (url, process):
            delay = moments.uniform(0, _LATEST["quick" if quick else "full"])
            killer = threading.Timer(delay, process.kill)
            killer.start()
            try:
                _produce(model, url, n, path)
            except ServiceError:
                outcome["kills"] += 1
                outcome["left"] += path.exists()
            killer.join()
            path.unlink(missing_ok=True)
    with server() as (url, _):
        _produce(model, url, n, path)
    outcome["changed"] = int((_showers(path) != expected).any(axis=1).sum())
    return outcome


def _produce(model: str, url: str, n: int, path: Path) -> None:
    # A dead server stays dead here: few attempts, so that the outcome is known soon.
    options = ServiceOptions(retries=1)
    sampler = Sampler(model, conditioning="served", url=url, service=options)
    produce(sampler, n, path, seed=7)


def _showers(path: Path) -> np.ndarray[Any, Any]:
    chunks = [np.column_stack(list(chunk.values())) for chunk in read_columns(path, 100_000)]
    return np.concatenate(chunks)
