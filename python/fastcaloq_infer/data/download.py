"""Download one file over HTTP: resumable, retried, and kept only if its checksum is right."""

from __future__ import annotations

import hashlib
import http.client
import re
import shutil
import time
import urllib.error
import urllib.request
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from fastcaloq_infer.errors import InputError, OutputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_BLOCK = 1 << 18
_TIMEOUT_S = 60
_USER_AGENT = "fastcaloq-infer"

T = TypeVar("T")


class Checksum(NamedTuple):
    """An algorithm of `hashlib` and the expected hexadecimal digest."""

    algorithm: str
    digest: str

    def matches(self, path: Path) -> bool:
        """Whether the file's content has this checksum."""
        # md5 is what Zenodo publishes: it finds damage; trust comes from HTTPS.
        hasher = hashlib.new(self.algorithm, usedforsecurity=False)
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                hasher.update(block)
        return hasher.hexdigest() == self.digest.lower()


class RemoteFile(NamedTuple):
    """A file to download: address, size in bytes, checksum."""

    url: str
    size: int
    checksum: Checksum


class InterruptedDownloadError(Exception):
    """The connection broke or the server is busy: worth another try.

    ``progressed`` says that the attempt got further than the one before.
    """

    def __init__(self, message: str, *, progressed: bool = False) -> None:
        super().__init__(message)
        self.progressed = progressed


def open_url(url: str, headers: dict[str, str] | None = None) -> http.client.HTTPResponse:
    """Send a GET request.

    Raises
    ------
    InputError
        The address is not HTTP or broken, or the server answers that there is no such thing.
    """
    if not re.match(r"https?://", url):
        raise InputError(f"cannot download {url!r}: only http:// and https:// are supported")
    try:
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked above
            url, headers={"User-Agent": _USER_AGENT, **(headers or {})}
        )
        response: http.client.HTTPResponse = urllib.request.urlopen(  # noqa: S310
            request, timeout=_TIMEOUT_S
        )
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 429 or error.code >= 500:
            raise InterruptedDownloadError(
                f"the server answers {error.code} {error.reason}"
            ) from error
        raise InputError(
            f"cannot download {url}: the server answers {error.code} {error.reason}; check the "
            "address, or whether the record has moved"
        ) from error
    except (ValueError, http.client.InvalidURL) as error:
        raise InputError(f"cannot download {url!r}: {error}; correct the address") from error
    except (OSError, http.client.HTTPException) as error:
        raise InterruptedDownloadError(str(getattr(error, "reason", None) or error)) from error
    return response


def with_retries(
    attempt: Callable[[], T], what: str, *, retries: int, pause_s: float, hint: str
) -> T:
    """Call ``attempt`` until it is not interrupted.

    Parameters
    ----------
    attempt
        What to do; raises `InterruptedDownloadError` if it may be tried again.
    what, hint
        For the message: what is downloaded, and what the user can do.
    retries
        How often it may be interrupted in a row without getting any further.
    pause_s
        Seconds before the first retry; doubled every time.

    Raises
    ------
    InputError
        It was interrupted more often.
    """
    failed = 0
    while True:
        try:
            return attempt()
        except InterruptedDownloadError as error:
            failed = 1 if error.progressed else failed + 1
            if failed > retries:
                raise InputError(f"cannot download {what}: {error}; {hint}") from error
            time.sleep(pause_s * 2 ** (failed - 1))


def download(
    remote: RemoteFile,
    target: Path,
    *,
    progress: Callable[[int], None] | None = None,
    retries: int = 4,
    pause_s: float = 1.0,
) -> None:
    """Download a file; a partial one (``<name>.part``) is continued, now or at the next call.

    Parameters
    ----------
    remote
        Address, size and checksum.
    target
        Where the file shall be; if it is there already, only its checksum is verified.
    progress
        Called with the bytes present, after every block.
    retries, pause_s
        As in `with_retries`.

    Raises
    ------
    InputError
        No such file on the server, it stays unreachable (the partial file is kept), or the
        checksum is wrong (the partial file is removed).
    OutputError
        The folder cannot be written or has too little space.
    """
    part = target.with_name(target.name + ".part")
    if target.exists():
        if not remote.checksum.matches(target):
            raise InputError(
                f"{target} exists but its {remote.checksum.algorithm} is not the published one "
                f"({remote.checksum.digest}); remove or rename it, then fetch again"
            )
        _report(progress, remote.size)
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _check_space(target.parent, remote.size - (part.stat().st_size if part.exists() else 0))
        with_retries(
            lambda: _continue(remote, part, progress),
            remote.url,
            retries=retries,
            pause_s=pause_s,
            hint=f"run the command again to continue (the partial file is kept: {part})",
        )
        if not remote.checksum.matches(part):
            part.unlink()
            raise InputError(
                f"{remote.url}: the {remote.checksum.algorithm} of what arrived is not the "
                f"published one ({remote.checksum.digest}); it was discarded, fetch again"
            )
        part.replace(target)
    except OSError as error:
        raise OutputError(
            f"cannot write {part}: {error.strerror or error}; free some space or choose another "
            "folder, then run the command again to continue"
        ) from error


def _continue(remote: RemoteFile, part: Path, progress: Callable[[int], None] | None) -> None:
    """Append to the partial file until it is complete, or raise `InterruptedDownloadError`."""
    present = part.stat().st_size if part.exists() else 0
    if present > remote.size:
        part.unlink()
        present = 0
    if present < remote.size or present == 0:
        headers = {"Range": f"bytes={present}-"} if present else {}
        with open_url(remote.url, headers) as response:
            # A server without Range support sends everything again, with status 200.
            resumed = response.status == 206 and _begins_at(response, present)
            done = present if resumed else 0
            with part.open("ab" if resumed else "wb") as stream:
                while block := _read(response):
                    stream.write(block)
                    done += len(block)
                    _report(progress, done)
        if done < remote.size:
            raise InterruptedDownloadError(
                f"the connection broke at {done:,} of {remote.size:,} bytes",
                progressed=done > present,
            )
    _report(progress, remote.size)


def _begins_at(response: http.client.HTTPResponse, position: int) -> bool:
    match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return match is not None and int(match[1]) == position


def _read(response: http.client.HTTPResponse) -> bytes:
    """Read the next block; a broken connection looks like the end, the size tells."""
    try:
        return response.read(_BLOCK)
    except http.client.IncompleteRead as error:
        return error.partial
    except (OSError, http.client.HTTPException):
        return b""


def _report(progress: Callable[[int], None] | None, done: int) -> None:
    if progress is not None:
        progress(done)


def _check_space(folder: Path, needed: int) -> None:
    free = None
    with suppress(OSError):  # not every file system can tell
        free = shutil.disk_usage(folder).free
    if free is not None and free < needed:
        raise OutputError(
            f"{folder} has {free / 1e9:.1f} GB free but {needed / 1e9:.1f} GB are needed; free "
            "some space or choose another folder"
        )
