"""``fastcaloq inspect-run``: what happens inside a training, in pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def inspect_run(
    run: Annotated[
        str, typer.Argument(help="Run folder of a training of layer energies, or a shipped model.")
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder.  [default: RUN/inspection]")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the random circuits.")] = 1,
) -> None:
    """Draw latents, states, features and trainability of a run and its circuit.

    The course of a training needs snapshots: set inspection.every, in steps, when it is trained.
    Without them the trained model is looked at. Leaves inspection.html, inspection.json and PNGs.
    """
    from rich.console import Console

    from fastcaloq_infer.cli.evaluate import steps
    from fastcaloq_infer.cli.output_folder import output_folder
    from fastcaloq_infer.inspection.look import look
    from fastcaloq_infer.inspection.write import PAGE, write_inspection
    from fastcaloq_infer.training.recorder import FOLDER

    target = output
    if target is None:
        target = Path(run) / FOLDER if Path(run).is_dir() else Path(FOLDER)
    with steps(Console(stderr=True)) as progress:
        found = look(Path(run), seed=seed, progress=progress)
        with output_folder(target) as folder:
            write_inspection(folder, found, progress)
    typer.echo(f"{target / PAGE}: {len(found.snapshots)} snapshots of {found.figures.name}")
