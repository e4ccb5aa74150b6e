"""A whole study: do what is not done yet, then compare."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fastcaloq_infer.cores import available_cores
from fastcaloq_infer.errors import ConfigError, OutputError
from fastcaloq_infer.files import atomic_path, make_folder
from fastcaloq_infer.study.matrix import runs as list_runs
from fastcaloq_infer.study.pool import do_runs
from fastcaloq_infer.study.progress import StudyProgress
from fastcaloq_infer.study.samples import run_showers
from fastcaloq_infer.study.store import RunStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from fastcaloq_infer.study.config import StudyConfig
    from fastcaloq_infer.study.matrix import Run
    from fastcaloq_infer.study.results import StudyResults

__all__ = ["RESULTS", "TIMES", "alone", "planned", "run_study"]

RESULTS, TIMES, TABLE, ROWS = "results.json", "times.json", "table.md", "table.csv"
_RUNS, _LOCK = "runs", ".lock"


def planned(config: StudyConfig, folder: Path) -> list[tuple[Run, RunStore, bool]]:
    """List the runs of a study, where they are kept, and whether they are done.

    Raises
    ------
    ConfigError, InputError
        As `matrix.runs` and `RunStore.is_done`.
    """
    found = [(run, RunStore(folder / _RUNS / run.name, run)) for run in list_runs(config)]
    return [(run, store, store.is_done()) for run, store in found]


def run_study(
    config: StudyConfig, folder: Path | str, *, jobs: int = 1, console: Console | None = None
) -> StudyResults:
    """Do the runs that are not done, compare all, and write results, table and pictures.

    Parameters
    ----------
    config
        What to do.
    folder
        Where to; made if missing. What a killed study left there is gone on with, and the results
        are those of an undisturbed one.
    jobs
        Processes, one thread each; their number does not change a result.
    console
        Where to show progress; None for silence.

    Returns
    -------
    StudyResults
        As in ``results.json``.

    Raises
    ------
    ConfigError
        A configuration is refused, or the folder holds runs of another study.
    InputError
        Showers cannot be read or are too few.
    OutputError
        The folder cannot be written, or another process is at work in it.
    StudyError
        Runs could not be done.
    """
    from fastcaloq_infer.study.plots import write_pictures
    from fastcaloq_infer.study.summarise import summarise
    from fastcaloq_infer.study.table import markdown, rows
    from fastcaloq_infer.study.times import collect_times

    if jobs < 1:
        raise ConfigError(f"{jobs} processes were asked for; a study needs at least one (--jobs)")
    folder = Path(folder)
    plan = planned(config, folder)
    make_folder(folder / _RUNS, "study folder")
    with alone(folder):
        missing = [(run, store.folder) for run, store, done in plan if not done]
        with StudyProgress(console, len(plan), len(plan) - len(missing)) as progress:
            for run in {run.cell: run for run, _ in missing}.values():
                run_showers(run)  # too few of them are found out before anything is trained
            if missing:
                if jobs > (cores := available_cores()):
                    progress.say(f"{jobs} processes were asked for, {cores} cores are used")
                for run in do_runs(missing, min(jobs, cores, len(missing))):
                    progress.done(run.name)
            progress.say("comparing")
            chosen, stores = [run for run, _, _ in plan], [store for _, store, _ in plan]
            results = summarise(config, chosen, stores)
            times = collect_times(chosen, stores)
        for name, text in (
            (RESULTS, results.to_json()),
            (TIMES, times.model_dump_json(indent=1, by_alias=True) + "\n"),
            (TABLE, markdown(results, times)),
            (ROWS, rows(results, times)),
        ):
            with atomic_path(folder / name) as temporary:
                temporary.write_text(text, encoding="utf-8")
        write_pictures(results, times, folder)
    return results


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder against a second study; the system lets go when this process ends."""
    with (folder / _LOCK).open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise OutputError(
                f"another process is at work in {folder}, and two would undo each other's runs; "
                "wait for it or write to another folder (-o)"
            ) from error
        yield
