"""``fastcaloq sample --workers`` and ``fastcaloq merge`` as users type them."""

import contextlib
import socket

import pytest
import typer
from shower_files import assert_same_content, content
from typer.testing import CliRunner

from fastcaloq_infer.cli.farm import default_shard
from fastcaloq_infer.cli.merge import merge
from fastcaloq_infer.cli.sample import sample
from fastcaloq_infer.errors import InputError


@pytest.fixture(scope="session")
def run():
    app = typer.Typer()
    app.command("sample")(sample)
    app.command("merge")(merge)
    return lambda *words: CliRunner().invoke(app, [str(w) for w in words], catch_exceptions=False)


def test_produced_and_merged(run, alone, tmp_path):
    common = ("photon_energy", "-n", 2000, "--seed", 5, "--first-event", 100)
    folder = tmp_path / "parts"
    with socket.socket() as busy:  # the port of Dask's page is somebody else's
        busy.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            busy.bind(("127.0.0.1", 8787))
            busy.listen()
        done = run(
            "sample", *common, "-o", folder, "--workers", 1, "--shard", 700, "--parts", "hdf5"
        )
    assert done.exit_code == 0
    assert "3 parts" in done.output
    assert len(list(folder.glob("events-*.hdf5"))) == 3
    done = run("merge", folder, "-o", tmp_path / "all.root", "--rntuple")
    assert "2,000 showers, events 100 to 2099" in done.output
    assert_same_content(content(tmp_path / "all.root"), alone)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-o", "all.root", "--workers", 2), "named like a file"),
        (("-o", "parts", "--workers", 2, "--force"), "--force cannot be had"),
        (("-o", "parts", "--workers", 2, "--threads", 2, "--chunk", 5), "--threads, --chunk"),
        (("-o", "parts", "--workers", 2, "--scheduler", "tcp://a:1"), "give one"),
        (("-o", "parts", "--workers", -1), "-1 workers cannot be started"),
        (("-o", "parts", "--workers", 100_000), "100000 workers cannot be started"),
        (("-o", "all.root", "--workers", -1), "named like a file"),
        (("-o", "all.root", "--shard", 5, "--parts", "hdf5"), "--shard, --parts hdf5 is for"),
        (("-o", "parts", "--workers", 2, "--shard", -1), "--shard -1"),
        (("-o", "all.root", "--resume"), "give --workers or --scheduler"),
        (("-o", "p", "--workers", 2, "--parts", "hdf5", "--rntuple"), "ROOT format"),
    ],
)
def test_contradictions_are_refused(run, words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message):
        run("sample", "photon_energy", "-n", 10, *words)
    assert not list(tmp_path.iterdir())


def test_parts_are_neither_tiny_nor_huge():
    assert default_shard(1_000, 2) == 100_000
    assert default_shard(4_000_000, 2) == 250_000
    assert default_shard(100_000_000, 2) == 1_000_000
    assert default_shard(10**12, 2) == 10**8  # as many parts as a manifest may list
