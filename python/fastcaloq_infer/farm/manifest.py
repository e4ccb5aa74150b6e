"""What a production is to hold, and which parts of it are complete.

Only the process that runs the production writes the manifest, whole or not at all; a worker
writes a part under a name of its own that no other attempt ever uses. So what the manifest lists
is never touched again, and a part that was drawn twice, by a worker thought dead, is listed once.
"""

from __future__ import annotations

import fcntl
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt, ValidationError

from fastcaloq_infer.errors import InputError, OutputError
from fastcaloq_infer.files import atomic_path, sha256_file
from fastcaloq_infer.output.schema import OutOfRange
from fastcaloq_infer.output.voxels import VoxelForm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["MANIFEST", "MOST_PARTS", "PART_NAME", "Manifest", "Part", "Plan", "locked"]

MANIFEST = "manifest.json"
PART_NAME = re.compile(r"events-\d{12,20}-[0-9a-f]{8}\.(root|hdf5)")
MOST_PARTS = 10_000
"""The manifest is written anew with every part, so their square counts."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Plan(_Record):
    """Everything that decides the showers of a production and how they are stored.

    Energies in MeV, in the words of ``fastcaloq sample --energies``; ``shard`` showers per part.
    """

    model: str
    model_sha256: str
    n_showers: PositiveInt
    first_event: NonNegativeInt
    seed: NonNegativeInt
    energy_law: str
    eta_law: str
    out_of_range: OutOfRange
    engine: Literal["native", "onnxruntime"]
    suffix: Literal[".root", ".hdf5"]
    container: Literal["ttree", "rntuple"]
    compression: Literal["zstd", "lz4", "zlib", "none"]
    voxels: VoxelForm = "none"
    shard: PositiveInt

    def shards(self) -> list[tuple[int, int]]:
        """Return first event and number of showers of every part.

        Raises
        ------
        InputError
            There are more than `MOST_PARTS`.
        """
        n_parts = -(-self.n_showers // self.shard)
        if n_parts > MOST_PARTS:
            raise InputError(
                f"{n_parts:,} parts of {self.shard:,} showers are more than one production may "
                f"have ({MOST_PARTS:,}); give larger parts (--shard), or several productions"
            )
        end = self.first_event + self.n_showers
        return [
            (first, min(self.shard, end - first))
            for first in range(self.first_event, end, self.shard)
        ]


class Part(_Record):
    """A complete file of the events ``first_event`` to ``first_event + n_showers - 1``."""

    file: Annotated[str, Field(pattern=f"^{PART_NAME.pattern}$")]  # a name, never a way elsewhere
    first_event: int
    n_showers: int
    sha256: str
    size: int
    n_out_of_range: int

    def intact(self, folder: Path) -> bool:
        """Whether the file is there and its bytes are those that were written."""
        path = folder / self.file
        return (
            path.is_file() and path.stat().st_size == self.size and sha256_file(path) == self.sha256
        )


class Manifest(_Record):
    """The plan of a production and its complete parts, in the order of events."""

    schema_version: Literal[1] = 1
    plan: Plan
    parts: tuple[Part, ...] = ()

    def with_part(self, part: Part) -> Manifest:
        """Return the manifest with one more part."""
        parts = sorted((*self.parts, part), key=lambda p: p.first_event)
        return self.model_copy(update={"parts": tuple(parts)})

    def missing(self) -> list[tuple[int, int]]:
        """Return first event and number of showers of the parts that are not listed."""
        done = {part.first_event for part in self.parts}
        return [shard for shard in self.plan.shards() if shard[0] not in done]

    def save(self, folder: Path) -> None:
        """Write ``manifest.json``, whole or not at all.

        Raises
        ------
        OutputError
            The folder cannot be written.
        """
        with atomic_path(folder / MANIFEST) as temporary:
            temporary.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Read the manifest of a production.

        Raises
        ------
        InputError
            There is none, or it is damaged or of another version.
        """
        path = folder / MANIFEST
        try:
            manifest = cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise InputError(
                f"{folder} is no folder of a production: cannot read {path.name} "
                f"({error.strerror}); give the folder that 'fastcaloq sample --workers' made"
            ) from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the text"
            raise InputError(
                f"{path} is damaged or of another version ({where}: {first['msg']}), so nobody can "
                "say which parts are complete; restore it or produce anew in another folder"
            ) from error
        shards = set(manifest.plan.shards())
        listed = [(part.first_event, part.n_showers) for part in manifest.parts]
        if len(set(listed)) < len(listed) or not set(listed) <= shards:
            raise InputError(
                f"{path} lists events twice or outside of its plan, so it was changed by hand; "
                "restore it or produce anew in another folder"
            )
        return manifest


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep a second run off the folder; the operating system ends the lock with the process.

    Raises
    ------
    OutputError
        Another run works in the folder, or it cannot be written.
    """
    try:
        lock = (folder / ".lock").open("w")
    except OSError as error:
        raise OutputError(
            f"cannot write in {folder}: {error.strerror or error}; choose another folder"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise OutputError(
                f"another run is producing into {folder}; wait for it, or stop it first"
            ) from error
        yield
