"""A conditioner's service on loopback: what it adds to a batch, and how it bears a steady load."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import psutil
import urllib3

from fastcaloq_infer.artefact import read_card
from fastcaloq_infer.benchmark.server_kills import measure_server_kills
from fastcaloq_infer.benchmark.timing import interleaved
from fastcaloq_infer.sampling import Sampler
from fastcaloq_infer.serving import ServiceOptions
from fastcaloq_infer.serving.answers import Answer, read_features, split_answer
from fastcaloq_infer.serving.protocol import HEADER_LENGTH, encode_request, model_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

RATE = 200  # requests per second
SECONDS = 60
MALFORMED = 0.01
ENERGIES = 15
BATCH = 256
_THREADS = 8
_ROWS = 16
_WARM_UP = 10.0  # seconds after which a server's memory has what it needs


def measure_serving(model: str, *, quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Return what a service on loopback adds to a batch, and the outcome of a steady load.

    Keys: ``overhead`` (a list of source, batch, energies, cache, own_ms, served_ms: medians of
    runs in turn, and the best) and ``load`` (requests, malformed, failures of well-formed
    requests, malformed_not_refused, quantiles of the latency, memory_mib_early, _end, _largest).
    Latencies count from when a request was due, so a server that stalls cannot hide it, and from
    when it was sent. ``kills`` is the outcome of `measure_server_kills`.
    """
    checkpoint = Path(model).with_name("model.safetensors")
    sources = [model, *([str(checkpoint)] if checkpoint.is_file() else [])]
    overhead: list[dict[str, Any]] = []
    for source in sources:
        with _server(source) as (url, process):
            say(f"batches with features served from {Path(source).name}")
            overhead += _overhead(model, url, Path(source).name, quick=quick)
            if source == sources[-1]:
                seconds = 3 if quick else SECONDS
                say(f"{RATE} requests/s for {seconds} s")
                load = _load(model, url, process, seconds)
    with tempfile.TemporaryDirectory(prefix="fastcaloq-serving-") as folder:
        kills = measure_server_kills(
            model, partial(_server, model), Path(folder), quick=quick, say=say
        )
    return {"overhead": overhead, "load": load, "kills": kills}


