"""What verbs that draw showers show: a bar while they work, a table at the end."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rich.console import Console
    from rich.progress import Task
    from rich.table import Table

    from fastcaloq_infer.farm import Manifest
    from fastcaloq_infer.output import Provenance, Summary


@contextmanager
def showers_bar(
    total: int | None, title: str = "drawing showers"
) -> Iterator[Callable[[int], None]]:
    """Show a progress bar with showers per second on stderr, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(TextColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.0f} showers/s" if task.speed else "")

    console = Console(stderr=True)
    with Progress(
        TextColumn(title),
        BarColumn(),
        TextColumn("{task.completed:,}"),
        Rate(""),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task("", total=total)
        yield lambda done: progress.update(task, completed=done)


def print_summary(console: Console, summary: Summary) -> None:
    """Print what a single file holds and how long it took."""
    record = summary.provenance
    last = record.first_event + record.n_showers - 1
    _print_facts(
        console,
        ("file", f"{summary.path} ({summary.size / 1e6:.1f} MB)"),
        ("showers", f"{record.n_showers:,} (events {record.first_event} to {last})"),
        ("model", f"{record.model} ({record.model_sha256[:12]}), {record.engine} engine"),
        ("layers", ", ".join(map(str, record.layers))),
        *([] if record.binning is None else [("voxels", f"{record.voxels}, {record.binning}")]),
        ("incident energy", f"{record.energy_law} MeV"),
        ("eta", record.eta_law),
        ("seed", str(record.seed)),
        ("out of range", f"{record.n_out_of_range:,} ({record.out_of_range})"),
        *_conditioning(record),
        (
            "time",
            f"{summary.total_seconds:.2f} s: drawing {summary.generation_seconds:.2f} s, "
            f"writing (meanwhile) {summary.writing_seconds:.2f} s",
        ),
        ("rate", f"{summary.showers_per_second:,.0f} showers/s"),
    )


def _conditioning(record: Provenance) -> list[tuple[str, str]]:
    """Say where features came from, unless they came from the model file."""
    if record.conditioning == "model":
        return []
    return [
        ("features", record.conditioning),
        ("without service", f"{record.n_fallback:,} showers with the file's own features"),
    ]


def print_production(console: Console, folder: Path, manifest: Manifest) -> None:
    """Print what a folder of parts holds."""
    plan, parts = manifest.plan, manifest.parts
    last = plan.first_event + plan.n_showers - 1
    _print_facts(
        console,
        ("folder", f"{folder} ({len(parts)} parts, {sum(p.size for p in parts) / 1e6:.1f} MB)"),
        ("showers", f"{plan.n_showers:,} (events {plan.first_event} to {last})"),
        ("model", f"{plan.model} ({plan.model_sha256[:12]}), {plan.engine} engine"),
        ("incident energy", f"{plan.energy_law} MeV"),
        ("eta", plan.eta_law),
        ("seed", str(plan.seed)),
        *([] if plan.voxels == "none" else [("voxels", plan.voxels)]),
        ("out of range", f"{sum(p.n_out_of_range for p in parts):,} ({plan.out_of_range})"),
    )


def _print_facts(console: Console, *facts: tuple[str, str]) -> None:
    console.print(facts_table(*facts))


def facts_table(*facts: tuple[str, str]) -> Table:
    """Return names and values, one pair a line."""
    from rich.table import Table
    from rich.text import Text

    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in facts:
        table.add_row(name, Text(value))
    return table
