"""``fetch`` against a local server: well-behaved, interrupted, wrong, without Range."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from fastcaloq_infer.cli.fetch import fetch as fetch_command
from fastcaloq_infer.data import BINNINGS, zenodo
from fastcaloq_infer.data.zenodo import DATASETS, fetch
from fastcaloq_infer.errors import FastCaloQError, InputError, OutputError

Serve = Callable[..., tuple[Any, str]]

NAME = "dataset-1-photons"
RECORD = DATASETS[NAME].record
ONE, TWO = DATASETS[NAME].files
# Larger than the reading block of 256 KiB, so that a break leaves whole blocks behind.
CONTENT = {ONE: bytes(range(256)) * 4096, TWO: b"second"}
FAST: dict[str, Any] = {"pause_s": 0.0}


def test_registry_names_a_binning_of_each_data_set() -> None:
    assert set(DATASETS) == set(BINNINGS)
    assert {dataset.binning for dataset in DATASETS.values()} == set(BINNINGS)
    assert DATASETS["dataset-2"].doi == "10.5281/zenodo.6366271"


def test_downloads_and_verifies(serve: Serve, tmp_path: Path) -> None:
    record, url = serve(record=RECORD, files=CONTENT)
    seen: list[tuple[str, int, int]] = []
    paths = fetch(NAME, tmp_path / "new", base_url=url, progress=lambda *x: seen.append(x), **FAST)
    assert [path.read_bytes() for path in paths] == [CONTENT[ONE], CONTENT[TWO]]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [ONE, TWO]
    assert (ONE, len(CONTENT[ONE]), len(CONTENT[ONE])) in seen
    first = [done for file, done, _ in seen if file == ONE]
    assert first == sorted(first)
    assert len(first) > 2

    before = len(record.requests)
    fetch(NAME, tmp_path / "new", base_url=url, **FAST)
    assert [path for path, _ in record.requests[before:]] == [f"/api/records/{RECORD}"]


def test_continues_after_breaks_within_one_call(serve: Serve, tmp_path: Path) -> None:
    record, url = serve(record=RECORD, files=CONTENT, break_after=300_000, breaks=3)
    (path, _) = fetch(NAME, tmp_path, base_url=url, retries=1, **FAST)
    assert path.read_bytes() == CONTENT[ONE]
    ranges = [asked for at, asked in record.requests if at.endswith(ONE)]
    # every attempt gets further, so one retry in a row is enough for three breaks
    assert ranges == [None, "bytes=300000-", "bytes=600000-", "bytes=900000-"]


def test_continues_in_the_next_call(serve: Serve, tmp_path: Path) -> None:
    record, url = serve(record=RECORD, files=CONTENT, break_after=300_000, breaks=1)
    with pytest.raises(InputError, match="run the command again to continue"):
        fetch(NAME, tmp_path, base_url=url, retries=0, **FAST)
    part = tmp_path / f"{ONE}.part"
    assert part.read_bytes() == CONTENT[ONE][:300_000]
    record.requests.clear()
    assert fetch(NAME, tmp_path, base_url=url, **FAST)[0].read_bytes() == CONTENT[ONE]
    assert record.requests[1] == (f"/records/{RECORD}/files/{ONE}", "bytes=300000-")
    assert not part.exists()


def test_a_server_that_gets_nowhere_is_given_up(serve: Serve, tmp_path: Path) -> None:
    record, url = serve(record=RECORD, files=CONTENT, break_after=0, breaks=100)
    with pytest.raises(InputError, match="connection broke at 0 of"):
        fetch(NAME, tmp_path, base_url=url, retries=2, **FAST)
    assert sum(at.endswith(ONE) for at, _ in record.requests) == 3


def test_without_range_support_starts_again(serve: Serve, tmp_path: Path) -> None:
    record, url = serve(
        record=RECORD, files=CONTENT, supports_range=False, break_after=300_000, breaks=1
    )
    assert fetch(NAME, tmp_path, base_url=url, **FAST)[0].read_bytes() == CONTENT[ONE]
    assert (f"/records/{RECORD}/files/{ONE}", "bytes=300000-") in record.requests


def test_wrong_checksum_is_discarded(serve: Serve, tmp_path: Path) -> None:
    _, url = serve(record=RECORD, files=CONTENT, checksums={ONE: "0" * 32})
    with pytest.raises(InputError, match="md5 of what arrived is not the published one"):
        fetch(NAME, tmp_path, base_url=url, **FAST)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_partial_file_is_discarded_then_fetched(serve: Serve, tmp_path: Path) -> None:
    _, url = serve(record=RECORD, files=CONTENT)
    (tmp_path / f"{ONE}.part").write_bytes(b"something else")
    with pytest.raises(InputError, match="discarded, fetch again"):
        fetch(NAME, tmp_path, base_url=url, **FAST)
    assert fetch(NAME, tmp_path, base_url=url, **FAST)[0].read_bytes() == CONTENT[ONE]


@pytest.mark.parametrize("extra", [0, 1])
def test_a_partial_file_that_is_complete_or_too_long(
    serve: Serve, tmp_path: Path, extra: int
) -> None:
    _, url = serve(record=RECORD, files=CONTENT)
    (tmp_path / f"{ONE}.part").write_bytes(CONTENT[ONE] + b"x" * extra)
    assert fetch(NAME, tmp_path, base_url=url, **FAST)[0].read_bytes() == CONTENT[ONE]


def test_a_different_file_in_the_way_is_not_overwritten(serve: Serve, tmp_path: Path) -> None:
    _, url = serve(record=RECORD, files=CONTENT)
    (tmp_path / ONE).write_bytes(b"mine")
    with pytest.raises(InputError, match="exists but its md5"):
        fetch(NAME, tmp_path, base_url=url, **FAST)
    assert (tmp_path / ONE).read_bytes() == b"mine"


def test_busy_servers_are_tried_again(serve: Serve, tmp_path: Path) -> None:
    _, url = serve(record=RECORD, files=CONTENT, busy=2)
    assert len(fetch(NAME, tmp_path, base_url=url, retries=2, **FAST)) == 2
    _, url = serve(record=RECORD, files=CONTENT, busy=9)
    with pytest.raises(InputError, match="503"):
        fetch(NAME, tmp_path, base_url=url, retries=1, **FAST)


def test_missing_record_file_or_server(serve: Serve, tmp_path: Path) -> None:
    _, url = serve(record=1, files=CONTENT)
    with pytest.raises(InputError, match="404"):
        fetch(NAME, tmp_path, base_url=url, **FAST)
    _, url = serve(record=RECORD, files={ONE: b"x"})
    with pytest.raises(InputError, match=f"has no file '{TWO}'"):
        fetch(NAME, tmp_path, base_url=url, **FAST)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(InputError, match="cannot download"):
        fetch(NAME, tmp_path, base_url=f"http://127.0.0.1:{port}", retries=0, **FAST)
    with pytest.raises(InputError, match="only http"):
        fetch(NAME, tmp_path, base_url="file:///etc", **FAST)
    for broken in ("http://[x", "http://a b", "http://host:port"):
        with pytest.raises(InputError, match="correct the address"):
            fetch(NAME, tmp_path, base_url=broken, retries=0, **FAST)
    with pytest.raises(InputError, match="give one of dataset-1-photons"):
        fetch("dataset-9", tmp_path)


@pytest.mark.parametrize(
    "answer", [b"<html>", b"[]", b'{"files": [{"key": "a"}]}', b'{"files": [{"checksum": "x"}]}']
)
def test_answers_that_are_no_record(serve: Serve, tmp_path: Path, answer: bytes) -> None:
    _, url = serve(record=RECORD, files=CONTENT, raw_record=answer)
    with pytest.raises(InputError, match="is this a Zenodo server"):
        fetch(NAME, tmp_path, base_url=url, **FAST)


def test_a_folder_that_cannot_be_written(serve: Serve, tmp_path: Path) -> None:
    _, url = serve(record=RECORD, files=CONTENT)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        fetch(NAME, tmp_path / "file" / "sub", base_url=url, **FAST)


def test_too_little_space_is_said_before_downloading(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastcaloq_infer.data import download

    record, url = serve(record=RECORD, files=CONTENT)
    usage = download.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(OutputError, match="GB free"):
        fetch(NAME, tmp_path, base_url=url, **FAST)
    assert not any(at.endswith(ONE) for at, _ in record.requests)


def test_command(serve: Serve, tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(fetch_command)
    _, url = serve(record=RECORD, files=CONTENT)
    runner = CliRunner()
    done = runner.invoke(
        app, [NAME, "-o", str(tmp_path / "data"), "--base-url", url], catch_exceptions=False
    )
    assert done.exit_code == 0
    assert f"verified {tmp_path / 'data' / ONE}" in done.output
    assert f"10.5281/zenodo.{RECORD}" in done.output
    done = runner.invoke(app, [NAME, "-o", str(tmp_path / "b")], env={"FASTCALOQ_ZENODO_URL": url})
    assert (tmp_path / "b" / TWO).read_bytes() == b"second"
    assert isinstance(runner.invoke(app, ["dataset-9"]).exception, FastCaloQError)
    assert zenodo.ZENODO == "https://zenodo.org"
