"""``fastcaloq demo`` from the packaged showers to the page."""

from __future__ import annotations

import h5py
import pytest
import typer
import uproot
from typer.testing import CliRunner
from whole_showers import WholeShowers

from fastcaloq_infer.cli.demo import demo
from fastcaloq_infer.demo import run as demo_module
from fastcaloq_infer.demo.clock import Clock
from fastcaloq_infer.demo.whole_showers import shipped_shape, show_whole_showers
from fastcaloq_infer.errors import InputError, OutputError
from fastcaloq_infer.evaluation import Evaluation
from fastcaloq_infer.output.root_file import open_any
from fastcaloq_infer.sampling import Sampler

app = typer.Typer()
app.command()(demo)


def test_quick_demo(tmp_path):
    folder = tmp_path / "out"
    (folder / "run").mkdir(parents=True)
    for stale in ("run/checkpoint.pt", "run/history.json", "model.onnx", "showers.root"):
        (folder / stale).write_text("of an earlier demonstration")
    result = CliRunner().invoke(
        app,
        ["--quick", "-o", str(folder), "--set", "steps=3", "--set", "threads=1"],
        catch_exceptions=False,
    )
    assert result.exit_code == 0
    assert str(folder / "report.html") in result.output.splitlines()[-1]
    html = (folder / "report.html").read_text(encoding="utf-8")
    for name in ("total_energy", "response", "learning_curve", "conditioner"):
        assert f'id="{name}"' in html
    assert "http" not in html
    evaluation = Evaluation.from_json((folder / "figures.json").read_text())
    assert evaluation.generated_showers == 9000
    assert evaluation.incident_energies == tuple(256.0 * 2**k for k in range(9))
    with h5py.File(folder / "showers.hdf5") as file:
        assert len(file["incident_energies"]) == 9000
    with uproot.open(folder / "showers.root") as file:
        assert any(getattr(tree, "num_entries", 0) == 9000 for tree in file.values())
    assert Sampler(folder / "model.onnx").digest in html


def test_the_shipped_shape_is_used_where_there_is_one(tmp_path, monkeypatch):
    from models import random_flows

    from fastcaloq_infer import shipped
    from fastcaloq_infer.training.checkpoint import save_model

    folder = tmp_path / "models" / "photon"
    folder.mkdir(parents=True)
    monkeypatch.setattr(shipped, "model_folders", lambda: [tmp_path / "models"])
    assert shipped_shape() is None
    _, _, shape = random_flows(3)
    save_model(folder / "shape.safetensors", *shape)
    found = shipped_shape()
    assert found is not None
    assert found[1] == shape[1]


def test_whole_showers_are_drawn_and_compared(tmp_path, monkeypatch):
    """With showers out of a file: exporting a flow of 368 voxels takes ten times as long."""
    reported = []
    monkeypatch.setattr("fastcaloq_infer.sampling.Sampler", lambda _: WholeShowers())
    monkeypatch.setattr("fastcaloq_infer.report.shower_plot.picture", lambda *_: b"")
    monkeypatch.setattr(
        "fastcaloq_infer.report.write_report",
        lambda folder, *arguments, **named: reported.append(arguments) or folder / "report.html",
    )
    clock = Clock(None)
    whole = show_whole_showers(
        tmp_path / "model.onnx", tmp_path / "whole", clock, showers=1000, seed=1, classifiers=0
    )
    assert len(clock.timings) == 2
    with open_any(whole.root) as root, open_any(whole.hdf5) as hdf5:
        (sparse,), (dense,) = root.iterate(1000), hdf5.iterate(1000)
    assert (sparse.showers == dense.showers).all()
    assert sparse.showers.shape == (1000, 368)
    assert whole.evaluation.level == "voxels"
    ((_, (candidate,)),) = reported
    assert candidate.evaluation == whole.evaluation
    assert {path.name for path in whole.pictures} == {"average.png", "single.png"}


def test_too_few_showers(tmp_path):
    with pytest.raises(InputError, match="too few"):
        demo_module.run_demo(tmp_path, showers=10)


def test_missing_package(tmp_path, monkeypatch):
    monkeypatch.setattr(demo_module, "_NEEDS", ("torch", "no_such_package"))
    with pytest.raises(InputError, match=r"needs no_such_package: install .*\[train,evaluate\]"):
        demo_module.run_demo(tmp_path)


def test_folder_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="choose another folder"):
        demo_module.run_demo(tmp_path / "file" / "x")
