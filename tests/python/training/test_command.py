"""The verb ``train``: from a file to a run folder, and one line for every mistake."""

import json

import pytest
import typer
import yaml
from typer.testing import CliRunner

from fastcaloq_infer.cli.train import train
from fastcaloq_infer.errors import ConfigError, FastCaloQError, OutputError
from fastcaloq_infer.training import TrainConfig, load_shape

app = typer.Typer()
app.command()(train)


@pytest.fixture
def written(plain, tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(plain))
    return path


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_run_folder_is_complete_and_resumable_without_its_configuration(written, tmp_path):
    folder = tmp_path / "run"
    done = run("-c", written, "-o", folder, "--set", "steps=20", "--set", "optimiser.lr=1e-3")
    assert done.exit_code == 0, done.output
    assert "nats per held-out shower" in done.stdout
    assert sorted(file.name for file in folder.iterdir()) == [
        "checkpoint.pt", "config.yaml", "history.json", "learning_curve.png", "model.safetensors",
    ]  # fmt: skip
    assert TrainConfig.load(folder / "config.yaml").optimiser.lr == 1e-3
    records = json.loads((folder / "history.json").read_text())["records"]
    assert [record["step"] for record in records] == [14, 20]
    assert (folder / "learning_curve.png").read_bytes().startswith(b"\x89PNG")
    again = run("--resume", "-o", folder, "-q")
    assert again.exit_code == 0, again.output
    assert again.stdout == done.stdout.splitlines()[-1] + "\n"


def test_a_configuration_of_voxels_is_trained_by_the_same_command(plain_shape, tmp_path):
    path = tmp_path / "shape.yaml"
    path.write_text(yaml.safe_dump(plain_shape))
    folder = tmp_path / "run"
    done = run("-c", path, "-o", folder, "--set", "steps=2", "--set", "shape.head=3")
    assert done.exit_code == 0, done.output
    assert "nats per held-out shower" in done.stdout
    assert load_shape(folder)[1].shape.head == 3
    assert run("--resume", "-o", folder, "-q").exit_code == 0


def test_the_folder_is_named_after_the_model(written, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("-c", written, "--set", "steps=1", "-q").exit_code == 0
    assert (tmp_path / "runs" / "small" / "model.safetensors").is_file()


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        (("--set", "epoch=3"), ConfigError, "did you mean 'epochs'"),
        (("--set", "data.train=nowhere.hdf5"), FastCaloQError, "nowhere.hdf5"),
        (("--set", "particle=pion"), ConfigError, "pion"),
        (("-o", "{file}"), OutputError, "run folder"),
    ],
)
def test_mistakes_are_one_line(written, tmp_path, arguments, kind, words):
    blocked = tmp_path / "file"
    blocked.write_text("")
    arguments = [text.format(file=blocked) for text in arguments]
    done = run("-c", written, *([] if "-o" in arguments else ["-o", tmp_path / "run"]), *arguments)
    assert isinstance(done.exception, kind)
    assert words in str(done.exception)
    assert "\n" not in str(done.exception)


def test_without_a_configuration_usage_is_explained(tmp_path):
    done = run("-o", tmp_path)
    assert done.exit_code == 2
    assert "give a configuration" in done.stderr
