"""``fastcaloq evaluate`` and the files it takes."""

from __future__ import annotations

import sys

import h5py
import numpy as np
import pytest
from typer.testing import CliRunner

from fastcaloq_infer.cli import main
from fastcaloq_infer.cli.evaluate import distinct_names
from fastcaloq_infer.data import packaged_sample, read_layer_energies, write_layer_energies
from fastcaloq_infer.errors import InputError, ModelError
from fastcaloq_infer.evaluation import Evaluation, evaluate, read_sample


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Layer energies at three incident energies: reference, two models, floor."""
    folder = tmp_path_factory.mktemp("showers")
    table = read_layer_energies(packaged_sample("train"))
    rows = np.flatnonzero(np.isin(table.incident_energy, (1024, 8192, 32768)))[:4000]
    factors = {"reference": 1.0, "good": 1.0, "bad": 1.05, "floor": 1.0}
    for k, (name, factor) in enumerate(factors.items()):
        part = rows[k::4]
        with write_layer_energies(folder / f"{name}.hdf5", table.binning, eta=0.2) as writer:
            writer.append(table.incident_energy[part], factor * table.layer_energy[part])
    return folder


def run(*arguments):
    if "evaluate" not in {command.name for command in main.app.registered_commands}:
        main._register()
    return CliRunner().invoke(main.app, ["evaluate", *map(str, arguments)])


def test_two_models_side_by_side(files, tmp_path):
    models = files / "good.hdf5", files / "bad.hdf5"
    result = run(
        files / "reference.hdf5", *models, "--floor", files / "floor.hdf5", "--seeds", 1,
        "-o", tmp_path / "out",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    good, bad = (
        Evaluation.from_json((tmp_path / "out" / f"{name}.json").read_text())
        for name in ("good", "bad")
    )
    assert good.names.model_dump() == {
        "reference": "reference.hdf5",
        "generated": "good.hdf5",
        "floor": "floor.hdf5",
        "simulation": "Geant4",
    }
    assert bad.classifier.generated.auc.mean > good.classifier.generated.auc.mean
    page = (tmp_path / "out" / "report.html").read_text()
    assert "good" in page
    assert "bad" in page
    assert "largest separation of E_tot" in result.output


def test_reference_by_mistake(files, tmp_path):
    result = run(files / "reference.hdf5", files / "reference.hdf5", "-o", tmp_path / "out")
    assert isinstance(result.exception, InputError)
    assert "the reference" in str(result.exception)


def test_model_that_is_none_is_found_out_at_once(files, tmp_path):
    result = run(
        files / "reference.hdf5", files / "good.hdf5", "--model", tmp_path, "-o", tmp_path / "out"
    )
    assert isinstance(result.exception, ModelError)
    assert "separation powers" not in result.output


def test_likelihood_of_few_showers_is_left_out():
    part = tuple(
        sample.take(np.flatnonzero(sample.incident_energy == 1024)[:150])
        for sample in map(read_sample, (packaged_sample("heldout"), packaged_sample("train")))
    )
    result = evaluate(*part, seeds=0, distances=False, model="photon_energy")
    assert result.likelihood is None
    assert any("no incident energy has 200 reference showers" in n for n in result.notes)


def test_names():
    from pathlib import Path

    assert distinct_names([Path("a/x.root"), Path("b/y.hdf5")]) == ["x", "y"]
    assert distinct_names([Path("a/x.root"), Path("b/x.root"), Path("z.root")]) == [
        "a_x",
        "b_x",
        "z",
    ]
    assert distinct_names([Path("x.root"), Path("x.hdf5")]) == ["x.root", "x.hdf5"]
    with pytest.raises(InputError, match="is given twice"):
        distinct_names([Path("x.root"), Path("x.root")])


def test_voxels_are_read(tmp_path):
    sample = read_sample(packaged_sample("showers"))
    with h5py.File(packaged_sample("showers")) as file:
        np.testing.assert_array_equal(sample.voxel_energy, file["showers"][:])
        np.testing.assert_array_equal(sample.incident_energy, file["incident_energies"][:, 0])
    assert sample.layer_ids == (0, 1, 2, 3, 12)
    assert sample.binning.name == "dataset-1-photons"
    np.testing.assert_allclose(
        sample.layer_energy, sample.binning.layer_energies(sample.voxel_energy)
    )
    assert (sample.eta == 0.225).all()
    assert sample.name == "geant4_photons.hdf5"


@pytest.mark.parametrize("name", ["showers.root", "showers.hdf5"])
def test_generated_files_are_read(tmp_path, name):
    """What ``fastcaloq sample`` writes can be evaluated."""
    from fastcaloq_infer.output import parse_energies, produce
    from fastcaloq_infer.sampling import Sampler

    path = tmp_path / name
    produce(Sampler("photon_energy"), 500, path, energies=parse_energies("1024,65536"), seed=3)
    sample = read_sample(path)
    expected = Sampler("photon_energy").sample(sample.incident_energy, eta=sample.eta, seed=3)
    np.testing.assert_array_equal(sample.layer_energy, expected.layer_energy.astype(np.float64))
    assert (sample.layer_ids, sample.n_showers, sample.voxel_energy) == (
        (0, 1, 2, 3, 12),
        500,
        None,
    )


def test_files_that_are_none(tmp_path):
    with pytest.raises(InputError, match=r"missing\.root"):
        read_sample(tmp_path / "missing.root")
    (tmp_path / "noise.root").write_bytes(b"root" + bytes(300))
    with pytest.raises(InputError, match=r"noise\.root"):
        read_sample(tmp_path / "noise.root")
    with pytest.raises(InputError, match="no such file"):
        read_sample(tmp_path / "missing.hdf5")


def test_reading_is_light():
    """Reading and comparing need neither torch nor scikit-learn nor matplotlib."""
    import subprocess

    code = (
        "import sys\n"
        "from fastcaloq_infer.evaluation import read_sample\n"
        "from fastcaloq_infer.data import packaged_sample\n"
        "read_sample(packaged_sample('heldout'))\n"
        "print(*({'torch', 'sklearn', 'matplotlib', 'scipy'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.split() == []
