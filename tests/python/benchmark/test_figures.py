"""Work, rates and figures: numbers worked out by hand."""

import importlib.util
import time
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from fastcaloq_infer.benchmark import gemm
from fastcaloq_infer.benchmark.figures import Figure, figures
from fastcaloq_infer.benchmark.table import print_report
from fastcaloq_infer.benchmark.timing import interleaved

CARD = SimpleNamespace(
    conditioning=SimpleNamespace(features=6),
    flow=SimpleNamespace(
        hidden=(16, 8),
        blocks=[
            SimpleNamespace(passive=2, active=3, n_parameters=29),
            SimpleNamespace(passive=3, active=2, n_parameters=2),
        ],
    ),
)


def test_multiply_adds_of_a_small_flow():
    assert gemm.layer_shapes(CARD) == [(10, 16), (16, 8), (8, 87), (11, 16), (16, 8), (8, 4)]
    assert gemm.multiply_adds(CARD) == 160 + 128 + 696 + 176 + 128 + 32


def test_shapes_to_try_contain_the_largest_of_the_flow():
    assert (500, 8, 87) in gemm.shapes_to_try(CARD, 500)
    assert gemm.operations("numpy 500x8x87") == 2 * 500 * 8 * 87


def test_every_library_multiplies_the_same_matrices():
    tasks = gemm.tasks([(7, 5, 3)], threads=1)
    assert "numpy 7x5x3" in tasks
    if importlib.util.find_spec("torch"):
        assert {"torch 7x5x3", "onednn 7x5x3"} <= tasks.keys()
        generator = np.random.default_rng(0)
        a, b = (generator.standard_normal(s, np.float32) for s in ((7, 5), (5, 3)))
        onednn = tasks["onednn 7x5x3"]().to_dense().numpy()
        for got in (tasks["numpy 7x5x3"](), tasks["torch 7x5x3"]().numpy(), onednn):
            # Five products per element, each side rounded: 5 units relative to the sum of sizes.
            bound = 5 * np.finfo(np.float32).eps * (abs(a) @ abs(b))
            assert (abs(got - a @ b) <= bound).all()


def test_interleaved_measures_the_ratio_of_two_tasks():
    times = interleaved(
        {"short": lambda: time.sleep(0.002), "long": lambda: time.sleep(0.02)},
        repetitions=3,
        seconds=0.01,
    )
    # A sleep lasts at least as long as asked; on a busy machine longer.
    assert times["short"].median >= 0.002
    assert times["long"].median >= 0.02
    assert times["long"].best > times["short"].best
    assert times["long"].repetitions == 3
    assert times["short"].calls >= 2
    assert times["short"].spread >= 0


def test_figure_against_its_target():
    assert Figure("a", 5.0, target=4.0, relation="at least").met is True
    assert Figure("a", 3.0, target=4.0, relation="at least").met is False
    assert Figure("a", 3.0, target=4.0, relation="at most").met is True
    assert Figure("a", 5.0, target=4.0, relation="at most").met is False
    assert Figure("a", 5.0).met is None


def report():
    rows = [
        ("native", 1, 1, 40_000.0), ("onnxruntime", 1, 1, 1_000.0),
        ("native", 1, 10_000, 500_000.0), ("onnxruntime", 1, 10_000, 250_000.0),
    ]  # fmt: skip
    return {
        "quick": True,
        "seconds": 1.0,
        "machine": {"cores": 2, "processor": "a processor", "load_average": 0.1},
        "model": {"name": "photon_energy", "sha256": "0" * 64, "multiply_adds_per_shower": 10_000},
        "throughput": [
            {"engine": engine, "threads": threads, "batch": batch, "showers_per_second": rate,
             "spread": 0.1, "repetitions": 3}
            for engine, threads, batch, rate in rows
        ],
        "sgemm": [
            {"library": "numpy", "threads": 1, "shape": "1x1x1", "gflops": 50.0},
            {"library": "torch", "threads": 1, "shape": "1x1x1", "gflops": 30.0},
        ],
        "load": {"model_ms": 25.0},
        "root": {"showers": 500_000, "total_seconds": 2.0, "writing_seconds": 0.5},
        "conditioner": {"cases": {"6 qubits, 2 layers": {"speedup": 25.0}, "b": {"speedup": 3}}},
        "training": {"figures": [{"name": "step", "value": 1.1, "unit": "times"}]},
        "skipped": {"torch": "torch is not installed"},
    }  # fmt: skip


