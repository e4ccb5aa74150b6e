"""What a study shows while it runs: a bar on a terminal, lines in a log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console

__all__ = ["StudyProgress"]

_LOG_LINES = 20


class StudyProgress:
    """Runs done of all, time passed and time left; a log gets about 20 lines instead.

    Parameters
    ----------
    console
        Where to write; None for silence.
    total, done
        Runs of the study, and those that an earlier start has done.
    """

    def __init__(self, console: Console | None, total: int, done: int) -> None:
        self._console = console
        self._live = console is not None and console.is_terminal
        self._total, self._done, self._earlier = total, done, done
        # The time left is that of the runs of this start: those done before cost nothing now.
        self._bar = Progress(
            TextColumn("[bold]study"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not self._live,
            speed_estimate_period=3600,
        )
        self._task = self._bar.add_task("", total=total, completed=done)

    def __enter__(self) -> Self:
        self._bar.start()
        if self._earlier:
            self.say(f"{self._earlier} of {self._total} runs are done already")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        if self._console is not None:
            self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def done(self, name: str) -> None:
        """Count a run."""
        self._done += 1
        self._bar.update(self._task, completed=self._done, description=name)
        part = (self._done - self._earlier) * _LOG_LINES // max(self._total - self._earlier, 1)
        before = (self._done - 1 - self._earlier) * _LOG_LINES
        if not self._live and part != before // max(self._total - self._earlier, 1):
            seconds = self._bar.tasks[0].elapsed or 0.0
            left = seconds / (self._done - self._earlier) * (self._total - self._done)
            self.say(f"{self._done} of {self._total} runs, about {left / 60:.0f} min left")
