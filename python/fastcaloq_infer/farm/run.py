"""Run a production on Dask workers, keep its manifest, and go on after anything died.

dask.distributed (Rocklin 2015, SciPy proceedings) sends ranges of events to workers and sends them
again where a worker is lost. This process alone writes the manifest, one entry per finished part.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastcaloq_infer.errors import FastCaloQError, InputError, OutputError
from fastcaloq_infer.farm.cluster import connect
from fastcaloq_infer.farm.manifest import MANIFEST, PART_NAME, Manifest, Part, Plan, locked
from fastcaloq_infer.farm.worker import draw_part
from fastcaloq_infer.files import make_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from distributed import Client, Future

    from fastcaloq_infer.farm.cluster import Farm

__all__ = ["run_farm"]

_MOST_FAILURES = 3
_AHEAD = 4  # parts per worker that the scheduler knows of: no worker waits for this process
_PATIENCE = 0.5  # seconds between looks at whether the scheduler is there


def run_farm(
    plan: Plan,
    model: str,
    folder: Path | str,
    farm: Farm,
    *,
    resume: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Manifest:
    """Produce all parts of a plan that the folder does not hold yet.

    Parameters
    ----------
    plan
        What to produce.
    model
        Name of a shipped model, or path of the plan's model that all workers see.
    folder
        Folder of the production, on a file system that all workers share.
    farm
        The workers.
    resume
        Go on with the production in ``folder``, with parts of the size it was begun with; listed
        parts whose bytes have changed are redone.
    progress
        Called with the number of showers that are complete.

    Returns
    -------
    Manifest
        All parts, in the order of events.

    Raises
    ------
    InputError
        The folder holds another production, the plan has too many parts, no scheduler answers,
        or a worker's model is another one.
    OutputError
        The folder holds a production and is not resumed, or parts without a manifest; another
        run works in it; the scheduler or too many workers went away; what the manifest lists
        stays.
    """
    folder = Path(folder).resolve()
    make_folder(folder, "folder of the production")
    with locked(folder):
        manifest = _begin(plan, folder, resume=resume)
        _remove_strays(manifest, folder)
        if not manifest.missing():
            return manifest
        with ExitStack() as stack:
            client = connect(farm, stack)
            return _Run(client, manifest, model, folder, progress).finish()


def _begin(plan: Plan, folder: Path, *, resume: bool) -> Manifest:
    """Return the manifest to go on from, written to the folder."""
    begun = Manifest.load(folder) if (folder / MANIFEST).exists() else None
    if begun is None:
        _refuse_parts(folder)
    if begun is None or not begun.parts:  # nothing was produced that another plan could spoil
        manifest = Manifest(plan=plan)
    elif not resume:
        raise OutputError(
            f"{folder} holds a production already; go on with it by --resume or name another folder"
        )
    else:
        _refuse_other(plan, begun.plan, folder)  # its parts keep their size
        intact = tuple(part for part in begun.parts if part.intact(folder))
        manifest = begun.model_copy(update={"parts": intact})
    manifest.missing()  # refuses a plan of too many parts
    manifest.save(folder)
    return manifest


def _refuse_parts(folder: Path) -> None:
    """Refuse parts without a manifest: nobody knows whether they may be removed."""
    part = next((path for path in folder.iterdir() if PART_NAME.fullmatch(path.name)), None)
    if part is not None:
        raise OutputError(
            f"{folder} holds parts of a production ({part.name}) but no {MANIFEST}, so nobody can "
            "say which are complete; restore it or name another folder"
        )


def _refuse_other(plan: Plan, begun: Plan, folder: Path) -> None:
    now, then = (each.model_dump(exclude={"shard"}) for each in (plan, begun))
    changed = [f"{key} (was {then[key]}, is {now[key]})" for key in now if now[key] != then[key]]
    if changed:
        raise InputError(
            f"{folder} holds another production: {', '.join(changed)}; its parts would not fit "
            "together, so set these back or name another folder"
        )


def _remove_strays(manifest: Manifest, folder: Path) -> None:
    """Remove parts of interrupted runs that were never listed; nobody else writes here now."""
    listed = {part.file for part in manifest.parts}
    for path in folder.iterdir():
        hidden = path.name.startswith((".events-", f".{MANIFEST}.")) and ".tmp" in path.name
        # Files of other names are the user's, such as an events-1.root drawn by hand.
        if hidden or (PART_NAME.fullmatch(path.name) and path.name not in listed):
            path.unlink(missing_ok=True)


class _Run:
    """The loop of one run: hand out ranges of events, list the parts that come back."""

    def __init__(
        self,
        client: Client,
        manifest: Manifest,
        model: str,
        folder: Path,
        progress: Callable[[int], None] | None,
    ) -> None:
        self._client = client
        self._manifest = manifest
        self._arguments = (manifest.plan, model, str(folder))
        self._folder = folder
        self._progress = progress
        self._waiting = manifest.missing()[::-1]
        self._running: dict[Future[Any], tuple[int, int]] = {}
        self._failures: dict[tuple[int, int], int] = {}

    def finish(self) -> Manifest:
        """Work until every part is listed."""
        from distributed import TimeoutError as DaskTimeoutError
        from distributed import wait

        self._report()
        while self._waiting or self._running:
            self._hand_out()
            try:
                done = wait(list(self._running), timeout=_PATIENCE, return_when="FIRST_COMPLETED")
            except DaskTimeoutError:
                self._refuse_silence()
                continue
            except FastCaloQError:
                raise
            except Exception as error:
                raise self._lost(f"{type(error).__name__}") from error
            for future in done.done:
                self._take(future)
        return self._manifest

    def _hand_out(self) -> None:
        n_workers = max(len(self._client.scheduler_info(n_workers=-1)["workers"]), 1)
        while self._waiting and len(self._running) < _AHEAD * n_workers:
            shard = self._waiting.pop()
            future = self._client.submit(draw_part, *self._arguments, *shard, pure=False)
            self._running[future] = shard

    def _take(self, future: Future[Any]) -> None:
        shard = self._running.pop(future)
        if future.status == "finished":
            part: Part = future.result()
            self._manifest = self._manifest.with_part(part)
            self._manifest.save(self._folder)
            self._report()
            return
        if future.status in ("cancelled", "lost"):
            self._refuse_silence()
            error: BaseException = ConnectionError("the scheduler forgot a task")
        else:
            error = future.exception() or ConnectionError("a worker failed")
        self._failures[shard] = failures = self._failures.get(shard, 0) + 1
        if isinstance(error, InputError) or failures >= _MOST_FAILURES:
            raise self._given_up(shard, error) from None
        self._waiting.append(shard)

    def _given_up(self, shard: tuple[int, int], error: BaseException) -> FastCaloQError:
        text = " ".join(str(error).split()) or type(error).__name__
        kind = InputError if isinstance(error, InputError) else OutputError
        return kind(
            f"events {shard[0]} to {sum(shard) - 1} could not be produced: {text} "
            f"({self._standing()})"
        )

    def _refuse_silence(self) -> None:
        """Raise if the scheduler is gone; workers may come and go."""
        if self._client.status != "running":
            raise self._lost(self._client.status)

    def _lost(self, reason: str) -> OutputError:
        return OutputError(f"the Dask scheduler went away ({reason}); {self._standing()}")

    def _standing(self) -> str:
        plan = self._manifest.plan
        return (
            f"{len(self._manifest.parts)} of {len(plan.shards())} parts are complete and listed in "
            f"{self._folder / MANIFEST}; go on with --resume"
        )

    def _report(self) -> None:
        if self._progress is not None:
            self._progress(sum(part.n_showers for part in self._manifest.parts))
