"""Whole showers: native engine and ONNX Runtime against the floors of products and of memory."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcaloq_infer.artefact.wire import fields

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from fastcaloq_infer.artefact import Card
    from fastcaloq_infer.sampling.engines import Engine

    Task = Callable[[], object]

BATCHES = (1, 256)
MANY = 4096
"""Batch of the native engine alone, to see what a second thread brings."""
_FLOAT = 4  # bytes


def shape_products(path: Path) -> list[tuple[int, ...]]:
    """Return the dimensions of every matrix (or stack of them) of a file's shape flow.

    A shower passes each of their numbers once, so their product is both the number of multiply-adds
    and the number of weights to read.
    """
    data = path.read_bytes()
    graph = next(part for part in fields(data, 0, len(data)) if part.number == 7)
    found = []
    for part in fields(data, graph.start, graph.stop):
        if part.number != 5:
            continue
        inner = fields(data, part.start, part.stop)
        name = next(data[f.start : f.stop] for f in inner if f.number == 8).decode()
        flow = name.startswith("shape.group") or name.startswith("shape.condition")
        if flow and name.endswith(".weight") and not name.startswith("shape.conditioner"):
            found.append(_dimensions(data, inner))
    return found


def _dimensions(data: bytes, inner: list[Any]) -> tuple[int, ...]:
    numbers: list[int] = []
    for part in inner:
        if part.number == 1:  # one by one, or packed into one field
            numbers += _varints(data[part.start : part.stop])
    return tuple(numbers)


def _varints(data: bytes) -> list[int]:
    numbers, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(value)
            value, shift = 0, 0
    return numbers


def streams(n_floats: int) -> dict[str, Task]:
    """Return ways to read ``n_floats`` float32 numbers once, as fast as libraries can."""
    array = np.random.default_rng(0).standard_normal(n_floats, np.float32)
    half = n_floats // 2
    left, right = array[:half], array[half : 2 * half]
    found: dict[str, Task] = {
        "numpy dot": lambda: np.dot(left, right),
        "numpy max": lambda: array.max(),
    }
    if importlib.util.find_spec("torch"):
        import torch

        tensor = torch.from_numpy(array)
        ours, theirs = tensor[:half], tensor[half : 2 * half]
        found |= {
            "torch dot": lambda: torch.dot(ours, theirs),
            "torch sum": lambda: torch.sum(tensor),
        }
    return found


def measure_whole_showers(
    path: Path, *, threads: int, quick: bool, say: Callable[[str], None]
) -> dict[str, Any]:
    """Measure a model that makes voxels with ``threads`` threads.

    Keys: ``throughput`` (as the energies' section), ``sgemm``, ``streams`` (library, seconds to
    read the weights once), ``multiply_adds_per_shower`` and ``weight_bytes`` of energies and shape
    together, ``disagreement`` (fraction of 500 showers in which ONNX Runtime draws a voxel that
    differs by more than 0.1 % of the largest layer), ``skipped``.
    """
    from fastcaloq_infer.artefact import read_card
    from fastcaloq_infer.benchmark import gemm
    from fastcaloq_infer.benchmark.timing import interleaved

    card = read_card(path)
    weights = gemm.multiply_adds(card) + sum(int(np.prod(s)) for s in shape_products(path))
    engines, skipped = _engines(path, threads)
    floors = {
        1: streams(weights),
        256: gemm.tasks([(256, 256, 256), (1024, 1024, 1024)], threads),
    }
    best: dict[str, float] = {}
    throughput = []
    for batch in (*BATCHES, MANY):
        say(f"whole showers, {threads} thread(s), batch {batch:,}")
        inputs = _inputs(card, batch)
        tasks = {
            name: _task(engine, inputs)
            for name, engine in engines.items()
            if batch != MANY or name == "native"
        }
        times = interleaved(
            tasks | floors.get(batch, {}),
            repetitions=2 if quick else 9,
            seconds=0.01 if quick else 0.3,
        )
        best |= {name: times[name].best for name in floors.get(batch, ())}
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
    return {
        "throughput": throughput,
        "sgemm": [
            {
                "library": name.split()[0],
                "shape": name.split()[1],
                "threads": threads,
                "gflops": gemm.operations(name) / best[name] / 1e9,
            }
            for name in floors[256]
        ],
        "streams": [
            {"library": name, "threads": threads, "seconds": best[name]} for name in floors[1]
        ],
        "multiply_adds_per_shower": weights,
        "weight_bytes": _FLOAT * weights,
        "disagreement": _disagreement(engines, card),
        "skipped": skipped,
    }


def _engines(path: Path, threads: int) -> tuple[dict[str, Engine], dict[str, str]]:
    from fastcaloq_infer.sampling.engines import make_engine

    engines = {"native": make_engine("native", path, threads, "auto")}
    if not importlib.util.find_spec("onnxruntime"):
        return engines, {"onnxruntime": "onnxruntime is not installed"}
    engines["onnxruntime"] = make_engine("onnxruntime", path, threads, "auto")
    return engines, {}


def _inputs(card: Card, batch: int) -> tuple[NDArray[np.float32], ...]:
    """Energies, eta, latents of the energies and of the shape, over the range of validity."""
    from fastcaloq_infer import _core
    from fastcaloq_infer.benchmark.engines import conditions

    event, particle = np.arange(batch, dtype=np.uint64), np.zeros(batch, np.uint32)
    return (
        *conditions(card, batch),
        _core.latents(0, event, particle, card.n_voxels, stream=1),
    )


def _generate(
    engine: Engine, inputs: tuple[NDArray[np.float32], ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None, int]:
    energy, eta, z, z_shape = inputs
    return engine.generate(energy, eta, z, "refuse", None, z_shape)


def _task(engine: Engine, inputs: tuple[NDArray[np.float32], ...]) -> Task:
    return lambda: _generate(engine, inputs)


def _disagreement(engines: dict[str, Engine], card: Card) -> float | None:
    if "onnxruntime" not in engines:
        return None
    inputs = _inputs(card, 500)
    layers, ours, _ = _generate(engines["native"], inputs)
    theirs = _generate(engines["onnxruntime"], inputs)[1]
    if ours is None or theirs is None:
        return None
    scale = np.maximum(layers.max(axis=1), 1.0)
    apart = abs(ours - theirs).max(axis=1) > 1e-3 * scale
    return float(apart.mean())
