"""Every bad file is refused with one line that says what is wrong and where."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from fastcaloq_infer.data import (
    binning,
    open_showers,
    packaged_sample,
    read_layer_energies,
    write_layer_energies,
    write_showers,
)
from fastcaloq_infer.errors import InputError, OutputError

PHOTON = binning("dataset-1-photons")
N = 50


def challenge(path: Path) -> Path:
    with write_showers(path, PHOTON, eta=0.2) as out:
        out.append(np.full(N, 1000.0), np.ones((N, 368)))
    return path


def edit(path: Path, change: Callable[[h5py.File], None]) -> None:
    with h5py.File(path, "a") as file:
        change(file)


def put(key: str, index: Any, value: float) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file[key][index] = value

    return change


VOXEL = r"voxel 9 \(layer 1, alpha bin 0, r bin 1\)"


@pytest.mark.parametrize("chunk", [None, 7])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (put("showers", (33, 9), np.nan), f"row 33: {VOXEL} holds nan MeV"),
        (put("showers", (33, 9), np.inf), f"row 33: {VOXEL} holds inf MeV"),
        (put("showers", (33, 9), -np.inf), f"row 33: {VOXEL} holds -inf MeV"),
        (put("showers", (33, 9), -1e-30), f"row 33: {VOXEL} holds -1e-30 MeV"),
        (put("incident_energies", (33, 0), 0), "row 33: the incident energy is 0 MeV"),
        (put("incident_energies", (33, 0), -5), "row 33: the incident energy is -5 MeV"),
        (put("incident_energies", (33, 0), np.nan), "row 33: the incident energy is nan MeV"),
        (put("incident_energies", (33, 0), np.inf), "row 33: the incident energy is inf MeV"),
        (put("showers", (slice(33, None), slice(9, None)), -1.0), f"row 33: {VOXEL} holds -1 MeV"),
    ],
)
def test_the_first_bad_row_is_named(
    tmp_path: Path, change: Callable[[h5py.File], None], words: str, chunk: int | None
) -> None:
    path = challenge(tmp_path / "a.hdf5")
    edit(path, change)
    with pytest.raises(InputError, match=words):
        read_layer_energies(path, chunk=chunk)
    with open_showers(path) as file:
        with pytest.raises(InputError, match=words) as caught:
            list(file.iterate(chunk))
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
        assert sum(len(batch) for batch in file.iterate(chunk, check=False)) == N


def test_the_earliest_of_several_bad_rows(tmp_path: Path) -> None:
    path = challenge(tmp_path / "a.hdf5")
    edit(path, put("incident_energies", (40, 0), -1))
    edit(path, put("showers", (12, 0), -1))
    with pytest.raises(InputError, match="row 12: voxel 0"):
        read_layer_energies(path)
    edit(path, put("incident_energies", (11, 0), -1))
    with pytest.raises(InputError, match="row 11: the incident energy"):
        read_layer_energies(path)


def test_bad_eta_and_bad_layer_energy(tmp_path: Path) -> None:
    path = tmp_path / "a.hdf5"
    with write_layer_energies(path, PHOTON) as out:
        out.append(np.full(N, 1000.0), np.ones((N, 5)), np.full(N, 0.2))
    edit(path, put("eta", (8, 0), np.nan))
    with pytest.raises(InputError, match="row 8: eta is nan"):
        read_layer_energies(path)
    edit(path, put("layer_energies", (5, 4), -2))
    with pytest.raises(InputError, match="row 5: layer 12 holds -2 MeV"):
        read_layer_energies(path)


def test_bad_atlas_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.hdf5"
    with write_showers(path, PHOTON, dialect="atlas", eta=0.2) as out:
        out.append(np.full(N, 1000.0), np.ones((N, 368)))
    edit(path, put("incident_energy", 20, np.nan))
    with pytest.raises(InputError, match="row 20: the incident energy is nan"):
        read_layer_energies(path)
    edit(path, put("energy_layer_1", (3, 1), -0.5))
    with pytest.raises(InputError, match=rf"row 3: {VOXEL} holds -500 MeV"):
        read_layer_energies(path)


def delete(key: str) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[key]

    return change


def replace(key: str, value: Any) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        if key in file:
            del file[key]
        file[key] = value

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (delete("showers"), r"'showers' \(or 'layer_energies'\) is missing.*incident_energies"),
        (delete("incident_energies"), "'incident_energies' is missing.*holds: showers"),
        (replace("showers", np.ones((N, 367))), "no built-in|367 voxels but binning"),
        (replace("showers", np.ones((N - 1, 368))), "49 rows but 'incident_energies' has 50"),
        (replace("showers", np.ones(N)), "expected .N, number of voxels"),
        (replace("showers", np.ones((N, 8, 46))), "expected .N, number of voxels"),
        (replace("showers", np.full((N, 368), b"x")), "expected numbers"),
        (replace("incident_energies", np.ones((N, 2))), "expected .N, 1. or .N,."),
        (replace("eta", np.ones(N - 1)), r"'eta' has shape \(49,\) but there are 50 showers"),
    ],
)
def test_missing_and_misshapen_datasets(
    tmp_path: Path, change: Callable[[h5py.File], None], words: str
) -> None:
    path = challenge(tmp_path / "a.hdf5")
    edit(path, change)
    with pytest.raises(InputError, match=words) as caught:
        open_showers(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    path.unlink()  # the file was closed


def test_layer_energies_that_do_not_say_their_layers(tmp_path: Path) -> None:
    path = tmp_path / "a.hdf5"
    with h5py.File(path, "w") as file:
        file["incident_energies"] = np.ones((3, 1))
        file["layer_energies"] = np.ones((3, 5))
        file.attrs["pdg_id"] = 22
    with pytest.raises(InputError, match="does not say which layers"):
        open_showers(path)
    with open_showers(path, "dataset-1-photons") as shower_file:
        assert shower_file.layer_ids == PHOTON.layer_ids
    edit(path, lambda file: file["layer_energies"].attrs.update({"layer_ids": [0, 1]}))
    with pytest.raises(InputError, match="5 columns but there are 2 layers"):
        open_showers(path)
    with pytest.raises(InputError, match="holds the layers"):
        open_showers(path, "dataset-1-photons")


def test_files_that_are_no_shower_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        open_showers(tmp_path / "missing.hdf5")
    with pytest.raises(InputError, match="it is a folder"):
        open_showers(tmp_path)
    (tmp_path / "text").write_text("incident_energies")
    with pytest.raises(InputError, match="not an HDF5 file"):
        open_showers(tmp_path / "text")
    with h5py.File(tmp_path / "other", "w") as file:
        file["x"] = 1
        file.create_group("showers")
    with pytest.raises(InputError, match=r"neither CaloChallenge .* nor ATLAS .*holds: x"):
        open_showers(tmp_path / "other")
    with h5py.File(tmp_path / "atlas", "w") as file:
        file["incident_energy"] = np.ones(3)
    with pytest.raises(InputError, match="'energy_layer_<l>' is missing"):
        open_showers(tmp_path / "atlas")
    edit(tmp_path / "atlas", replace("energy_layer_1", np.ones((3, 0))))
    with pytest.raises(InputError, match="with voxels"):
        open_showers(tmp_path / "atlas")


def test_a_truncated_file(tmp_path: Path) -> None:
    whole = packaged_sample().read_bytes()
    for kept in (0, 100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "a.hdf5").write_bytes(whole[:kept])
        with pytest.raises(InputError, match="not an HDF5 file, or a damaged or incomplete one"):
            open_showers(tmp_path / "a.hdf5")


def test_a_damaged_chunk(tmp_path: Path) -> None:
    path = challenge(tmp_path / "a.hdf5")
    with h5py.File(path) as file:
        chunk = file["showers"].id.get_chunk_info(0)
    with path.open("r+b") as stream:
        stream.seek(chunk.byte_offset + 10)
        stream.write(b"\xff" * 40)
    with pytest.raises(InputError, match="rows 0 to 49 cannot be read, the file is damaged"):
        read_layer_energies(path)


# writing


@pytest.mark.parametrize(
    ("energy", "showers", "eta", "words"),
    [
        (np.ones(2), np.ones((2, 367)), None, "expected .n,. and .n, 368."),
        (np.ones(2), np.ones((3, 368)), None, "expected .n,."),
        (np.ones((2, 2)), np.ones((2, 368)), None, "expected .n,."),
        (np.float64(1), np.ones((1, 368)), None, "expected .n,."),
        ([1.0, -1.0], np.ones((2, 368)), None, "row 3 was not written: the incident energy is -1"),
        ([1.0, 1.0], np.full((2, 368), np.nan), None, "row 2 was not written: column 0 holds nan"),
        ([1.0, 1.0], np.ones((2, 368)), [0.1], "eta has 1 entries for 2 showers"),
        ([1.0, 1.0], np.ones((2, 368)), [0.1, 0.2], "with every batch or with none"),
    ],
)
def test_a_bad_batch_leaves_no_file(
    tmp_path: Path, energy: Any, showers: Any, eta: Any, words: str
) -> None:
    def write() -> None:
        with write_showers(tmp_path / "a", PHOTON) as out:
            out.append(np.ones(2), np.ones((2, 368)))
            out.append(energy, showers, eta)

    with pytest.raises(InputError, match=words):
        write()
    assert list(tmp_path.iterdir()) == []


def test_bad_settings_leave_no_file(tmp_path: Path) -> None:
    for settings in ({"compression": 10}, {"eta": np.nan}):
        with (
            pytest.raises(InputError),
            write_showers(tmp_path / "a", PHOTON, **settings),  # type: ignore[arg-type]
        ):
            pass
    with (
        pytest.raises(OutputError, match="does not exist"),
        write_showers(tmp_path / "b" / "a", PHOTON),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


FULL = """
import resource, sys
import numpy as np
from fastcaloq_infer.data import binning, write_showers
from fastcaloq_infer.errors import OutputError
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
rng = np.random.default_rng(0)
try:
    with write_showers(sys.argv[1], binning("dataset-1-photons")) as out:
        for _ in range(20):
            out.append(np.ones(1000), rng.random((1000, 368)))
except OutputError as error:
    print(error)
    sys.exit(7)
"""


def test_no_more_room_while_writing(tmp_path: Path) -> None:
    # The limit on the size of a file stands in for a full disk, which needs root to make.
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FULL, str(tmp_path / "a.hdf5")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 7, done.stderr
    assert done.stdout.startswith(f"cannot write {tmp_path / 'a.hdf5'}: ")
    assert done.stdout.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, signal, sys
import numpy as np
from fastcaloq_infer.data import binning, write_showers
with write_showers(sys.argv[1], binning("dataset-1-photons")) as out:
    out.append(np.ones(1000), np.ones((1000, 368)))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_kill_9_while_writing(tmp_path: Path) -> None:
    path = challenge(tmp_path / "a.hdf5")
    before = path.read_bytes()
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == before
