"""The verb ``fastcaloq demo``: the whole chain on real Geant4 showers, and a report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for everything that is made.")
    ] = Path("demo"),
    showers: Annotated[
        int, typer.Option("-n", "--showers", min=1000, help="Showers to draw.")
    ] = 200_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of training, drawing, evaluation.")] = 1,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Length of the training.  [default: configuration's]")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change a key of the configuration demo_energy; repeatable.",
        ),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="A hardly trained model, energies alone."),
    ] = False,
) -> None:
    """Train, export, draw showers in C++, write ROOT and HDF5, compare with Geant4, report.

    Trains the energies; the voxels of whole showers come from the shipped shape flow.

    Takes at most five minutes on two cores; ends with the path of an HTML page that holds
    everything it shows.
    """
    from rich.console import Console

    from fastcaloq_infer.demo import run_demo
    from fastcaloq_infer.evaluation import summary

    changes = [*(settings or [])]
    if quick:
        changes = ["steps=20", *changes]
        showers = min(showers, 9_000)
    if epochs is not None:
        changes.append(f"epochs={epochs}")
    console = Console()
    result = run_demo(
        output,
        showers=showers,
        seed=seed,
        settings=tuple(changes),
        classifiers=1 if quick else 5,
        details=not quick,
        whole_showers=not quick,
        console=console,
    )
    seconds = sum(seconds for _, seconds in result.timings)
    typer.echo()
    typer.echo(summary(result.evaluation))
    typer.echo()
    if result.whole is not None:
        typer.echo("whole showers:")
        typer.echo(summary(result.whole.evaluation))
        typer.echo(f"open their report, too: {result.whole.report.resolve()}")
        typer.echo()
    typer.echo(f"done in {seconds:.0f} s; open the report: {result.report.resolve()}")
