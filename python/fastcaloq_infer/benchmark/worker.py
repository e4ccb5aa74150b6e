"""One measurement in a process of its own: ``python -m fastcaloq_infer.benchmark.worker``.

Thread counts of BLAS libraries are fixed when they are loaded, and one measurement's memory and
threads must not disturb the next. The request is one JSON object as argument; every line on
stdout is one JSON object, ``{"progress": text}`` or, last, ``{"result": ...}``.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def _say(text: str) -> None:
    print(json.dumps({"progress": text}), flush=True)


def _engines(request: dict[str, Any]) -> dict[str, Any]:
    """Measure showers per second of every engine, and the rate of sgemm, in the same rounds."""
    from fastcaloq_infer.artefact import read_card
    from fastcaloq_infer.benchmark import gemm
    from fastcaloq_infer.benchmark.engines import (
        BATCHES,
        LARGEST_BATCH,
        available,
        conditions,
        disagreement,
    )
    from fastcaloq_infer.benchmark.timing import interleaved

    path, threads, quick = Path(request["model"]), request["threads"], request["quick"]
    card = read_card(path)
    found = available(path, threads)
    inputs = conditions(card, 1000)
    reference = found.generate["native"](*inputs)
    differences = {
        name: disagreement(reference, generate(*inputs))
        for name, generate in found.generate.items()
        if name != "native"
    }
    throughput, products = [], {}
    for batch in BATCHES:
        _say(f"{threads} thread(s), batch {batch:,}")
        inputs = conditions(card, batch)
        tasks: dict[str, Callable[[], object]] = {
            name: lambda generate=generate, inputs=inputs: generate(*inputs)  # type: ignore[misc]
            for name, generate in found.generate.items()
        }
        if batch == LARGEST_BATCH:
            products = gemm.tasks(gemm.shapes_to_try(card, batch), threads)
        times = interleaved(
            {**tasks, **products},
            repetitions=2 if quick else 9,
            seconds=0.01 if quick else 0.2,
        )
        throughput += [
            {
                "engine": name,
                "threads": threads,
                "batch": batch,
                "showers_per_second": batch / times[name].median,
                "spread": times[name].spread,
                "repetitions": times[name].repetitions,
            }
            for name in tasks
        ]
    rates = [
        {
            "library": name.split()[0],
            "shape": name.split()[1],
            "threads": threads,
            "gflops": gemm.operations(name) / times[name].best / 1e9,
        }
        for name in products
    ]
    return {
        "throughput": throughput,
        "sgemm": rates,
        "difference_from_native": differences,
        "skipped": found.skipped,
        "multiply_adds_per_shower": gemm.multiply_adds(card),
    }


def _load(request: dict[str, Any]) -> dict[str, Any]:
    """Measure reading and checking the file in C++, the first time and again."""
    from fastcaloq_infer import _core

    _say("loading the model")
    path = request["model"]
    first_start = time.perf_counter()
    _core.Model(path)
    first = time.perf_counter() - first_start
    models, samplers = [], []
    for _ in range(5 if request["quick"] else 31):
        start = time.perf_counter()
        model = _core.Model(path)
        loaded = time.perf_counter()
        _core.Sampler(model, threads=1)
        samplers.append(time.perf_counter() - loaded)
        models.append(loaded - start)
    return {
        "first_ms": first * 1e3,
        "model_ms": statistics.median(models) * 1e3,
        "sampler_ms": statistics.median(samplers) * 1e3,
        "bytes": Path(path).stat().st_size,
    }


def _showers(request: dict[str, Any]) -> dict[str, Any]:
    """Measure whole showers."""
    from fastcaloq_infer.benchmark.whole_showers import measure_whole_showers

    return measure_whole_showers(
        Path(request["model"]), threads=request["threads"], quick=request["quick"], say=_say
    )


def _root(request: dict[str, Any]) -> dict[str, Any]:
    """Measure a production to ROOT with all threads."""
    from fastcaloq_infer.output import produce
    from fastcaloq_infer.sampling import Sampler

    sampler = Sampler(request["model"], threads=request["threads"])
    n = (2_000 if request["quick"] else 100_000) if sampler.n_voxels else 0
    n = n or (20_000 if request["quick"] else 1_000_000)
    _say(f"{n:,} showers to ROOT")
    with tempfile.TemporaryDirectory(prefix="fastcaloq-bench-") as folder:
        output = Path(folder) / "showers.root"
        summary = produce(sampler, n, output)
    return {
        "showers": n,
        "voxels": sampler.n_voxels,
        "threads": request["threads"],
        "generation_seconds": summary.generation_seconds,
        "writing_seconds": summary.writing_seconds,
        "total_seconds": summary.total_seconds,
        "bytes": summary.size,
    }


def _conditioner(request: dict[str, Any]) -> dict[str, Any]:
    """Measure the contracted circuit against PennyLane's simulator."""
    from fastcaloq_infer.benchmark.conditioner import conditioner_figures

    _say("the circuit against default.qubit")
    return {"cases": conditioner_figures(rounds=1 if request["quick"] else 7)}


def _training(request: dict[str, Any]) -> dict[str, Any]:
    """Measure a training step with and without conditioning."""
    from fastcaloq_infer.benchmark.training import training_figures

    _say("training steps")
    return training_figures(quick=request["quick"])


def _subnet(request: dict[str, Any]) -> dict[str, Any]:
    """Measure a training step of circuits inside the coupling blocks."""
    from fastcaloq_infer.benchmark.subnet import subnet_figures

    _say("circuits in the blocks against default.qubit")
    return subnet_figures(quick=request["quick"])


def _farm(request: dict[str, Any]) -> dict[str, Any]:
    """Measure a production on Dask workers, and kill its processes."""
    from fastcaloq_infer.benchmark.farm import measure_farm

    return measure_farm(request["model"], quick=request["quick"], say=_say)


def _serving(request: dict[str, Any]) -> dict[str, Any]:
    """Ask a service on loopback for features, and load it."""
    from fastcaloq_infer.benchmark.serving import measure_serving

    return measure_serving(request["model"], quick=request["quick"], say=_say)


SECTIONS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "load": _load,
    "engines": _engines,
    "showers": _showers,
    "root": _root,
    "conditioner": _conditioner,
    "training": _training,
    "subnet": _subnet,
    "farm": _farm,
    "serving": _serving,
}


def main() -> None:
    """Run the measurement that the first argument asks for."""
    request = json.loads(sys.argv[1])
    result = SECTIONS[request["section"]](request)
    print(json.dumps({"result": result}), flush=True)


if __name__ == "__main__":
    main()
