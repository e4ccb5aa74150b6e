"""Productions on Dask workers: the same showers, whatever dies."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from shower_files import assert_same_content, content

from fastcaloq_infer.errors import InputError, OutputError
from fastcaloq_infer.farm import Farm, Manifest, cluster, merge, run_farm

TWO = Farm(workers=2)


def assert_whole(folder, alone):
    """Every event once, in the files that the manifest lists."""
    manifest = Manifest.load(folder)
    assert not manifest.missing()
    merge([folder], folder / "all.root")
    assert_same_content(content(folder / "all.root"), alone)


def test_workers_produce_what_one_process_produces(plan, alone, tmp_path):
    seen = []
    manifest = run_farm(plan, "photon_energy", tmp_path / "run", TWO, progress=seen.append)
    assert [part.first_event for part in manifest.parts] == [f for f, _ in plan.shards()]
    assert seen[-1] == 2000
    assert_whole(tmp_path / "run", alone)

    with pytest.raises(OutputError, match="--resume"):
        run_farm(plan, "photon_energy", tmp_path / "run", TWO)
    other = plan.model_copy(update={"seed": 6})
    with pytest.raises(InputError, match=r"seed \(was 5, is 6\)"):
        run_farm(other, "photon_energy", tmp_path / "run", TWO, resume=True)

    # What is intact is kept, what was lost or changed is drawn again.
    kept, lost, changed = manifest.parts[:3]
    (tmp_path / "run" / lost.file).unlink()
    (tmp_path / "run" / changed.file).write_bytes(b"not a file of showers")
    (tmp_path / "run" / "all.root").unlink()
    again = run_farm(plan, "photon_energy", tmp_path / "run", TWO, resume=True)
    assert again.parts[0] == kept
    assert {lost.file, changed.file}.isdisjoint(part.file for part in again.parts)
    assert_whole(tmp_path / "run", alone)


def dask(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "dask", *arguments],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def test_a_killed_scheduler_ends_the_run_with_a_line_and_another_goes_on(plan, alone, tmp_path):
    plan = plan.model_copy(update={"shard": 20})
    folder = tmp_path / "run"
    address = tmp_path / "scheduler.json"
    scheduler = dask(
        "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
        "--scheduler-file", str(address),
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (address.exists() and address.read_text().strip()) and time.monotonic() < deadline:
        time.sleep(0.1)
    where = json.loads(address.read_text())["address"]
    worker = dask("worker", where, "--nthreads", "1", "--no-dashboard", "--no-nanny")

    def kill(done):
        if done:
            scheduler.kill()

    try:
        with pytest.raises(OutputError, match=r"scheduler went away.*go on with --resume"):
            run_farm(plan, "photon_energy", folder, Farm(scheduler=where), progress=kill)
    finally:
        for process in (scheduler, worker):
            process.kill()
            process.wait()
    assert 0 < len(Manifest.load(folder).parts) < 100
    run_farm(plan, "photon_energy", folder, TWO, resume=True)
    assert_whole(folder, alone)


def test_a_part_that_cannot_be_drawn_ends_the_run_and_keeps_the_others(plan, tmp_path):
    other = plan.model_copy(update={"model_sha256": "0" * 64})
    with pytest.raises(InputError, match=r"events 100 to 399.*same file.*0 of 7 parts"):
        run_farm(other, "photon_energy", tmp_path / "run", Farm(workers=1))


def test_the_users_files_are_not_taken_for_parts(plan, tmp_path):
    """Folders that a run must not clean up; the plan's model is wrong, so nothing is drawn."""
    other = plan.model_copy(update={"model_sha256": "0" * 64})
    (tmp_path / "events-1.root").write_text("drawn by hand")
    for _ in range(2):  # the second time there is a manifest, without parts, of a run that failed
        with pytest.raises(InputError, match="same file"):
            run_farm(other, "photon_energy", tmp_path, Farm(workers=1))
    assert (tmp_path / "events-1.root").read_text() == "drawn by hand"
    (tmp_path / "manifest.json").unlink()
    part = tmp_path / "events-000000000100-0123abcd.root"
    part.write_text("showers")
    with pytest.raises(OutputError, match=r"holds parts of a production .* no manifest\.json"):
        run_farm(plan, "photon_energy", tmp_path, TWO, resume=True)
    assert part.exists()


def test_a_run_that_produced_nothing_does_not_bind_the_next(plan, tmp_path):
    Manifest(plan=plan).save(tmp_path)
    (tmp_path / "events-000000000100-0123abcd.root").write_text("begun, never listed")
    other = plan.model_copy(update={"seed": 6, "shard": 2000})
    assert run_farm(other, "photon_energy", tmp_path, Farm(workers=1)).plan == other
    assert len(list(tmp_path.glob("events-*"))) == 1


def test_ctrl_c_ends_with_a_line_and_a_folder_to_go_on_from(tmp_path):
    # A shell that starts the tests in the background has the signal ignored, children inherit that.
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from fastcaloq_infer.cli.main import main; main()"
    )
    words = ["sample", "photon_energy", "-n", "50000000", "--shard", "5000", "--workers", "1", "-o"]
    with subprocess.Popen(
        [sys.executable, "-c", program, *words, tmp_path / "run"], stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 60
        while not (parts := list(tmp_path.glob("run/events-*"))) and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
        try:
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()  # what did not end by itself would be waited for without end
    assert parts
    assert process.returncode == 130
    assert errors == "interrupted; complete parts are kept: go on with --resume\n"
    Manifest.load(tmp_path / "run")


def test_a_server_that_is_no_scheduler_is_not_waited_for(plan, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "_GREETING", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"tcp://127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(InputError, match=rf"no Dask scheduler answers at {address}"):
            run_farm(plan, "photon_energy", tmp_path / "run", Farm(scheduler=address))


def test_a_scheduler_that_is_not_there_is_named(plan, tmp_path):
    with pytest.raises(InputError, match=r"no Dask scheduler answers at tcp://127.0.0.1:9"):
        run_farm(plan, "photon_energy", tmp_path / "run", Farm(scheduler="tcp://127.0.0.1:9"))


def test_the_benchmark_kills_and_finds_everything_in_its_place(tmp_path):
    from fastcaloq_infer.benchmark.farm import measure_faults

    outcome = measure_faults("photon_energy", tmp_path, quick=True, say=lambda _: None)
    assert outcome.pop("kills") >= 3
    assert outcome.pop("productions") >= 1
    assert set(outcome.values()) == {0}
