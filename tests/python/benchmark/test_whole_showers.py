"""Whole showers in the benchmark: figures worked out by hand, and a run on a tiny model."""

import json

import numpy as np
import pytest
from rich.console import Console

from fastcaloq_infer.benchmark.figures import figures
from fastcaloq_infer.benchmark.table import print_report
from fastcaloq_infer.benchmark.whole_showers import MANY, shape_products, streams


def row(engine, threads, batch, rate):
    return {
        "engine": engine, "threads": threads, "batch": batch, "showers_per_second": rate,
        "spread": 0.1, "repetitions": 3,
    }  # fmt: skip


def report():
    return {
        "quick": True,
        "seconds": 1.0,
        "machine": {"cores": 2, "processor": "a processor", "load_average": 0.1},
        "model": {"name": "photon", "sha256": "0" * 64},
        "showers": {
            "throughput": [
                row("native", 1, 1, 2_000.0), row("onnxruntime", 1, 1, 500.0),
                row("native", 1, 256, 20_000.0), row("onnxruntime", 1, 256, 10_000.0),
                row("native", 1, MANY, 20_000.0), row("native", 2, MANY, 36_000.0),
            ],
            "sgemm": [
                {"library": "numpy", "threads": 1, "shape": "1x1x1", "gflops": 100.0},
                {"library": "numpy", "threads": 2, "shape": "1x1x1", "gflops": 200.0},
            ],
            "streams": [
                {"library": "numpy dot", "threads": 1, "seconds": 0.0005},
                {"library": "numpy max", "threads": 1, "seconds": 0.001},
                {"library": "numpy dot", "threads": 2, "seconds": 0.0001},
            ],
            "multiply_adds_per_shower": 2_000_000,
            "weight_bytes": 8_000_000,
            "disagreement": 0.002,
        },
        "root": {
            "showers": 50_000, "voxels": 368, "total_seconds": 2.0, "writing_seconds": 0.5,
        },
        "skipped": {},
    }  # fmt: skip


def test_figures_of_whole_showers():
    found = {row["name"]: row for row in figures(report())}
    start = "whole showers: "
    single = found[start + "native / onnxruntime, batch 1, one thread"]
    assert (single["value"], single["target"], single["met"]) == (4.0, 2.0, True)
    batch = found[start + "native / onnxruntime, batch 256, one thread"]
    assert (batch["value"], batch["target"], batch["met"]) == (2.0, 2.5, False)
    # 4 MFLOP at 100 GFLOP/s are 40 us; 20,000 showers/s are 50 us each.
    floor = found[start + "native over the GEMM floor, batch 256, one thread"]
    assert (floor["value"], floor["target"], floor["met"]) == (pytest.approx(1.25), 1.8, True)
    # 2,000 single showers a second are 0.5 ms each, as long as the fastest way through the weights.
    stream = found[start + "one shower over the time to stream the weights"]
    assert (stream["value"], stream["target"], stream["met"]) == (pytest.approx(1.0), 1.8, True)
    assert found["fastest stream of the weights, one thread"]["value"] == pytest.approx(16.0)
    assert found[start + "2 threads / one thread"]["value"] == pytest.approx(1.8)
    assert found[start + "cost of one"]["value"] == pytest.approx(4.0)
    assert found["whole showers in which onnxruntime draws another voxel"]["value"] == 0.002
    assert found["100,000 whole showers to ROOT"]["value"] == 4.0
    assert found["of which writing"]["met"] is True


def test_whole_showers_print_as_a_table(capsys):
    content = report()
    content["figures"] = figures(content)
    print_report(Console(width=160), content)
    text = capsys.readouterr().out
    assert "thousand whole showers per second" in text
    assert "36 (10%)" in text


def test_streams_read_every_number_once():
    tasks = streams(1000)
    array = np.random.default_rng(0).standard_normal(1000, np.float32)
    assert tasks["numpy dot"]() == pytest.approx(array[:500] @ array[500:], rel=1e-5)
    assert tasks["numpy max"]() == array.max()
    assert float(tasks["torch sum"]()) == pytest.approx(array.sum(), rel=1e-4)


def test_a_quick_run_of_a_tiny_model(tmp_path):
    import onnx
    from models import write_random_model

    from fastcaloq_infer.benchmark.gemm import multiply_adds
    from fastcaloq_infer.benchmark.run import run_benchmark

    path = tmp_path / "model.onnx"
    write_random_model(path, whole=True)
    weights = [
        tensor
        for tensor in onnx.load(path).graph.initializer
        if tensor.name.startswith(("shape.group", "shape.condition"))
        and tensor.name.endswith(".weight")
    ]
    assert sorted(shape_products(path)) == sorted(tuple(tensor.dims) for tensor in weights)
    said = []
    found = run_benchmark(path, quick=True, sections=["load", "showers"], progress=said.append)
    json.dumps(found)
    part = found["showers"]
    cores = found["machine"]["cores"]
    settings = {(r["engine"], r["threads"], r["batch"]) for r in part["throughput"]}
    wanted = {(e, t, b) for e in ("native", "onnxruntime") for t in {1, cores} for b in (1, 256)}
    assert settings == wanted | {("native", t, MANY) for t in {1, cores}}
    from fastcaloq_infer.artefact import read_card

    in_all = sum(int(np.prod(tensor.dims)) for tensor in weights) + multiply_adds(read_card(path))
    assert part["multiply_adds_per_shower"] == in_all
    assert part["weight_bytes"] == 4 * in_all
    assert part["disagreement"] < 0.05
    assert any("whole showers" in line for line in said)
    assert any("stream the weights" in figure["name"] for figure in found["figures"])
