"""Says what a demonstration does, and how long each step took."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from fastcaloq_infer.output import Summary


@dataclass
class Clock:
    """Where to say it (None: nowhere), and pairs of a step and its seconds so far."""

    console: Console | None
    timings: list[tuple[str, float]] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Print a line that belongs to the step."""
        if self.console is not None:
            self.console.print(f"   {text}", highlight=False, soft_wrap=True)

    def say_written(self, summary: Summary) -> None:
        """Print what became of a file of showers."""
        self.say(
            f"{summary.path}: drawn in {summary.generation_seconds:.2f} s, written in "
            f"{summary.writing_seconds:.2f} s, {summary.size / 1e6:.1f} MB"
        )

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Print the name of a step, and how long the block took."""
        if self.console is not None:
            self.console.print(f"[bold]{len(self.timings) + 1}. {name}[/bold]", highlight=False)
        start = time.perf_counter()
        yield
        seconds = time.perf_counter() - start
        self.timings.append((name, seconds))
        self.say(f"[dim]{seconds:.1f} s[/dim]")
