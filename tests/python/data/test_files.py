"""Whole files or none: ``atomic_path`` and ``sha256_file``."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fastcaloq_infer.errors import InputError, OutputError
from fastcaloq_infer.files import atomic_path, sha256_file


def test_success_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    final = tmp_path / "a.txt"
    final.write_text("old")
    with atomic_path(final) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".txt"
        temporary.write_text("new")
        assert final.read_text() == "old"
    assert final.read_text() == "new"
    assert list(tmp_path.iterdir()) == [final]


def test_new_files_get_ordinary_permissions(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    with atomic_path(tmp_path / "a") as temporary:
        temporary.write_text("x")
    assert (tmp_path / "a").stat().st_mode == plain.stat().st_mode


def _fail(final: Path, error: BaseException) -> None:
    with atomic_path(final) as temporary:
        temporary.write_text("half")
        raise error


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), InputError("bad")])
def test_failure_keeps_the_old_file_and_the_exception(tmp_path: Path, error: BaseException) -> None:
    final = tmp_path / "a.txt"
    final.write_text("old")
    with pytest.raises(type(error)):
        _fail(final, error)
    assert final.read_text() == "old"
    assert list(tmp_path.iterdir()) == [final]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk is full"),
        (OSError("Can't synchronously write data (errno = 28, error message)"), "disk is full"),
        (OSError(errno.EACCES, "Permission denied"), "no permission"),
        (OSError(errno.EIO, "Input/output error"), "Input/output error"),
    ],
)
def test_errors_of_the_system_become_one_clear_line(
    tmp_path: Path, error: OSError, words: str
) -> None:
    with pytest.raises(OutputError, match=words) as caught:
        _fail(tmp_path / "a", error)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_input_inside_the_block_is_not_an_output_problem(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "a"):
        (tmp_path / "missing").read_text()


def test_folder_missing_or_in_the_way(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist"), atomic_path(tmp_path / "no" / "a"):
        pass
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="is a folder"), atomic_path(tmp_path / "folder"):
        pass


def _fill(final: Path) -> None:
    with atomic_path(final) as temporary:
        temporary.unlink()
        temporary.symlink_to("/dev/full")
        temporary.write_text("x")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_really_full_disk(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="disk is full"):
        _fill(tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_kill_9_leaves_no_final_file(tmp_path: Path) -> None:
    final = tmp_path / "a"
    final.write_text("old")
    code = (
        "import os, signal, sys\n"
        "from fastcaloq_infer.files import atomic_path\n"
        "with atomic_path(sys.argv[1]) as t:\n"
        "    t.write_text('half'); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(final)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert final.read_text() == "old"


def test_sha256_of_known_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_file(tmp_path / "a") == expected
    with pytest.raises(InputError, match="cannot read"):
        sha256_file(tmp_path / "b")
