"""A whole benchmark of a tiny model: every documented key is there and makes sense."""

import json

import pytest
import typer
from typer.testing import CliRunner

from fastcaloq_infer.benchmark.engines import available, conditions, disagreement
from fastcaloq_infer.benchmark.run import BenchmarkError, run_benchmark
from fastcaloq_infer.cli.bench import bench
from fastcaloq_infer.errors import InputError, ModelError, OutputError

app = typer.Typer()
app.command()(bench)

KEYS = {
    "schema", "version", "created", "quick", "seconds", "machine", "model", "skipped", "load",
    "throughput", "sgemm", "difference_from_native", "root", "figures",
}  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    from models import random_energy_flow

    from fastcaloq_infer.export import export_flow
    from fastcaloq_infer.training.checkpoint import save_model

    folder = tmp_path_factory.mktemp("model")
    flow, metadata = random_energy_flow(1, n_blocks=2, hidden=(8,))
    export_flow(flow, metadata, folder / "model.onnx", conditioning="precomputed")
    save_model(folder / "model.safetensors", flow, metadata)
    return folder / "model.onnx"


def test_engines_agree_before_they_race(model):
    from fastcaloq_infer.artefact import read_card

    found = available(model, threads=1)
    inputs = conditions(read_card(model), 500)
    native = found.generate["native"](*inputs)
    for name, generate in found.generate.items():
        # Single-precision rounding through two blocks, the table's interpolation on top.
        assert disagreement(native, generate(*inputs)) < 1e-5, name
    assert set(found.generate) == {"native", "native, drawing latents", "onnxruntime", "torch"}
    assert not found.skipped


def test_without_a_checkpoint_torch_is_left_out(model, tmp_path):
    alone = tmp_path / "model.onnx"
    alone.write_bytes(model.read_bytes())
    found = available(alone, threads=1)
    assert "torch" not in found.generate
    assert "no checkpoint" in found.skipped["torch"]


def test_quick_benchmark_writes_the_documented_json(model, tmp_path):
    out = tmp_path / "bench.json"
    done = CliRunner().invoke(
        app, [str(model), "--quick", "--json", str(out), "--only", "load,engines,root"]
    )
    assert done.exit_code == 0, done.output
    report = json.loads(out.read_text())
    assert report.keys() == KEYS
    assert report["quick"] is True
    cores = report["machine"]["cores"]
    settings = {(r["engine"], r["threads"], r["batch"]) for r in report["throughput"]}
    names = ("native", "native, drawing latents", "onnxruntime", "torch")
    assert settings == {(e, t, b) for e in names for t in {1, cores} for b in (1, 100, 10_000)}
    assert all(row["showers_per_second"] > 0 for row in report["throughput"])
    assert {row["library"] for row in report["sgemm"]} == {
        "numpy", "torch", "onednn", "onnxruntime"
    }  # fmt: skip
    assert all(value < 1e-5 for value in report["difference_from_native"].values())
    root = report["root"]
    assert root["generation_seconds"] + root["writing_seconds"] <= root["total_seconds"]
    assert root["total_seconds"] < root["command_seconds"]
    figures = {row["name"]: row for row in report["figures"]}
    for name, target in (
        ("native / onnxruntime, batch 1, one thread", 20),
        ("native / onnxruntime, batch 10,000, one thread", 4),
        ("native over the GEMM floor, batch 10,000, one thread", 4),
        ("model load in C++", 20),
        ("1,000,000 showers to ROOT", 10),
        ("of which writing", 0.5),
    ):
        assert figures[name]["value"] > 0
        assert figures[name]["target"] == target
        assert figures[name]["met"] in (True, False)
    # Nothing multiplies faster than the best rate measured, spread of short repetitions aside.
    assert figures["native over the GEMM floor, batch 10,000, one thread"]["value"] > 0.9
    assert "native" in done.output


def test_an_unwritable_json_is_refused_before_measuring(model, tmp_path):
    out = tmp_path / "missing" / "bench.json"
    done = CliRunner().invoke(app, [str(model), "--json", str(out)])
    assert isinstance(done.exception, OutputError)


def test_unknown_section_and_missing_model(model, tmp_path):
    with pytest.raises(InputError, match="speed"):
        run_benchmark(model, sections=["speed"])
    with pytest.raises(ModelError):
        run_benchmark(tmp_path / "missing.onnx")


def test_a_failing_measurement_is_one_line(model, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(BenchmarkError, match="exit code 1") as caught:
        run_benchmark(model, sections=["load"])
    assert "\n" not in str(caught.value)
