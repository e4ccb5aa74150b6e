"""The verb ``fastcaloq plot``: pictures of the showers in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def plot(
    showers: Annotated[
        Path,
        typer.Argument(help="Voxels: CaloChallenge or ATLAS HDF5, or ROOT of 'fastcaloq sample'."),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for average.png and single.png.")
    ] = Path("plots"),
    event: Annotated[
        list[int] | None,
        typer.Option(
            help="Row of the file, from 0, to draw as a single shower; repeatable. "
            "Default: the first one at every incident energy."
        ),
    ] = None,
    binning: Annotated[
        str | None,
        typer.Option(help="Built-in name (dataset-1-photons, ...) or binning XML file."),
    ] = None,
    particle: Annotated[
        str | None, typer.Option(help="Name or PDG number, if the file does not say.")
    ] = None,
) -> None:
    """Draw average and single showers layer by layer, seen along the particle."""
    from rich.console import Console
    from rich.progress import Progress

    from fastcaloq_infer.output.root_file import open_any
    from fastcaloq_infer.report.shower_plot import plot_showers

    terminal = Console(stderr=True)
    with (
        open_any(showers, binning, particle=particle) as file,
        Progress(console=terminal, transient=True, disable=not terminal.is_terminal) as bar,
    ):
        task = bar.add_task("reading", total=file.n_showers)
        paths = plot_showers(
            file,
            output,
            events=event or (),
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    for path in paths:
        typer.echo(path)
