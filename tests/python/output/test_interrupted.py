"""Disk full, kill -9, exceptions: no new file under the final name, and no old one lost."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap

import h5py
import pytest
import uproot

from fastcaloq_infer.output import produce

NAMES = ["out.root", "out.hdf5"]

# A child process with its own limits: draws 40 chunks of 5000 showers of random energies, 5 MB.
CHILD = """
import sys, time
sys.path.insert(0, {here!r})
import numpy as np
from conftest import FakeSampler
from fastcaloq_infer.errors import OutputError
from fastcaloq_infer.output import parse_energies, produce

class Random(FakeSampler):
    def sample(self, incident_energies, **keywords):
        showers = super().sample(incident_energies, **keywords)
        showers.layer_energy[:] = np.random.default_rng(1).random(showers.layer_energy.shape)
        return showers

def progress(done):
    print(done, flush=True)
    time.sleep({pause})

{before}
try:
    produce(Random(), 200_000, {out!r}, chunk=5000, compression="none", force=True,
            container={container!r}, progress=progress, energies=parse_energies("1000"))
except OutputError as error:
    sys.exit("refused: " + str(error))
"""


def command(out, here, *, before="", pause=0.0, container="ttree"):
    text = textwrap.dedent(CHILD).format(
        here=str(here), out=str(out), before=before, pause=pause, container=container
    )
    return [sys.executable, "-W", "error", "-c", text]


@pytest.fixture
def here(request):
    return request.path.parent


@pytest.mark.parametrize("name", NAMES)
def test_an_exception_leaves_nothing(failing_sampler, tmp_path, name):
    with pytest.raises(RuntimeError, match="the sampler failed"):
        produce(failing_sampler, 1000, tmp_path / name, chunk=100)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_an_exception_keeps_the_old_file(failing_sampler, tmp_path, name):
    (tmp_path / name).write_text("old")
    with pytest.raises(RuntimeError):
        produce(failing_sampler, 1000, tmp_path / name, chunk=100, force=True)
    assert (tmp_path / name).read_text() == "old"


@pytest.mark.parametrize(
    ("name", "container"), [*((n, "ttree") for n in NAMES), ("out.root", "rntuple")]
)
@pytest.mark.parametrize("limit", [1000, 300_000, 5_000_000])
def test_a_file_size_limit_leaves_nothing(tmp_path, here, name, container, limit):
    """Writing fails in the header, in the first chunks, late: one line, no file, old one kept."""
    before = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))"
    (tmp_path / name).write_text("old")
    done = subprocess.run(
        command(tmp_path / name, here, before=before, container=container),
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("refused: cannot write"), done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "old"


@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk_leaves_nothing(tmp_path, here, name):
    """A real file system of 1 MB, where the machine lets an ordinary user mount one."""
    mount = ["unshare", "--user", "--map-root-user", "--mount"]
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = f"mount -t tmpfs -o size=1m tmpfs {disk}"
    if (
        not shutil.which("unshare")
        or subprocess.run([*mount, "sh", "-c", mounted], capture_output=True).returncode
    ):
        pytest.skip("mounting needs privileges here; the file-size limit is tested instead")
    script = f'{mounted} && "$@"; code=$?; ls -A {disk}; exit $code'
    done = subprocess.run(
        [*mount, "sh", "-c", script, "sh", *command(disk / name, here)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "the disk is full" in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert name not in done.stdout


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("chunks", [1, 5])
def test_kill_9_leaves_nothing_under_the_final_name(tmp_path, here, name, chunks):
    out = tmp_path / name
    child = subprocess.Popen(command(out, here, pause=0.05), stdout=subprocess.PIPE, text=True)
    for _ in range(chunks):
        assert child.stdout.readline()
    os.kill(child.pid, signal.SIGKILL)
    child.stdout.close()
    assert child.wait() == -signal.SIGKILL
    assert not out.exists()


@pytest.mark.parametrize("name", NAMES)
def test_the_same_child_succeeds_undisturbed(tmp_path, here, name):
    """Guards the tests above: without a limit the same program writes all showers."""
    out = tmp_path / name
    subprocess.run(command(out, here), check=True, capture_output=True, timeout=60)
    if name.endswith(".root"):
        with uproot.open(out) as file:
            assert file["showers"].num_entries == 200_000
    else:
        with h5py.File(out) as file:
            assert len(file["event"]) == 200_000
