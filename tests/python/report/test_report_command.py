"""The verb ``fastcaloq report`` on the shipped model: what the figures beside it come from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from fastcaloq_infer.cli.report import report
from fastcaloq_infer.evaluation import Evaluation, target_lines


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    app = typer.Typer()
    app.command()(report)
    output = tmp_path_factory.mktemp("report") / "photon"
    result = CliRunner().invoke(app, ["photon_energy", "-o", str(output), "--multiple", "4"])
    assert result.exit_code == 0, result.output
    return output


@pytest.mark.parametrize("options", [["--multiple", "0"], ["--multiple", "-2"], ["--seed", "-1"]])
def test_impossible_numbers_are_refused(tmp_path: Path, options: list[str]) -> None:
    app = typer.Typer()
    app.command()(report)
    result = CliRunner().invoke(app, ["photon_energy", "-o", str(tmp_path / "report"), *options])
    assert result.exit_code == 2
    assert not list(tmp_path.iterdir())


def test_leaves_page_figures_and_picture(folder: Path) -> None:
    assert (folder / "report.html").stat().st_size > 100_000
    assert (folder / "response.png").read_bytes().startswith(b"\x89PNG")


def test_shipped_model_is_as_good_as_its_figures_say(folder: Path) -> None:
    """The model is deterministic: another seed's figures differ by statistics alone."""
    evaluation = Evaluation.from_json((folder / "figures.json").read_text())
    assert evaluation.classifier is not None
    assert evaluation.classifier.generated.auc.mean < 0.53
    assert all(abs(zero.difference) < 0.03 for zero in evaluation.zero_fractions)
    totals = [s.ratio for s in evaluation.separations if s.feature == "E_tot"]
    assert max(totals) < 3.0
    assert not [line for line in target_lines(evaluation) if line.light == "red"]


def test_shipped_figures_are_of_the_shipped_model() -> None:
    from fastcaloq_infer.sampling.models import find

    shipped = json.loads(find("photon_energy").with_name("figures.json").read_text())
    assert shipped["generated_showers"] == 850_000
