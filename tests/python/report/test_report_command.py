"""The verb ``fastcaloq report`` on the shipped model: what the figures beside it come from."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from fastcaloq_infer.cli.report import report
from fastcaloq_infer.data import binning, packaged_sample
from fastcaloq_infer.evaluation import Evaluation, read_sample, target_lines
from fastcaloq_infer.report import write_report
from fastcaloq_infer.sampling import Showers
from fastcaloq_infer.training.metadata import binning_section


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    app = typer.Typer()
    app.command()(report)
    output = tmp_path_factory.mktemp("report") / "photon"
    result = CliRunner().invoke(
        app, ["photon_energy", "-o", str(output), "--multiple", "4", "--seeds", "2"]
    )
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


class Toy:
    """A sampler of whole photon showers that has learnt the packaged ones by heart, smeared."""

    digest = "0" * 64
    n_voxels = 368

    def __init__(self, model: str) -> None:
        self.known = read_sample(packaged_sample("showers"))
        layers = binning_section(binning("dataset-1-photons"))
        self.card = SimpleNamespace(
            name=model, particle="photon", pdg_id=22, binning=layers, layer_ids=(0, 1, 2, 3, 12)
        )

    def sample(self, energy: np.ndarray, *, eta: np.ndarray, seed: int, voxels: bool) -> Showers:
        rng = np.random.default_rng(seed)
        rows = [rng.choice(np.flatnonzero(self.known.incident_energy == e)) for e in energy]
        drawn = self.known.take(np.array(rows))
        factors = rng.lognormal(0, 0.1, drawn.voxel_energy.shape)
        cells = (drawn.voxel_energy * factors).astype(np.float32)
        sums = drawn.binning.layer_energies(cells).astype(np.float32)
        event = np.arange(len(energy), dtype=np.uint64)
        return Showers(energy, eta, sums, event, 0, cells if voxels else None)


def test_whole_showers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastcaloq_infer.sampling.Sampler", Toy)
    quick = partial(write_report, details=False)  # test_page looks at the rest
    monkeypatch.setattr("fastcaloq_infer.report.write_report", quick)
    with h5py.File(packaged_sample("showers")) as old, h5py.File(tmp_path / "g.hdf5", "w") as new:
        energy = old["incident_energies"][:, 0]
        chosen = [np.flatnonzero(energy == e)[:90] for e in (1024.0, 8192.0)]
        for name in ("incident_energies", "showers"):
            new[name] = old[name][np.sort(np.concatenate(chosen))]
        new.attrs.update({"particle": "photon", "generator": "Other 1.0", "eta": 0.225})
    app = typer.Typer()
    app.command()(report)
    command = ["toy", "-o", tmp_path / "out", "--reference", tmp_path / "g.hdf5"]
    options = ["--multiple", "2", "--seeds", "0"]
    result = CliRunner().invoke(app, [*map(str, command), *options])
    assert result.exit_code == 0, result.output
    evaluation = Evaluation.from_json((tmp_path / "out" / "figures.json").read_text())
    assert (evaluation.level, evaluation.generated_showers) == ("voxels", 2 * 180)
    assert evaluation.names.simulation == "Other"
    # Voxels add up to the layer energies that the model states beside them, to float32's rounding.
    assert {s.layer for s in evaluation.layer_sums} == {0, 1, 2, 3, 12}
    assert 0 < max(s.largest for s in evaluation.layer_sums) <= 2**-24
    html = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Other against<br>Other" in html
    assert "Geant4" not in html
    drawn = set(re.findall(r'id="(\w+)"', html))
    assert {"layer_sums", "occupancies", "rings", "sectors", "average_shower_0"} <= drawn


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["photon_energy", "--level", "voxels"], "makes layer energies alone"),
        (["photon_energy", "--reference", "missing.hdf5"], "missing.hdf5"),
    ],
)
def test_refusals_leave_no_folder(tmp_path: Path, arguments: list[str], message: str) -> None:
    app = typer.Typer()
    app.command()(report)
    result = CliRunner().invoke(app, [*arguments, "-o", str(tmp_path / "report" / "deeper")])
    assert message in str(result.exception)
    assert not list(tmp_path.iterdir())


def test_shipped_figures_are_of_the_shipped_model() -> None:
    from fastcaloq_infer.sampling.models import find

    shipped = json.loads(find("photon_energy").with_name("figures.json").read_text())
    assert shipped["generated_showers"] == 850_000
