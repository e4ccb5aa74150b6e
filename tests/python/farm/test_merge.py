"""One file from parts: equal in content to a single production, or refused."""

import h5py
import numpy as np
import pytest
from shower_files import assert_same_content, content
from whole_showers import WholeShowers, voxels_of_geant4

from fastcaloq_infer.errors import InputError, OutputError
from fastcaloq_infer.farm import Manifest, merge, worker
from fastcaloq_infer.farm.worker import draw_part
from fastcaloq_infer.output import produce
from fastcaloq_infer.output.reading import read_provenance


def complete(plan, folder):
    """Leave a complete production in a folder, made without workers."""
    manifest = Manifest(plan=plan)
    for shard in reversed(plan.shards()):
        manifest = manifest.with_part(draw_part(plan, "photon_energy", str(folder), *shard))
    manifest.save(folder)
    return manifest


@pytest.mark.parametrize("suffix", [".root", ".hdf5"])
@pytest.mark.parametrize("container", ["ttree", "rntuple"])
@pytest.mark.parametrize("output", ["all.root", "all.h5"])
def test_merged_parts_hold_what_one_process_writes(
    plan, alone, tmp_path, suffix, container, output
):
    plan = plan.model_copy(update={"suffix": suffix, "container": container})
    (tmp_path / "parts").mkdir()
    complete(plan, tmp_path / "parts")
    whole = merge([tmp_path / "parts"], tmp_path / output, container=container)
    assert_same_content(content(tmp_path / output), alone)
    assert whole == read_provenance(tmp_path / output)
    assert (whole.first_event, whole.n_showers) == (100, 2000)
    assert (whole.energy_law, whole.eta_law) == ("256.0:65536.0", "0.2:0.25")


@pytest.mark.parametrize("form", ["sparse", "dense", "none"])
def test_parts_of_whole_showers(plan, tmp_path, monkeypatch, form):
    whole = WholeShowers()
    monkeypatch.setattr(worker, "_sampler", lambda model, engine: whole)
    changes = {"model_sha256": whole.digest, "voxels": form, "n_showers": 500, "eta_law": "0.2"}
    plan = plan.model_copy(update=changes)
    complete(plan, tmp_path)
    assert set(whole.asked) == {form != "none"}
    assert Manifest.load(tmp_path).plan.voxels == form
    record = merge([tmp_path], tmp_path / "all.root")
    rows = content(tmp_path / "all.root")
    assert np.array_equal(rows["event"], np.arange(100, 600))
    if form == "none":
        assert (record.voxels, record.binning) == ("none", None)
        return
    assert (record.voxels, record.binning) == ("sparse", "dataset-1-photons")
    assert np.array_equal(rows["voxel_energies"], voxels_of_geant4()[100:600])


def test_a_plan_from_before_voxels_still_loads(plan):
    text = plan.model_dump_json(exclude={"voxels"})
    assert type(plan).model_validate_json(text).voxels == "none"


def test_out_of_range_showers_are_added_up(sampler, tmp_path):
    from fastcaloq_infer.output import parse_energies

    for first in (0, 50):
        produce(
            sampler, 50, tmp_path / f"{first}.root", first_event=first, out_of_range="clip",
            energies=parse_energies("100,1000"),
        )  # fmt: skip
    whole = merge([tmp_path / "50.root", tmp_path / "0.root"], tmp_path / "all.root")
    assert whole.n_out_of_range == 50
    assert np.array_equal(content(tmp_path / "all.root")["event"], np.arange(100))


def test_an_incomplete_production_is_not_merged(plan, tmp_path):
    manifest = complete(plan, tmp_path)
    manifest.model_copy(update={"parts": manifest.parts[1:]}).save(tmp_path)
    with pytest.raises(InputError, match=r"1 of 7 parts are missing \(first: event 100\)"):
        merge([tmp_path], tmp_path / "all.root")
    assert not (tmp_path / "all.root").exists()


def test_a_changed_part_is_not_merged(plan, tmp_path):
    part = complete(plan, tmp_path).parts[2]
    with (tmp_path / part.file).open("ab") as file:
        file.write(b"x")
    with pytest.raises(InputError, match="not the file that was produced"):
        merge([tmp_path], tmp_path / "all.root")


@pytest.mark.parametrize(
    ("first", "seed", "message"),
    [(40, 1, "hold events twice"), (60, 1, "leave events out"), (50, 2, "seed 2")],
)
def test_files_that_do_not_belong_together_are_refused(sampler, tmp_path, first, seed, message):
    produce(sampler, 50, tmp_path / "a.root", seed=1)
    produce(sampler, 50, tmp_path / "b.root", seed=seed, first_event=first)
    with pytest.raises(InputError, match=message):
        merge([tmp_path / "a.root", tmp_path / "b.root"], tmp_path / "all.root")


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "other.hdf5"
    with h5py.File(path, "w") as file:
        file["event"] = np.arange(3)
    for source in (path, tmp_path / "missing.root"):
        with pytest.raises(InputError, match="no file of generated showers"):
            merge([source], tmp_path / "all.root")


def test_an_existing_file_is_kept(sampler, tmp_path):
    produce(sampler, 50, tmp_path / "a.root", seed=1)
    (tmp_path / "all.root").write_text("precious")
    with pytest.raises(OutputError, match="exists"):
        merge([tmp_path / "a.root"], tmp_path / "all.root")
    assert (tmp_path / "all.root").read_text() == "precious"
