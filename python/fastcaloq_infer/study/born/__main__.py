"""``python -m fastcaloq_infer.study.born``: take trainings apart, write results and picture."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  typer reads it
from typing import Annotated

import typer

from fastcaloq_infer.cli.main import run_command

_DRAWN = 50_000  # showers in a picture: twenty times the held-out ones


def born(
    config: Annotated[Path, typer.Argument(help="The study: a YAML file.", metavar="STUDY.yaml")],
    runs: Annotated[Path, typer.Argument(help="Its folder, done by 'fastcaloq study'.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write to.")],
    reference: Annotated[str, typer.Option(help="Shipped flow to compare with.")] = "photon_energy",
    draws: Annotated[
        int, typer.Option(help="Draws from it per incident energy.", min=1000)
    ] = 500_000,
    starts: Annotated[
        int, typer.Option(help="Basis states sent forwards and backwards.", min=2)
    ] = 256,
) -> None:
    """Say in nats what measuring the trained circuits of a study loses, and where."""
    import json

    from rich.console import Console

    from fastcaloq_infer.files import atomic_path, make_folder
    from fastcaloq_infer.study.born.measure import draw_samples, measure
    from fastcaloq_infer.study.born.picture import draw
    from fastcaloq_infer.study.born.showers import SHOWN_ENERGIES, draw_showers
    from fastcaloq_infer.study.config import StudyConfig

    study = StudyConfig.load(config)
    console = Console(stderr=True)
    records = []
    for record in measure(study, runs, reference, draws, starts):
        records.append(record)
        share = record["likelihood"]
        console.print(
            f"{record['variant']} {record['seed']}: {share['flow'] - share['circuit']:.3f} nats "
            f"below the flow, {share['flow'] - share['binned_flow']:.3f} of them by its bins",
            highlight=False,
        )
    results = {
        "reference": reference,
        "draws": draws,
        "starts": starts,
        "labels": {variant.name: variant.title for variant in study.variants},
        "runs": records,
    }
    make_folder(output, "output folder")
    with atomic_path(output / "nats.json") as temporary:
        temporary.write_text(json.dumps(results, indent=1) + "\n")
    draw(results, output / "nats.png")
    samples = draw_samples(study, runs, reference, min(draws, _DRAWN), SHOWN_ENERGIES)
    draw_showers(samples, output / "showers.png")
    typer.echo(str(output / "nats.png"))


if __name__ == "__main__":
    run_command(lambda: typer.run(born))
