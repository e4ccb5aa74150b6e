"""One file from the parts of a production, or from files that were produced by ranges of events."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.farm.manifest import Manifest
from fastcaloq_infer.files import atomic_path
from fastcaloq_infer.output.chunks import default_chunk
from fastcaloq_infer.output.destination import check_destination
from fastcaloq_infer.output.reading import read_binning, read_columns, read_provenance
from fastcaloq_infer.output.schema import VOXELS
from fastcaloq_infer.output.voxels import VoxelForm, VoxelStorage, choose_form
from fastcaloq_infer.output.writer import open_writer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fastcaloq_infer.output import Provenance
    from fastcaloq_infer.output.root import Compression, Container

__all__ = ["merge"]

# What must agree for showers of several files to be those of one production.
_COMMON = (
    "schema_version", "model", "model_sha256", "pdg_id", "layers", "seed", "particle_number",
    "energy_law", "eta_law", "out_of_range", "engine", "binning",
)  # fmt: skip


def merge(
    sources: Sequence[Path | str],
    output: Path | str,
    *,
    container: Container = "ttree",
    compression: Compression = "zstd",
    voxels: VoxelForm | None = None,
    force: bool = False,
    command: str = "",
    progress: Callable[[int], None] | None = None,
) -> Provenance:
    """Write the showers of several files into one, equal in content to a single production.

    Parameters
    ----------
    sources
        One folder of a production, whose parts must be complete and are checked against their
        SHA-256, or files of one production by ranges of events, in any order.
    output
        ``.root``, ``.hdf5`` or ``.h5``; appears under this name only once it is complete.
    container, compression, voxels, force, command
        As in ``produce``; parts with voxels may be of either form.
    progress
        Called with the number of showers done.

    Raises
    ------
    InputError
        Parts are missing or changed, files are of different productions, or events are twice in
        them or leave a gap.
    OutputError
        The file cannot be written; nothing is left under its name.
    """
    output = Path(output)
    check_destination(output, force=force)
    paths = _paths([Path(source) for source in sources])
    files = sorted(
        ((read_provenance(path), path) for path in paths), key=lambda file: file[0].first_event
    )
    whole = _whole(files, command)
    binning = read_binning(files[0][1])
    n_voxels = binning.n_voxels if binning else 0
    form = choose_form(voxels, n_voxels, output.suffix)
    storage = VoxelStorage(binning, form) if binning and form != "none" else None
    whole = whole.model_copy(update={"voxels": form, "binning": whole.binning if storage else None})
    chunk = default_chunk(whole.n_showers, n_voxels, len(whole.layers))
    done = 0
    with (
        atomic_path(output) as temporary,
        open_writer(temporary, whole.layers, container, compression, storage) as writer,
    ):
        for provenance, path in files:
            rows = 0
            for columns in read_columns(path, chunk):
                if storage is None:
                    columns.pop(VOXELS, None)
                writer.extend(columns)
                rows += len(columns["event"])
                if progress is not None:
                    progress(done + rows)
            if rows != provenance.n_showers:
                raise InputError(
                    f"{path} holds {rows} showers but says {provenance.n_showers}, so it is "
                    "damaged; produce these events again"
                )
            done += rows
        writer.finish(whole)
    return whole


def _paths(sources: list[Path]) -> list[Path]:
    if len(sources) != 1 or not sources[0].is_dir():
        return sources
    folder = sources[0]
    manifest = Manifest.load(folder)
    missing = manifest.missing()
    if missing:
        raise InputError(
            f"the production in {folder} is not complete: {len(missing)} of "
            f"{len(manifest.plan.shards())} parts are missing (first: event {missing[0][0]}); "
            "finish it with 'fastcaloq sample ... --resume'"
        )
    for part in manifest.parts:
        if not part.intact(folder):
            raise InputError(
                f"{folder / part.file} is missing or not the file that was produced (SHA-256); "
                "'fastcaloq sample ... --resume' produces it again"
            )
    return [folder / part.file for part in manifest.parts]


def _whole(files: list[tuple[Provenance, Path]], command: str) -> Provenance:
    """Return the provenance of all files together."""
    if not files:
        raise InputError("nothing to merge: give a folder of a production, or files")
    (first, first_path), *_ = files
    for (before, _), (after, path) in pairwise(files):
        for key in _COMMON:
            if getattr(after, key) != getattr(first, key):
                raise InputError(
                    f"{path} has {key} {getattr(after, key)}, {first_path} has "
                    f"{getattr(first, key)}: they are of different productions; merge only files "
                    "of one"
                )
        end = before.first_event + before.n_showers
        if after.first_event != end:
            what = "hold events twice" if after.first_event < end else "leave events out"
            raise InputError(
                f"the files {what}: {path} begins with event {after.first_event}, the one before "
                f"it ends with {end - 1}; give each range of events once, without a gap"
            )
    last = files[-1][0]
    return first.model_copy(
        update={
            "n_showers": last.first_event + last.n_showers - first.first_event,
            "n_out_of_range": sum(provenance.n_out_of_range for provenance, _ in files),
            "n_fallback": sum(provenance.n_fallback for provenance, _ in files),
            "conditioning": "; ".join(dict.fromkeys(p.conditioning for p, _ in files)),
            "command": command,
        }
    )
