"""A refused command leaves no folder behind."""

from __future__ import annotations

import pytest

from fastcaloq_infer.cli.output_folder import output_folder
from fastcaloq_infer.errors import InputError, OutputError


def refuse_in(folder, *files):
    with output_folder(folder):
        assert folder.is_dir()
        for name in files:
            (folder / name).touch()
        raise InputError("no")


def test_a_failure_removes_what_was_made_and_nothing_else(tmp_path):
    (tmp_path / "old").mkdir()
    for target, left in (("new/deeper", ["old"]), ("old/new", ["old"]), ("old", ["old"])):
        with pytest.raises(InputError):
            refuse_in(tmp_path / target)
        assert [p.name for p in tmp_path.iterdir()] == left
        assert not list((tmp_path / "old").iterdir())


def test_what_was_written_is_kept(tmp_path):
    with pytest.raises(InputError):
        refuse_in(tmp_path / "new", "figures.json")
    assert (tmp_path / "new" / "figures.json").exists()
    with output_folder(tmp_path / "other"):
        pass
    assert (tmp_path / "other").is_dir()


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError), output_folder(tmp_path / "file"):
        pass
