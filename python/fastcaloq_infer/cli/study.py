"""The verb ``fastcaloq study``: train a matrix of models and compare them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def study(
    config: Annotated[Path, typer.Argument(help="The study: a YAML file.", metavar="STUDY.yaml")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Folder of the study.  [default: studies/NAME]"),
    ] = None,
    jobs: Annotated[
        int, typer.Option("-j", "--jobs", min=1, max=1024, help="Processes, one thread each.")
    ] = 1,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the runs and leave; nothing is written.")
    ] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print the result only.")] = False,
) -> None:
    """Train every variant with every seed, size and region, and compare them on held-out showers.

    Started again after an interruption, it goes on where it was. Leaves results.json, times.json,
    table.md, table.csv and pictures.
    """
    from rich.console import Console

    from fastcaloq_infer.study.config import StudyConfig
    from fastcaloq_infer.study.study import planned, run_study

    chosen = StudyConfig.load(config)
    folder = output if output is not None else Path("studies") / chosen.name
    if dry_run:
        plan = planned(chosen, folder)
        for run, _, done in plan:
            typer.echo(f"{run.name}{'  done' if done else ''}")
        missing = sum(not done for _, _, done in plan)
        typer.echo(f"{len(plan)} runs, {missing} to do; folder {folder}")
        return
    log = None if quiet else Console(stderr=True)
    results = run_study(chosen, folder, jobs=jobs, console=log)
    for cell in results.cells:
        resolved = [c for c in cell.comparisons if c.resolved]
        typer.echo(
            f"{cell.title}: {len(resolved)} of {len(cell.comparisons)} variants differ from "
            f"{results.reference}"
        )
        for c in resolved:
            typer.echo(
                f"  {c.variant}: {c.effect:+.4f} nats per shower, {results.confidence:.0%} "
                f"interval {c.low:+.4f} to {c.high:+.4f}"
            )
    typer.echo(f"study {results.name}: {folder / 'table.md'}")
