"""The commands as a whole: what a mistake looks like to the one who made it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fastcaloq_infer.cli import main


def run(monkeypatch, program, *arguments):
    monkeypatch.setattr(sys, "argv", [program, *arguments])
    entry = main.export_onnx_main if program == "export-onnx" else main.main
    with pytest.raises(SystemExit) as stop:
        entry()
    return stop.value.code


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("fastcaloq", ["inspect", "no[such]file.hdf5"]),
        ("fastcaloq", ["sample", "no[such]file.onnx", "-n", "1", "-o", "out.root"]),
        ("fastcaloq", ["train", "-c", "no[such]file.yaml"]),
        ("export-onnx", ["no[such]file"]),
    ],
)
def test_a_mistake_is_one_line_with_names_as_given(
    monkeypatch, capsys, tmp_path, program, arguments
):
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, program, *arguments) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("error: ")
    assert output.err.count("\n") == 1
    assert "no[such]file" in output.err  # brackets are no markup
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("verb", "package"),
    [("train", "torch"), ("export-onnx", "torch"), ("report", "matplotlib"), ("demo", "torch")],
)
def test_an_installation_for_sampling_says_what_is_missing(tmp_path, verb, package):
    """In a process of its own, where none of the packages has been imported."""
    missing = ("torch", "pennylane", "onnx", "sklearn", "matplotlib", "jinja2", "lightning_fabric")
    arguments = {
        "train": ["-c", "demo_energy", "-o", "run"],
        "export-onnx": ["photon_energy", "-o", "photon.onnx"],
        "report": ["photon_energy", "-o", "report"],
        "demo": ["-o", "demo"],
    }[verb]
    code = f"""
import importlib.abc, sys

class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in {missing}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
sys.argv = {["fastcaloq", verb, *arguments]}
from fastcaloq_infer.cli.main import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert package in done.stderr
    assert "fastcaloq-infer[train,evaluate]" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        ["inspect", "{}"],
        ["export-onnx", "{}"],
        ["train", "-c", "{}"],
        ["sample", "{}", "-n", "1", "-o", "out.root"],
        ["sample", "photon_energy", "-n", "1", "-o", "{}.root"],
        ["sample", "photon_energy", "-n", "1", "-o", "out.root", "--energies", "from:{}"],
    ],
)
def test_a_path_that_cannot_be_looked_at_is_one_line(monkeypatch, capsys, tmp_path, arguments):
    monkeypatch.chdir(tmp_path)
    name = "x" * 5000
    assert run(monkeypatch, "fastcaloq", *(word.format(name) for word in arguments)) == 1
    text = capsys.readouterr().err
    assert text.startswith("error: ")
    assert text.count("\n") == 1
    assert "File name too long" in text
    assert not list(tmp_path.iterdir())


def test_too_little_memory_is_one_line(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    number = str(10**14)
    options = ["photon_energy", "-n", number, "--chunk", number, "-o", "out.root"]
    assert run(monkeypatch, "fastcaloq", "sample", *options) == 1
    text = capsys.readouterr().err
    assert "GB of memory and" in text
    assert text.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("program", ["fastcaloq", "export-onnx"])
def test_help_ends_well(monkeypatch, program):
    assert run(monkeypatch, program, "--help") == 0


def test_version_is_the_package_s(monkeypatch, capsys):
    from fastcaloq_infer import __version__

    assert run(monkeypatch, "fastcaloq", "--version") == 0
    assert capsys.readouterr().out.strip() == __version__
