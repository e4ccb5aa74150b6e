"""All measurements of one machine in one run, and the figures they give against their targets."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastcaloq_infer
from fastcaloq_infer.artefact import digest, read_card
from fastcaloq_infer.benchmark.figures import figures
from fastcaloq_infer.cores import available_cores
from fastcaloq_infer.errors import FastCaloQError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SECTIONS = ("load", "engines", "showers", "root", "conditioner", "training")
ON_REQUEST = ("subnet", "farm", "serving")
"""Sections that take minutes; measured only where they are asked for."""
_NEEDS = {
    "conditioner": ("torch", "pennylane"),
    "training": ("torch",),
    "subnet": ("torch", "pennylane"),
    "farm": ("distributed", "psutil"),
    "serving": ("fastapi", "uvicorn", "grpc", "tritonclient", "psutil"),
}
# Their matrices are 64 wide: a second thread brings little but noise.
_ONE_THREAD = ("load", "conditioner", "training", "subnet", "serving")
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class BenchmarkError(FastCaloQError):
    """A measurement failed."""


def run_benchmark(
    model: Path,
    *,
    quick: bool = False,
    sections: Sequence[str] = SECTIONS,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Measure the model file ``model`` and return a report that can be written as JSON.

    Keys: ``schema``, ``version``, ``created``, ``quick``, ``seconds``, ``machine``, ``model``
    (name, sha256, multiply_adds_per_shower); one per section that was measured: ``load``
    (first_ms, model_ms, sampler_ms), ``throughput`` (list of engine, threads, batch,
    showers_per_second, spread, repetitions), ``sgemm`` (list of library, shape, threads, gflops),
    ``difference_from_native`` (per engine), ``showers`` (of a model with voxels: see
    `whole_showers.measure_whole_showers`), ``root`` (showers, voxels, generation_seconds,
    writing_seconds, total_seconds, command_seconds), ``conditioner``, ``training``,
    ``subnet``, ``farm``, ``serving``;
    ``figures`` (list of name, value, unit, target, relation, met) and ``skipped`` (what was not
    measured, and why).

    Parameters
    ----------
    model
        Its energy flow's checkpoint ``model.safetensors`` beside it is measured in PyTorch.
    quick
        Few and short repetitions: shows that everything works, its figures mean little.
    sections
        Some of :data:`SECTIONS` and :data:`ON_REQUEST`.
    progress
        Called with a line of text before every measurement.

    Raises
    ------
    InputError
        An unknown section.
    ModelError
        The file is not a usable model.
    BenchmarkError
        A measurement failed.
    """
    known = (*SECTIONS, *ON_REQUEST)
    if unknown := set(sections) - set(known):
        raise InputError(
            f"no measurement is called {', '.join(map(repr, sorted(unknown)))}; choose among "
            f"{', '.join(known)}"
        )
    start = time.perf_counter()
    card = read_card(model)
    cores = available_cores()
    report: dict[str, Any] = {
        "schema": 1,
        "version": fastcaloq_infer.__version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "machine": _machine(cores),
        "model": {"name": card.name, "sha256": digest(model)},
        "skipped": {},
    }
    for section in (name for name in known if name in sections):
        lacking = [p for p in _NEEDS.get(section, ()) if not importlib.util.find_spec(p)]
        if lacking:
            report["skipped"][section] = f"{', '.join(lacking)} not installed"
        elif section == "engines":
            _engines(report, model, quick, cores, progress)
        elif section == "showers":
            if card.n_voxels:
                report["showers"] = _showers(model, quick, cores, progress)
        else:
            began = time.perf_counter()
            threads = 1 if section in _ONE_THREAD else cores
            report[section] = _measure(section, model, quick, threads, progress)
            if section == "root":
                report[section]["command_seconds"] = time.perf_counter() - began
    report["figures"] = figures(report)
    report["seconds"] = time.perf_counter() - start
    return report


def _engines(
    report: dict[str, Any], model: Path, quick: bool, cores: int, progress: Callable[[str], None]
) -> None:
    """Measure the engines with one thread and with all, and add to the report."""
    report |= {"throughput": [], "sgemm": []}
    for threads in sorted({1, cores}):
        found = _measure("engines", model, quick, threads, progress)
        report["throughput"] += found["throughput"]
        report["sgemm"] += found["sgemm"]
        report["difference_from_native"] = found["difference_from_native"]
        report["skipped"] |= found["skipped"]
        report["model"]["multiply_adds_per_shower"] = found["multiply_adds_per_shower"]


def _showers(
    model: Path, quick: bool, cores: int, progress: Callable[[str], None]
) -> dict[str, Any]:
    """Measure whole showers with one thread and with all."""
    one, *more = (
        _measure("showers", model, quick, threads, progress) for threads in sorted({1, cores})
    )
    for found in more:
        for key in ("throughput", "sgemm", "streams"):
            one[key] += found[key]
    return one


def _measure(
    section: str, model: Path, quick: bool, threads: int, progress: Callable[[str], None]
) -> dict[str, Any]:
    """Run one section in a process of its own with ``threads`` threads."""
    request = {"section": section, "model": str(model), "quick": quick, "threads": threads}
    command = [sys.executable, "-m", "fastcaloq_infer.benchmark.worker", json.dumps(request)]
    environment = os.environ | dict.fromkeys(_THREAD_VARIABLES, str(threads))
    result: dict[str, Any] | None = None
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(  # noqa: S603 - our own module, arguments as a list
            command, stdout=subprocess.PIPE, stderr=errors, env=environment, text=True
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                message = json.loads(line) if line.startswith("{") else {}
                if "progress" in message:
                    progress(message["progress"])
                result = message.get("result", result)
        except BaseException:
            process.kill()
            raise
        code = process.wait()
        errors.seek(0)
        reasons = errors.read().strip().splitlines()
    if code or result is None:
        reason = reasons[-1] if reasons else f"exit code {code}"
        raise BenchmarkError(
            f"measuring '{section}' failed ({reason}); leave it out with --only to see the rest"
        )
    return result


def _machine(cores: int) -> dict[str, Any]:
    versions = {"python": platform.python_version()}
    for package in ("numpy", "onnxruntime", "torch", "uproot"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "processor": _processor(),
        "cores": cores,
        "system": platform.platform(),
        "load_average": os.getloadavg()[0],
        "versions": versions,
    }


def _processor() -> str:
    """Return the processor's name where Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