@contextmanager
def _server(source: str) -> Iterator[tuple[str, psutil.Process]]:
    command = [sys.executable, "-c", "from fastcaloq_infer.cli.main import main; main()", "serve"]
    with subprocess.Popen(  # noqa: S603 - our own command, arguments as a list
        [*command, source, "--port", "0", "--grpc-port", "0"], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            found = None
            for line in process.stdout or ():
                if found := re.match(r"REST (\S+)", line):
                    break
            if found is None:
                raise RuntimeError("the server did not start")
            yield found[1], psutil.Process(process.pid)
        finally:
            process.terminate()


def _overhead(model: str, url: str, source: str, *, quick: bool) -> list[dict[str, Any]]:
    low, high = read_card(model).validity.incident_energy
    own = Sampler(model, threads=1)
    found = []
    cases = [(BATCH, BATCH, 0), (BATCH, ENERGIES, 0)]
    cases += [(batch, ENERGIES, 65_536) for batch in (BATCH, 10_000, 100_000)]
    for batch, energies, cache in cases:
        served = Sampler(
            model,
            threads=1,
            conditioning="served",
            url=url,
            service=ServiceOptions(cache_rows=cache),
        )
        energy = np.resize(np.geomspace(low, high, energies), batch).astype(np.float32)
        eta = np.full(batch, own.card.validity.eta[0], np.float32)

        def draw(sampler: Sampler, energy: Any = energy, eta: Any = eta) -> object:
            return sampler.sample(energy, eta=eta, seed=1, out_of_range="clip")

        timing = interleaved(
            {"own": lambda draw=draw: draw(own), "served": lambda d=draw, s=served: d(s)},  # type: ignore[misc]
            repetitions=3 if quick else 25,
            seconds=0.01 if quick else 0.1,
        )
        found.append(
            {
                "source": source,
                "batch": batch,
                "energies": energies,
                "cache": cache > 0,
                "own_ms": 1e3 * timing["own"].median,
                "served_ms": 1e3 * timing["served"].median,
                "own_best_ms": 1e3 * timing["own"].best,
                "served_best_ms": 1e3 * timing["served"].best,
            }
        )
    return found


class _Outcome(NamedTuple):
    well_formed: bool
    good: bool
    due: float
    sent: float
    answered: float


class _Load:
    """Threads that send requests when they are due, whatever became of those before."""

    def __init__(self, model: str, url: str, seconds: int) -> None:
        card = read_card(model)
        self._url = url + model_path(card.name) + "/infer"
        self._width = card.conditioning.features
        self._total = RATE * seconds
        random = np.random.default_rng(1)
        low, high = np.log(card.validity.incident_energy)
        self._energies = np.exp(random.uniform(low, high, (64, _ROWS))).astype(np.float32)
        self._eta = np.full(_ROWS, card.validity.eta[0], np.float32)
        self._bad = random.random(self._total) < MALFORMED
        self._pool = urllib3.PoolManager(maxsize=_THREADS, retries=False, timeout=10)
        own = Sampler(model)._model
        self._expected = [own.features(e, self._eta, "clip") for e in self._energies]
        self.outcomes: list[_Outcome] = []
        self._next = iter(range(self._total))
        self._lock = threading.Lock()

    def run(self) -> None:
        self._start = time.perf_counter()
        threads = [threading.Thread(target=self._work) for _ in range(_THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._pool.clear()

    def _work(self) -> None:
        while True:
            with self._lock:
                number = next(self._next, None)
            if number is None:
                return
            due = self._start + number / RATE
            time.sleep(max(0.0, due - time.perf_counter()))
            sent = time.perf_counter()
            good = self._ask(number)
            answered = time.perf_counter()
            self.outcomes.append(_Outcome(not self._bad[number], good, due, sent, answered))

    def _ask(self, number: int) -> bool:
        """Whether a good request got its features, and a bad one a refusal that says why."""
        kind = number % len(self._energies)
        body, length = encode_request(self._energies[kind], self._eta)
        if self._bad[number]:
            body, length = _spoil(body, length, number)
        headers = {HEADER_LENGTH: str(length)}
        try:
            response = self._pool.request("POST", self._url, body=body, headers=headers)
        except urllib3.exceptions.HTTPError:
            return False
        if self._bad[number]:
            return response.status == 400 and "error" in response.json()
        if response.status != 200:
            return False
        header_length = response.headers.get(HEADER_LENGTH)
        answer = Answer(*split_answer(response.data, header_length, self._url), 0)
        features = read_features(answer, _ROWS, self._width, self._url)
        return bool(np.allclose(features, self._expected[kind], atol=1e-5))


def _spoil(body: bytes, length: int, number: int) -> tuple[bytes, int]:
    """Break a request in one of several ways."""
    wrong: list[tuple[bytes, int]] = [
        (body[:-3], length),
        (body[: length // 2], length // 2),
        (body.replace(b"FP32", b"INT8", 1), length),
        (body[:length] + b"\xff" * (len(body) - length), length),  # NaN
        (body, len(body) + 7),
    ]
    return wrong[number % len(wrong)]


def _load(model: str, url: str, process: psutil.Process, seconds: int) -> dict[str, Any]:
    load = _Load(model, url, seconds)
    runner = threading.Thread(target=load.run)
    began = time.perf_counter()
    runner.start()
    memory: list[tuple[float, float]] = []
    while runner.is_alive():
        memory.append((time.perf_counter() - began, process.memory_info().rss / 2**20))
        runner.join(1.0)
    early = [size for at, size in memory if at >= min(_WARM_UP, seconds / 2)]
    good = [outcome for outcome in load.outcomes if outcome.well_formed]
    bad = [outcome for outcome in load.outcomes if not outcome.well_formed]
    return {
        "seconds": seconds,
        "requests": len(load.outcomes),
        "rows_per_request": _ROWS,
        "malformed": len(bad),
        "failures": sum(not outcome.good for outcome in good),
        "malformed_not_refused": sum(not outcome.good for outcome in bad),
        **_quantiles(np.array([o.answered - o.due for o in good]), "due"),
        **_quantiles(np.array([o.answered - o.sent for o in good]), "sent"),
        "memory_mib_early": early[0],
        "memory_mib_end": early[-1],
        "memory_mib_largest": max(early),
    }


def _quantiles(seconds: NDArray[np.float64], since: str) -> dict[str, float]:
    p50, p99 = np.quantile(1e3 * seconds, [0.5, 0.99])
    return {f"p50_ms_since_{since}": float(p50), f"p99_ms_since_{since}": float(p99)}
