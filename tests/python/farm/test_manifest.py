"""The manifest: what it lists is there, and it refuses what would make it lie."""

import subprocess
import sys

import pytest

from fastcaloq_infer.errors import InputError, OutputError
from fastcaloq_infer.farm import Manifest
from fastcaloq_infer.farm.manifest import locked
from fastcaloq_infer.farm.worker import draw_part


def test_shards_cover_every_event_once(plan):
    events = [e for first, n in plan.shards() for e in range(first, first + n)]
    assert events == list(range(100, 2100))


def test_parts_that_are_listed_are_not_missing(plan, tmp_path):
    manifest = Manifest(plan=plan)
    for first, n in ((1900, 200), (100, 300)):
        manifest = manifest.with_part(draw_part(plan, "photon_energy", str(tmp_path), first, n))
    assert [part.first_event for part in manifest.parts] == [100, 1900]
    assert [first for first, _ in manifest.missing()] == [400, 700, 1000, 1300, 1600]
    manifest.save(tmp_path)
    assert Manifest.load(tmp_path) == manifest


def test_two_attempts_at_a_part_never_share_a_file(plan, tmp_path):
    names = {draw_part(plan, "photon_energy", str(tmp_path), 100, 50).file for _ in range(3)}
    assert len(names) == 3


def test_a_changed_byte_is_found(plan, tmp_path):
    part = draw_part(plan, "photon_energy", str(tmp_path), 100, 50)
    assert part.intact(tmp_path)
    path = tmp_path / part.file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert not part.intact(tmp_path)
    path.unlink()
    assert not part.intact(tmp_path)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text[: len(text) // 2], "damaged or of another version"),
        (lambda text: text.replace('"seed": 5', '"sead": 5'), r"plan\.seed"),
        (lambda text: text.replace('"schema_version": 1', '"schema_version": 2'), "schema_version"),
        (lambda text: text.replace('"first_event": 400', '"first_event": 100'), "twice"),
        (lambda text: text.replace('"first_event": 400', '"first_event": 401'), "outside"),
        (lambda text: text.replace('"file": "', '"file": "../'), r"parts\.0\.file"),
        (lambda text: text.replace('"n_showers": 2000', f'"n_showers": {10**18}'), "larger parts"),
    ],
)
def test_a_damaged_manifest_is_refused(plan, tmp_path, spoil, message):
    manifest = Manifest(plan=plan)
    for first in (100, 400):
        manifest = manifest.with_part(draw_part(plan, "photon_energy", str(tmp_path), first, 300))
    manifest.save(tmp_path)
    path = tmp_path / "manifest.json"
    path.write_text(spoil(path.read_text()))
    with pytest.raises(InputError, match=message):
        Manifest.load(tmp_path)


def test_a_folder_without_manifest_is_refused(tmp_path):
    with pytest.raises(InputError, match="no folder of a production"):
        Manifest.load(tmp_path)


def test_a_second_run_is_kept_off(tmp_path):
    child = (
        "import sys, pathlib; from fastcaloq_infer.farm.manifest import locked\n"
        f"with locked(pathlib.Path({str(tmp_path)!r})): print('in', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", child], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"in\n"
        with pytest.raises(OutputError, match="another run"), locked(tmp_path):
            pass
        process.kill()  # nothing is left to clean up by hand
    with locked(tmp_path):
        pass


def test_a_worker_with_another_model_draws_nothing(plan, tmp_path):
    other = plan.model_copy(update={"model_sha256": "0" * 64})
    with pytest.raises(InputError, match="give all workers the same file"):
        draw_part(other, "photon_energy", str(tmp_path), 100, 50)
    assert not list(tmp_path.iterdir())
