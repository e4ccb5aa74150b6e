"""What a training shows while it runs: a bar on a terminal, lines in a log."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Self

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console

    from fastcaloq_infer.training.history import Record
    from fastcaloq_infer.training.trainer import Trainer

__all__ = ["TrainingProgress"]

_EVERY_STEPS = 20
_LOG_LINES = 20


class TrainingProgress:
    """Shows loss, held-out nats per shower and showers per second.

    A log file gets about 20 lines instead of the bar.

    Parameters
    ----------
    console
        Where to write; None for silence.
    """

    def __init__(self, console: Console | None) -> None:
        self._console = console
        self._live = console is not None and console.is_terminal
        self._bar = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(compact=True),
            console=console,
            disable=not self._live,
            refresh_per_second=4,
        )
        self._task: TaskID | None = None
        self._mark = (0, 0.0)
        self._rate = 0.0
        self._lines = -1

    def __enter__(self) -> Self:
        self._bar.start()
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

    def on_step(self, trainer: Trainer) -> None:
        """Move the bar, every 20th step only."""
        if not self._live or (trainer.step % _EVERY_STEPS and trainer.step < trainer.total_steps):
            return
        now = time.perf_counter()
        if self._task is None:
            self._task = self._bar.add_task("train", total=trainer.total_steps, figures="")
        else:
            step, then = self._mark
            self._rate = (trainer.step - step) * trainer.batch_size / max(now - then, 1e-9)
        self._mark = (trainer.step, now)
        self._bar.update(self._task, completed=trainer.step, figures=self._figures(trainer))

    def _figures(self, trainer: Trainer) -> str:
        records = trainer.history.records
        parts = [f"loss {trainer.last_loss:.5g}"]
        if records and math.isfinite(records[-1].validation_loss):
            parts.append(f"held out {_held_out(records[-1])}")
        if self._rate:
            parts.append(f"{self._rate:,.0f} showers/s")
        if trainer.skipped_steps:
            parts.append(f"{trainer.skipped_steps} steps skipped")
        return ", ".join(parts)

    def on_look(self, trainer: Trainer) -> None:
        """Write a line to a log when another twentieth of the training is done."""
        part = trainer.step * _LOG_LINES // trainer.total_steps
        if self._live or part == self._lines:
            return
        self._lines = part
        record = trainer.history.records[-1]
        self.say(
            f"epoch {record.epoch:g}, step {record.step} of {trainer.total_steps}: training "
            f"{record.train_loss:.5g}, held out {_held_out(record)}, "
            f"{record.showers_per_second:,.0f} showers/s"
        )


def _held_out(record: Record) -> str:
    """Likelihood, with the loss before it where that is another."""
    nats = f"{record.validation_nll:.3f} nats/shower"
    return nats if record.likelihood_alone else f"{record.validation_loss:.5g} ({nats})"
