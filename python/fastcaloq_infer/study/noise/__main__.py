"""``python -m fastcaloq_infer.study.noise``: disturb the circuit of a model, judge its showers."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  typer reads it
from typing import Annotated

import typer

from fastcaloq_infer.cli.main import run_command


def noise(
    model: Annotated[str, typer.Argument(help="A run, or the name of a shipped model.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write to.")],
    repeats: Annotated[int, typer.Option(help="Realisations of every point.", min=2)] = 3,
    draws: Annotated[
        int, typer.Option(help="Measurements per shower whose density is averaged.", min=1)
    ] = 8,
    classifiers: Annotated[
        int, typer.Option(help="Classifiers per realisation, for the AUC.", min=0)
    ] = 1,
    held_out: Annotated[
        Path | None, typer.Option(help="Held-out layer energies; default: packaged.")
    ] = None,
) -> None:
    """Draw from a model whose circuit runs with finite shots or noise, though trained exactly."""
    from rich.console import Console

    from fastcaloq_infer import data
    from fastcaloq_infer.files import atomic_path, make_folder
    from fastcaloq_infer.study.noise.measure import Subject, points
    from fastcaloq_infer.study.noise.picture import draw
    from fastcaloq_infer.study.noise.results import collect, table
    from fastcaloq_infer.training import load_flow
    from fastcaloq_infer.training.threads import torch_threads

    flow, metadata = load_flow(model)
    floor = data.read_layer_energies(data.packaged_sample("train"))
    path = data.packaged_sample("heldout") if held_out is None else held_out
    subject = Subject(flow, data.read_layer_energies(path), floor)
    make_folder(output, "folder of the study")
    console = Console(stderr=True)
    found = []
    with torch_threads(1):
        for point in points():
            # What is not measured with shots is the same every time but for the classifiers.
            judged = [
                subject.judge(point, seed, draws=draws, classifiers=classifiers)
                for seed in range(1, repeats + 1)
            ]
            found.append((point, judged))
            console.print(f"{point.series} {point.value:g}: {judged[0]}", highlight=False)
    results = collect(metadata.name, found, subject.floor_auc(repeats, classifiers))
    for name, text in (("results.json", results.to_json()), ("table.md", table(results))):
        with atomic_path(output / name) as temporary:
            temporary.write_text(text)
    draw(results, output / "noise.png")
    typer.echo(str(output / "noise.png"))


if __name__ == "__main__":
    run_command(lambda: typer.run(noise))