def test_figures_of_a_report():
    found = {row["name"]: row for row in figures(report())}
    small = found["native / onnxruntime, batch 1, one thread"]
    assert (small["value"], small["target"], small["met"]) == (40.0, 20.0, True)
    large = found["native / onnxruntime, batch 10,000, one thread"]
    assert (large["value"], large["met"]) == (2.0, False)
    # 20,000 operations per shower at 50 GFLOP/s take 0.4 us; 500,000 showers/s are 2 us each.
    floor = found["native over the GEMM floor, batch 10,000, one thread"]
    assert floor["value"] == pytest.approx(5.0)
    assert floor["met"] is False
    assert found["model load in C++"]["met"] is False
    assert found["1,000,000 showers to ROOT"]["value"] == 4.0
    assert found["of which writing"]["value"] == 0.25
    assert found["circuit, 6 qubits, 2 layers: default.qubit / contracted"]["met"] is True
    assert found["circuit, b: default.qubit / contracted"]["met"] is None
    assert found["step"]["met"] is None


def test_the_report_prints_as_tables(capsys):
    content = report()
    content["figures"] = figures(content)
    print_report(Console(width=160), content)
    text = capsys.readouterr().out
    assert "40 (10%)" in text
    assert "missed" in text
    assert "at least 20" in text
    assert "torch is not installed" in text


def test_figures_of_a_farm():
    report = {
        "machine": {"cores": 2},
        "model": {},
        "farm": {
            "alone_seconds": 18.0,
            "workers_seconds": 10.0,
            "start_seconds": 3.0,
            "faults": {"kills": 20, "lost": 0, "duplicated": 2, "changed": 0, "corrupt": 0},
        },
    }
    found = {row["name"]: (row["value"], row["met"]) for row in figures(report)}
    assert found["two Dask workers / one process"] == (1.8, True)
    assert found["showers lost after the kills"] == (0, True)
    assert found["showers twice after the kills"] == (2, False)


def test_figures_of_a_service():
    asked = {"source": "model.onnx", "batch": 256, "energies": 256, "cache": False,
             "own_ms": 0.4, "served_ms": 1.9}  # fmt: skip
    remembered = {**asked, "cache": True, "energies": 15, "served_ms": 0.5}
    load = {
        "requests": 12_000, "seconds": 60, "failures": 0, "malformed_not_refused": 1,
        "p99_ms_since_due": 7.0, "memory_mib_early": 100.0, "memory_mib_end": 101.0,
    }  # fmt: skip
    kills = {"kills": 20, "left": 0, "changed": 3}
    report = {
        "machine": {"cores": 2},
        "model": {},
        "serving": {"overhead": [asked, remembered], "load": load, "kills": kills},
    }
    found = {row["name"]: (row["value"], row["met"]) for row in figures(report)}
    batch = "batch 256, {} energies, model.onnx"
    assert found["served, asked: " + batch.format(256)] == (pytest.approx(1.5), True)
    assert found["served, remembered: " + batch.format(15)] == (pytest.approx(0.25), False)
    assert found["failures of 12,000 requests"] == (0, True)
    assert found["malformed ones not refused"] == (1, False)
    assert found["p99 at 200 requests/s"] == (7.0, None)
    assert found["growth of the server's memory under load"] == (1.0, True)
    assert found["files left by productions that failed"] == (0, True)
    assert found["showers changed in what followed"] == (3, False)
