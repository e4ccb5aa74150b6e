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
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a key of a frontier; repeatable."),
    ] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print the result only.")] = False,
) -> None:
    """Train every variant with every seed, size and region, and compare them on held-out showers.

    A file with 'kind: frontier' compares flows of voxels by fidelity, cost and training time; its
    trainings follow each other on one thread.

    Started again after an interruption, it goes on where it was. Leaves results.json, times.json,
    table.md, table.csv and pictures.
    """
    from rich.console import Console

    from fastcaloq_infer.study.config import StudyConfig
    from fastcaloq_infer.study.study import planned, run_study
    from fastcaloq_infer.training.yaml_files import read_mapping

    if read_mapping(config).get("kind") == "frontier":
        _frontier(config, output, jobs, settings or [], dry_run=dry_run, quiet=quiet)
        return
    if settings:
        raise typer.BadParameter("a study that is no frontier says all in its file")
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


def _frontier(
    config: Path,
    output: Path | None,
    jobs: int,
    settings: list[str],
    *,
    dry_run: bool,
    quiet: bool,
) -> None:
    from rich.console import Console

    from fastcaloq_infer.study.frontier.config import FrontierConfig
    from fastcaloq_infer.study.frontier.run import run_frontier

    if jobs != 1:
        raise typer.BadParameter("a frontier compares times, so it does one training at a time")
    chosen = FrontierConfig.load(config, settings)
    folder = output if output is not None else Path("studies") / chosen.name
    if dry_run:
        for variant in chosen.variants:
            typer.echo(f"{variant.name}: {chosen.seconds(variant):g} s, seeds {chosen.seeds}")
        return
    results = run_frontier(chosen, folder, console=None if quiet else Console(stderr=True))
    for model in results.models:
        judged = model.judgement
        typer.echo(
            f"{model.title}: AUC {judged.network.mean:.4f} (network), {judged.trees.mean:.4f} "
            f"(trees), {model.flop / 1e6:.1f} MFLOP per shower, {model.cpu_seconds:.0f} s"
        )
    typer.echo(f"frontier {results.name}: {folder / 'table.md'}")
