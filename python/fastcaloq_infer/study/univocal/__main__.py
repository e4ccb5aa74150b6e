"""``python -m fastcaloq_infer.study.univocal``: train everything, write results and picture."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  typer reads it
from typing import Annotated

import typer

from fastcaloq_infer.cli.main import run_command


def univocal(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write to.")],
    seeds: Annotated[int, typer.Option(help="Trainings of every network.", min=2)] = 3,
    steps: Annotated[int, typer.Option(help="Steps of a training.", min=1)] = 300,
    batch: Annotated[int, typer.Option(help="Rows of a step.", min=2)] = 256,
    jobs: Annotated[int, typer.Option(help="Processes, one thread each.", min=1)] = 2,
) -> None:
    """Compare measured registers with classical invertible networks, and their round trips."""
    import json
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed

    from rich.console import Console

    from fastcaloq_infer.files import atomic_path
    from fastcaloq_infer.study.univocal.learning import do_cell
    from fastcaloq_infer.study.univocal.networks import NETWORKS
    from fastcaloq_infer.study.univocal.picture import draw
    from fastcaloq_infer.study.univocal.summary import summarise
    from fastcaloq_infer.study.univocal.tasks import TASKS

    console = Console(stderr=True)
    cells = []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        # The long ones first, so that no process is left alone with one of them.
        waiting = [
            pool.submit(do_cell, task, network, seed, steps, batch)
            for network in reversed(NETWORKS)
            for task in TASKS
            for seed in range(1, seeds + 1)
        ]
        for done in as_completed(waiting):
            cell = done.result()
            cells.append(cell)
            console.print(
                f"{len(cells)} of {len(waiting)}: {cell['task']}, {cell['network']}, seed "
                f"{cell['seed']}: {cell['nll']:.3f} nats, {cell['seconds']:.0f} s",
                highlight=False,
            )
    cells.sort(key=lambda cell: (cell["task"], cell["network"], cell["seed"]))
    results = {
        "steps": steps,
        "batch": batch,
        "networks": {network.name: network.label for network in NETWORKS},
        "summary": summarise(cells),
        "cells": cells,
    }
    output.mkdir(parents=True, exist_ok=True)
    with atomic_path(output / "results.json") as temporary:
        temporary.write_text(json.dumps(results, indent=1) + "\n")
    draw(results, output / "quality.png")
    typer.echo(str(output / "quality.png"))


if __name__ == "__main__":
    run_command(lambda: typer.run(univocal))
