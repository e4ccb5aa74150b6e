"""``fastcaloq fetch``: download the public CaloChallenge data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def fetch(
    name: Annotated[
        str,
        typer.Argument(help="dataset-1-photons, dataset-1-pions, dataset-2 or dataset-3"),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the files; created if missing.")
    ] = Path(),
    base_url: Annotated[
        str,
        typer.Option(envvar="FASTCALOQ_ZENODO_URL", help="Zenodo, or a mirror with its paths."),
    ] = "https://zenodo.org",
) -> None:
    """Download a public CaloChallenge data set, verify it, and continue interrupted downloads.

    The checksums are those the Zenodo record states. Press Ctrl-C at any time: the same command
    continues where it stopped.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    from fastcaloq_infer.data import zenodo

    dataset = zenodo.public_dataset(name)
    console = Console()
    console.print(f"{name}: Zenodo record {dataset.record} (cite doi:{dataset.doi})")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        tasks = {file: bar.add_task(file, total=None) for file in dataset.files}

        def report(file: str, done: int, total: int) -> None:
            bar.update(tasks[file], completed=done, total=total)

        paths = zenodo.fetch(name, output, base_url=base_url, progress=report)
    for path in paths:
        console.print(f"verified {path}", soft_wrap=True, highlight=False, markup=False)
    console.print(
        f"look inside: fastcaloq inspect {paths[0]} --binning {dataset.binning}",
        soft_wrap=True,
        highlight=False,
        markup=False,
    )
