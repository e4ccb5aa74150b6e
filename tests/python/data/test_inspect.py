"""``fastcaloq inspect``, the summary behind it, and the packaged samples."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import typer
from models import write_random_model
from typer.testing import CliRunner
from whole_showers import WholeShowers

from fastcaloq_infer.cli.inspect import inspect
from fastcaloq_infer.data import (
    binning,
    open_showers,
    packaged_sample,
    read_layer_energies,
    write_showers,
)
from fastcaloq_infer.data.summary import summarise
from fastcaloq_infer.errors import InputError, ModelError
from fastcaloq_infer.files import sha256_file
from fastcaloq_infer.output import produce

PHOTON = binning("dataset-1-photons")
POWERS = [2.0**k for k in range(8, 17)]


def run(*arguments: str) -> Any:
    app = typer.Typer()
    app.command()(inspect)
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "100"})


def test_packaged_samples_fit_and_are_what_they_say() -> None:
    folder = packaged_sample().parent
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 6_500_000
    assert "Apache-2.0" in (folder / "PROVENANCE.md").read_text()
    with open_showers(packaged_sample()) as file:
        assert file.has_voxels
        assert file.binning == PHOTON
        assert (file.eta, file.particle) == (0.225, ("photon", 22))
        energies, counts = np.unique(file.incident_energies(), return_counts=True)
    np.testing.assert_array_equal(energies, POWERS)
    np.testing.assert_array_equal(counts, [350] * 8 + [175])
    for which, n in (("train", 68_000), ("heldout", 21_250)):
        found = read_layer_energies(packaged_sample(which))  # type: ignore[arg-type]
        assert found.layer_energy.shape == (n, 5)
        _, counts = np.unique(found.incident_energy, return_counts=True)
        np.testing.assert_array_equal(counts, [n * 2 // 17] * 8 + [n // 17])
        assert found.binning == PHOTON
    for which, particle, n_voxels in (
        ("heldout_photons", ("photon", 22), 368),
        ("heldout_pions", ("pion", 211), 533),
    ):
        with open_showers(packaged_sample(which)) as file:  # type: ignore[arg-type]
            assert (file.eta, file.particle) == (0.225, particle)
            assert file.binning is not None
            assert file.binning.n_voxels == n_voxels
            _, counts = np.unique(file.incident_energies(), return_counts=True)
        np.testing.assert_array_equal(counts, [200] * 8 + [100])
    with pytest.raises(InputError, match="give one of showers, train, heldout"):
        packaged_sample("test")  # type: ignore[arg-type]


def test_packaged_voxels_are_a_part_of_the_training_run() -> None:
    showers = read_layer_energies(packaged_sample())
    train = read_layer_energies(packaged_sample("train"))
    known = {row.tobytes() for row in train.layer_energy}
    # stored as float32 there
    rows = showers.layer_energy.astype(np.float32).astype(np.float64)
    assert all(row.tobytes() in known for row in rows)
    heldout = read_layer_energies(packaged_sample("heldout"))
    assert not any(row.tobytes() in known for row in heldout.layer_energy)


def test_packaged_runs_agree_with_each_other_and_the_provenance() -> None:
    train, heldout = (read_layer_energies(packaged_sample(w)) for w in ("train", "heldout"))
    for energy in POWERS:
        a, b = (s.layer_energy[s.incident_energy == np.float32(energy)] for s in (train, heldout))
        for x, y in ((a, b), ((a == 0).astype(float), (b == 0).astype(float))):
            error = np.sqrt(x.var(axis=0) / len(x) + y.var(axis=0) / len(y))
            # 9 energies x 5 layers x 2 figures: 5 sigma fails once in 20,000 such runs
            assert np.all(np.abs(x.mean(axis=0) - y.mean(axis=0)) <= 5 * error)
    low = train.layer_energy[train.incident_energy == 256]
    high = train.layer_energy[train.incident_energy == 65536]
    # what PROVENANCE.md says of the training run, to its last digit
    measured = np.concatenate(
        [(rows == 0).mean(axis=0)[[0, 3, 4]] for rows in (low, high)]
        + [[rows.sum(axis=1).std() / rows.sum(axis=1).mean()] for rows in (low, high)]
        + [[rows[:, 2].sum() / rows.sum()] for rows in (low, high)]
    )
    said = [0.33, 0.96, 0.99, 0.06, 0, 0, 0.24, 0.01, 0.27, 0.84]
    np.testing.assert_allclose(measured, said, rtol=0, atol=0.005)


def test_full_files_give_the_packaged_energies_if_present() -> None:
    full = Path(__file__).parents[4] / "shared" / "data" / "geant4_photons_2.hdf5"
    if not full.is_file():
        pytest.skip("the full Geant4 files are not here")
    found, packaged = read_layer_energies(full), read_layer_energies(packaged_sample("heldout"))
    np.testing.assert_array_equal(found.incident_energy, packaged.incident_energy)
    np.testing.assert_allclose(packaged.layer_energy, found.layer_energy, rtol=2.0**-24)
    with h5py.File(packaged_sample("heldout")) as file:
        assert file.attrs["source_sha256"] == sha256_file(full)


def test_generated_showers_can_be_inspected(tmp_path: Path) -> None:
    """Files of `fastcaloq sample` give units as JSON and eta and particle another meaning."""
    with h5py.File(tmp_path / "generated.hdf5", "w") as file:
        file["incident_energies"] = np.full((4, 1), 1024, np.float32)
        file["layer_energies"] = np.full((4, 5), 200, np.float32)
        file["layer_energies"].attrs["layers"] = np.array(PHOTON.layer_ids)
        file["eta"] = np.full(4, 0.2, np.float32)
        file.attrs.update({"particle": 0, "pdg_id": 22, "eta": "0.2", "units": '{"energy": "MeV"}'})
    found = read_layer_energies(tmp_path / "generated.hdf5")
    assert (found.layer_ids, found.particle) == (PHOTON.layer_ids, "photon")
    np.testing.assert_allclose(found.eta, 0.2, rtol=2.0**-24)
    assert run(str(tmp_path / "generated.hdf5")).exit_code == 0
    with h5py.File(tmp_path / "generated.hdf5", "a") as file:
        file.attrs["units"] = '{"energy": "GeV"}'
    assert "in 'GeV'" in str(run(str(tmp_path / "generated.hdf5")).exception)


def test_summary_against_plain_numpy() -> None:
    with open_showers(packaged_sample()) as file:
        summary = summarise(file, chunk=600)
        (batch,) = file.iterate(10_000)
    assert [group.low for group in summary.groups] == POWERS
    assert summary.n_bad == 0
    assert summary.warnings == []
    layers = PHOTON.layer_energies(batch.showers)
    for group in summary.groups:
        mine = batch.incident_energy == group.low
        ratio = layers[mine].sum(axis=1) / group.low
        assert group.showers == mine.sum()
        assert group.response == pytest.approx(ratio.mean(), rel=1e-12)
        # the variance is a difference of sums: 1e-16 relative to the mean square, over 1e-4
        assert group.resolution == pytest.approx(ratio.std() / ratio.mean(), rel=1e-9)
        assert group.occupancy == pytest.approx((batch.showers[mine] > 0).mean(), rel=1e-12)
        np.testing.assert_allclose(group.zero_fraction, (layers[mine] == 0).mean(axis=0))
        np.testing.assert_allclose(group.share, layers[mine].sum(0) / layers[mine].sum())


def write(path: Path, incident: np.ndarray, scale: float = 1.0) -> Path:
    with write_showers(path, PHOTON, eta=0.2) as out:
        out.append(incident, np.repeat(scale * incident[:, None] / 368, 368, axis=1))
    return path


def test_many_energies_are_grouped_in_powers_of_two(tmp_path: Path) -> None:
    incident = np.linspace(1000, 5000, 401)
    with open_showers(write(tmp_path / "a", incident)) as file:
        groups = summarise(file, chunk=100).groups
    assert [(group.low, group.high) for group in groups] == [
        (512, 1024),
        (1024, 2048),
        (2048, 4096),
        (4096, 8192),
    ]
    assert [group.showers for group in groups] == [3, 102, 205, 91]


@pytest.mark.parametrize(
    ("incident", "scale", "words"),
    [
        (np.array([256.0, 1024.0]), 1.0, None),
        (np.array([0.256, 65.536]), 1.0, "too low for showers: they look like GeV"),
        (np.array([65.536]), 1.0, "too low"),
        (np.array([2.56e5, 6.5e7]), 1.0, "look like keV"),
        (np.array([256.0, 1024.0]), 1000.0, "incident energies look like GeV"),
        (np.array([256.0, 1024.0]), 0.001, "deposits look like GeV"),
        (np.array([256.0, 1024.0]), 0.1, "unusual for a calorimeter"),
        (np.array([256.0, 1024.0]), 0.0, "no shower deposits"),
    ],
)
def test_units_are_judged(
    tmp_path: Path, incident: np.ndarray, scale: float, words: str | None
) -> None:
    path = write(tmp_path / "a.hdf5", incident, scale)
    done = run(str(path))
    assert done.exit_code == 0, done.output
    if words is None:
        assert "units: plausible" in done.output
    else:
        assert words in done.output
        assert "plausible" not in done.output


def test_command_prints_what_is_inside() -> None:
    done = run(str(packaged_sample()))
    assert done.exit_code == 0, done.output
    words = " ".join(done.output.split())
    for expected in (
        "particle photon (PDG 22)",
        "showers 2,975",
        "eta 0.225",
        "binning dataset-1-photons: 5 layers, 368 voxels",
        "generator Geant4 11.4.0",
        "r max [mm]",
        "rows: all 2975 good",
    ):
        assert expected in words
    row = re.search(r"^ +65,536 +175 +1\.0\d\d +(\d\.\d)% +(\d\d\.\d)%", done.output, re.M)
    assert row is not None
    assert float(row[1]) == pytest.approx(1.0, abs=0.2)
    assert float(row[2]) == pytest.approx(84, abs=2)
    assert run(str(packaged_sample("heldout"))).exit_code == 0


def test_command_with_many_layers_and_without_eta(tmp_path: Path) -> None:
    which = binning("dataset-2")
    with h5py.File(tmp_path / "[b].hdf5", "w") as file:
        file["incident_energies"] = np.geomspace(1e3, 1e6, 60)[:, None]
        file["showers"] = np.ones((60, which.n_voxels))
        file.attrs["remark"] = "[bold]brackets[/nothing]"
    done = run(str(tmp_path / "[b].hdf5"), "--binning", "dataset-2")
    assert done.exit_code == 0, done.output
    assert "[bold]brackets[/nothing]" in done.output
    assert "not stated" in done.output
    assert "524,288 to 1,048,576 MeV" in " ".join(done.output.split())
    wrong = run(str(tmp_path / "[b].hdf5"), "--binning", "dataset-3")
    assert isinstance(wrong.exception, InputError)
    unknown = run(str(tmp_path / "[b].hdf5"))
    assert "never guessed" in str(unknown.exception)
    assert run(str(tmp_path / "[b].hdf5"), "--particle", "electron", "--eta", "0").exit_code == 0


def test_bad_rows_are_counted_and_the_first_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.hdf5", np.full(40, 1024.0))
    with h5py.File(path, "a") as file:
        file["showers"][17, 8] = np.nan
        file["showers"][30:, 0] = -1
    done = run(str(path))
    assert done.exit_code == 1
    assert isinstance(done.exception, InputError)
    message = str(done.exception)
    assert "11 of 40 rows are bad, the first is row 17: voxel 8 (layer 1, alpha bin 0" in message
    assert re.search(r"1,024 +29 +1\.000", done.output)  # the good ones are still summarised


def test_nothing_good_inside(tmp_path: Path) -> None:
    path = write(tmp_path / "a.hdf5", np.full(3, 1024.0))
    with h5py.File(path, "a") as file:
        file["incident_energies"][...] = 0
    assert "3 of 3 rows are bad" in str(run(str(path)).exception)
    with write_showers(tmp_path / "b.hdf5", PHOTON):
        pass
    assert "rows: all 0 good" in run(str(tmp_path / "b.hdf5")).output


def test_generated_root_files_are_inspected(tmp_path: Path) -> None:
    produce(WholeShowers(), 60, tmp_path / "out.root")
    done = run(str(tmp_path / "out.root"))
    assert done.exit_code == 0, done.output
    words = " ".join(done.output.split())
    assert "binning dataset-1-photons: 5 layers, 368 voxels" in words
    assert "voxels sparse" in words
    assert "rows: all 60 good" in words
    (tmp_path / "cut.root").write_bytes((tmp_path / "out.root").read_bytes()[:3000])
    assert "damaged" in str(run(str(tmp_path / "cut.root")).exception)


def test_models_say_what_they_draw(tmp_path: Path) -> None:
    write_random_model(tmp_path / "model.onnx", 3)
    for name in ("photon_energy", str(tmp_path / "model.onnx")):
        done = run(name)
        assert done.exit_code == 0, done.output
        words = " ".join(done.output.split())
        assert "draws energies of 5 layers" in words
        assert "sha256" in words
    assert "68,000 showers (geant4_photons_layers_train.hdf5)" in " ".join(
        run("photon_energy").output.split()
    )
    assert isinstance(run("photon_energy", "--eta", "0.2").exception, InputError)
    assert isinstance(run(str(tmp_path / "none.onnx")).exception, ModelError)
