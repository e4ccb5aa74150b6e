"""The public CaloChallenge data sets and how to fetch them from Zenodo.

What is fixed here are the record numbers and file names (arXiv:2410.21611, section 2; the DOI is
``10.5281/zenodo.<record>``). Sizes and checksums are taken from the record itself when files are
fetched (``/api/records/<record>``, ``files[].size`` and ``files[].checksum``), so they cannot go
stale in this code.
"""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fastcaloq_infer.data.download import (
    Checksum,
    InterruptedDownloadError,
    RemoteFile,
    download,
    open_url,
    with_retries,
)
from fastcaloq_infer.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

ZENODO = "https://zenodo.org"


class PublicDataset(NamedTuple):
    """A data set: its Zenodo record, the binning its voxels have, and its files."""

    record: int
    binning: str
    files: tuple[str, ...]

    @property
    def doi(self) -> str:
        """The digital object identifier to cite."""
        return f"10.5281/zenodo.{self.record}"


DATASETS = {
    "dataset-1-photons": PublicDataset(
        8099322, "dataset-1-photons", ("dataset_1_photons_1.hdf5", "dataset_1_photons_2.hdf5")
    ),
    "dataset-1-pions": PublicDataset(
        8099322, "dataset-1-pions", ("dataset_1_pions_1.hdf5", "dataset_1_pions_2.hdf5")
    ),
    "dataset-2": PublicDataset(6366271, "dataset-2", ("dataset_2_1.hdf5", "dataset_2_2.hdf5")),
    "dataset-3": PublicDataset(
        6366324, "dataset-3", tuple(f"dataset_3_{i}.hdf5" for i in (1, 2, 3, 4))
    ),
}
"""What can be fetched, by name."""


def public_dataset(name: str) -> PublicDataset:
    """Return a data set by name.

    Raises
    ------
    InputError
        No such data set.
    """
    if name not in DATASETS:
        raise InputError(f"no public data set {name!r}: give one of {', '.join(DATASETS)}")
    return DATASETS[name]


def fetch(
    name: str,
    folder: Path | str = ".",
    *,
    base_url: str = ZENODO,
    progress: Callable[[str, int, int], None] | None = None,
    retries: int = 4,
    pause_s: float = 1.0,
) -> list[Path]:
    """Download a public data set into a folder and verify it; interrupted downloads continue.

    Parameters
    ----------
    name
        A name of `DATASETS`.
    folder
        Where the files shall be; created if missing.
    base_url
        Zenodo, or a mirror with the same paths.
    progress
        Called with (file name, bytes present, bytes in all).
    retries, pause_s
        As in `fastcaloq_infer.data.download.download`.

    Returns
    -------
    The paths of the files, in the data set's order.

    Raises
    ------
    InputError
        Unknown data set, unreachable server, or a wrong checksum.
    OutputError
        The folder cannot be written.
    """
    dataset = public_dataset(name)
    base_url = base_url.rstrip("/")
    url = f"{base_url}/api/records/{dataset.record}"
    record = with_retries(
        lambda: _record(url), url, retries=retries, pause_s=pause_s, hint="try again later"
    )
    published = _published(record, url)
    paths = []
    for file in dataset.files:
        if file not in published:
            raise InputError(
                f"{url}: record {dataset.record} has no file {file!r} (it has "
                f"{', '.join(sorted(published)) or 'none'}); the data set may have moved"
            )
        size, checksum = published[file]
        remote = RemoteFile(
            f"{base_url}/records/{dataset.record}/files/{file}?download=1", size, checksum
        )
        path = Path(folder) / file

        def report(done: int, file: str = file, size: int = size) -> None:
            if progress is not None:
                progress(file, done, size)

        download(remote, path, progress=report, retries=retries, pause_s=pause_s)
        paths.append(path)
    return paths


def _record(url: str) -> Any:
    try:
        with open_url(url, {"Accept": "application/json"}) as response:
            content = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise InterruptedDownloadError(f"the connection broke ({error})") from error
    try:
        return json.loads(content)
    except ValueError as error:
        raise InputError(f"{url}: the answer is not JSON; is this a Zenodo server?") from error


def _published(record: Any, url: str) -> dict[str, tuple[int, Checksum]]:
    """Extract name, size and checksum of the record's files."""
    try:
        files = {}
        for file in record["files"]:
            algorithm, digest = str(file["checksum"]).split(":", 1)
            if algorithm not in ("md5", "sha256", "sha512"):
                raise ValueError(algorithm)  # noqa: TRY301
            files[str(file["key"])] = (int(file["size"]), Checksum(algorithm, digest))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{url}: the record does not list its files with size and checksum ({error!r}); is "
            "this a Zenodo server?"
        ) from error
    return files
