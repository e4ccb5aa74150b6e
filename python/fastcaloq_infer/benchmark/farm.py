"""Production on Dask workers: throughput against one process, and what is left after kill -9."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcaloq_infer.farm import Farm, Manifest, Plan, merge, run_farm
from fastcaloq_infer.output import produce
from fastcaloq_infer.output.reading import read_columns
from fastcaloq_infer.sampling import Sampler

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

VICTIMS = ("worker", "client", "scheduler")


def measure_farm(model: str, *, quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Return throughput of one process and of two workers, and the outcome of killing.

    Keys: ``showers``, ``alone_seconds``, ``workers_seconds`` (drawing and writing; the start of
    the workers, ``start_seconds``, is paid once per production), ``faults``.
    """
    plan = _plan(model, 20_000 if quick else 8_000_000, 2_500 if quick else 250_000)
    with tempfile.TemporaryDirectory(prefix="fastcaloq-farm-") as name:
        folder = Path(name)
        say(f"{plan.n_showers:,} showers by one process")
        start = time.perf_counter()
        produce(Sampler(model, threads=1), plan.n_showers, folder / "alone.root", seed=plan.seed)
        alone = time.perf_counter() - start
        say(f"{plan.n_showers:,} showers by two workers")
        reports: list[float] = []
        start = time.perf_counter()
        run_farm(
            plan,
            model,
            folder / "farm",
            Farm(workers=2),
            progress=lambda _: reports.append(time.perf_counter()),
        )
        faults = measure_faults(model, folder, quick=quick, say=say)
    return {
        "showers": plan.n_showers,
        "alone_seconds": alone,
        "workers_seconds": reports[-1] - reports[0],
        "start_seconds": reports[0] - start,
        "faults": faults,
    }


def measure_faults(
    model: str, folder: Path, *, quick: bool, say: Callable[[str], None]
) -> dict[str, int]:
    """Kill worker, client and scheduler in turn at random times, go on each time, and compare.

    Returns
    -------
    dict
        Numbers of ``kills``, ``productions`` (one may outlive several kills), showers ``lost``,
        ``duplicated`` and ``changed`` against a production by one process, and ``corrupt`` parts.
    """
    plan = _plan(model, 8_000 if quick else 1_000_000, 200 if quick else 5_000)
    kills = 3 if quick else 20
    produce(Sampler(model), plan.n_showers, folder / "expected.root", seed=plan.seed)
    expected = _columns(folder / "expected.root")
    moments = random.Random(1)
    outcome = dict.fromkeys(("kills", "productions", "lost", "duplicated", "changed", "corrupt"), 0)
    while outcome["kills"] < kills:
        run = folder / f"faults-{outcome['productions']}"
        while outcome["kills"] < kills and not _complete(run):
            victim = VICTIMS[outcome["kills"] % len(VICTIMS)]
            say(f"kill {outcome['kills'] + 1} of {kills}: {victim}")
            delay = moments.uniform(0, 0.2 if quick else 1.0)
            outcome["kills"] += _run_and_kill(plan, model, run, victim, delay)
        run_farm(plan, model, run, Farm(workers=2), resume=True)
        outcome["productions"] += 1
        _judge(run, expected, outcome)
    return outcome


def _plan(model: str, n: int, shard: int) -> Plan:
    sampler = Sampler(model)
    energy, eta = sampler.card.validity.incident_energy, sampler.card.validity.eta
    return Plan(
        model=sampler.card.name,
        model_sha256=sampler.digest,
        n_showers=n,
        first_event=0,
        seed=7,
        energy_law=f"{energy[0]!r}:{energy[1]!r}",
        eta_law=f"{eta[0]!r}:{eta[1]!r}",
        out_of_range="refuse",
        engine="native",
        suffix=".root",
        container="ttree",
        compression="zstd",
        shard=shard,
    )


def _complete(run: Path) -> bool:
    return (run / "manifest.json").exists() and not Manifest.load(run).missing()


def _run_and_kill(plan: Plan, model: str, run: Path, victim: str, delay: float) -> bool:
    """Start or resume a run, kill a process of it ``delay`` seconds into its work.

    Returns whether the run was still at work then.
    """
    cluster = _Cluster(run.parent) if victim == "scheduler" else None
    request = {
        "plan": plan.model_dump(),
        "model": model,
        "folder": str(run),
        "scheduler": cluster.address if cluster else None,
    }
    command = [sys.executable, "-m", "fastcaloq_infer.benchmark.farm", json.dumps(request)]
    try:
        with subprocess.Popen(  # noqa: S603 - our own module, arguments as a list
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            for line in process.stdout or ():
                if line.startswith("at work"):
                    break
            time.sleep(delay)
            at_work = process.poll() is None
            if cluster:
                cluster.scheduler.send_signal(signal.SIGKILL)
            elif victim == "client":
                process.kill()
            else:
                at_work = _kill_worker(process.pid) and at_work
            process.communicate()
    finally:
        if cluster:
            cluster.stop()
    return at_work


def _kill_worker(client: int) -> bool:
    import psutil

    for child in psutil.Process(client).children(recursive=True):
        if "spawn_main" in " ".join(child.cmdline()):
            child.kill()
            return True
    return False


class _Cluster:
    """A scheduler and two workers in processes of their own."""

    def __init__(self, folder: Path) -> None:
        file = folder / "scheduler.json"
        file.unlink(missing_ok=True)
        self.scheduler = _dask(
            "scheduler",
            "--host=127.0.0.1",
            "--port=0",
            "--no-dashboard",
            f"--scheduler-file={file}",
        )
        while not (file.exists() and file.read_text().strip()):
            time.sleep(0.05)
        self.address = json.loads(file.read_text())["address"]
        self._workers = [
            _dask("worker", self.address, "--nthreads=1", "--no-dashboard", "--no-nanny")
            for _ in range(2)
        ]

    def stop(self) -> None:
        for process in (self.scheduler, *self._workers):
            process.kill()
            process.wait()


def _dask(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - Dask's own command line
        [sys.executable, "-m", "dask", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _columns(*paths: Path) -> dict[str, NDArray[Any]]:
    chunks = [chunk for path in paths for chunk in read_columns(path, 100_000)]
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}


def _judge(run: Path, expected: dict[str, NDArray[Any]], outcome: dict[str, int]) -> None:
    """Count what differs from the single production, in the parts and in the merged file."""
    parts = Manifest.load(run).parts
    outcome["corrupt"] += sum(not part.intact(run) for part in parts)
    merge([run], run / "merged.root")
    found = _columns(run / "merged.root")
    events, counts = np.unique(found["event"], return_counts=True)
    outcome["duplicated"] += int((counts - 1).sum())
    outcome["lost"] += len(np.setdiff1d(expected["event"], events))
    if len(found["event"]) == len(expected["event"]):
        same = np.all([found[name] == expected[name] for name in expected], axis=0)
        outcome["changed"] += int((~same).sum())


def main() -> None:
    """Run a production as another process is asked to, and say when it is at work."""
    request = json.loads(sys.argv[1])
    run_farm(
        Plan(**request["plan"]),
        request["model"],
        request["folder"],
        Farm(2, request["scheduler"]),
        resume=True,
        progress=lambda _: print("at work", flush=True),
    )


if __name__ == "__main__":
    main()
