"""The commands as a whole: what a mistake looks like to the one who made it."""

from __future__ import annotations

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


@pytest.mark.parametrize("program", ["fastcaloq", "export-onnx"])
def test_help_ends_well(monkeypatch, program):
    assert run(monkeypatch, program, "--help") == 0
