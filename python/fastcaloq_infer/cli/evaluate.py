"""The verb ``fastcaloq evaluate``: generated showers against a reference, and the report."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.progress import TaskID

    from fastcaloq_infer.evaluation.progress import Progress


def evaluate(
    reference: Annotated[
        Path, typer.Argument(help="Showers of the simulation that no model has seen.")
    ],
    generated: Annotated[
        list[Path], typer.Argument(help="Generated showers; several files are several models.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write into.")] = Path(
        "evaluation"
    ),
    floor: Annotated[
        Path | None,
        typer.Option(
            help="An independent sample of the simulation; without it the reference is split."
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Run folder or shipped model: adds the likelihood of the reference."),
    ] = None,
    challenge: Annotated[
        bool, typer.Option("--challenge", help="Use the CaloChallenge's classifier (slow).")
    ] = False,
    reweight: Annotated[
        bool,
        typer.Option("--reweight", help="Make samples follow the reference's energy spectrum."),
    ] = False,
    seeds: Annotated[int, typer.Option(min=0, help="Classifiers per view; 0 for none.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Of every random choice.")] = 1,
    binning: Annotated[
        str | None, typer.Option(help="Name or XML file, for files that do not state it.")
    ] = None,
    particle: Annotated[
        str | None, typer.Option(help="Name or PDG number, for files that do not state it.")
    ] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Write the report as a PDF, too.")] = False,
) -> None:
    """Compare generated showers with a reference, beside the reference against itself."""
    from rich.console import Console

    from fastcaloq_infer.cli.output_folder import output_folder
    from fastcaloq_infer.evaluation import read_sample, summary
    from fastcaloq_infer.evaluation.evaluate import figures
    from fastcaloq_infer.evaluation.samples.comparison import compare
    from fastcaloq_infer.report import Candidate, write_report

    console = Console()
    names = distinct_names(generated)
    with output_folder(output), steps(Console(stderr=True)) as progress:
        real = read_sample(reference, binning, particle=particle, progress=progress)
        other = None
        if floor is not None:
            other = read_sample(floor, binning, particle=particle, progress=progress)
        candidates, first = [], None
        for path, name in zip(generated, names, strict=True):
            showers = read_sample(path, binning, particle=particle, progress=progress)
            comparison = compare(real, showers, other, seed=seed, reweight=reweight)
            first = first or comparison
            evaluation = figures(
                comparison, seeds=seeds, challenge=challenge, model=model, progress=progress
            )
            target = "evaluation.json" if len(names) == 1 else f"{name}.json"
            evaluation.save(output / target)
            candidates.append(Candidate(name, comparison.samples["generated"], evaluation))
        if first is None:  # cannot happen: the command line asks for at least one file
            return
        page = write_report(
            output,
            first.samples["reference"],
            candidates,
            floor=first.samples["floor"],
            title=f"{', '.join(names)} against {reference.name}",
            introduction="Energies in MeV, lengths in mm.",
            pdf=pdf,
            progress=lambda _, fraction: progress("report", fraction),
        )
        progress("report", 1.0)
    for candidate in candidates:
        show(console, f"{candidate.label} ({candidate.evaluation.level})")
        for note in candidate.evaluation.notes:
            show(console, f"note: {note}")
        show(console, summary(candidate.evaluation))
    show(console, f"report: {page}")


def show(console: Console, text: str) -> None:
    """Print text as it is."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def distinct_names(paths: list[Path]) -> list[str]:
    """Return names for files: their stems, or as much of their paths as tells them apart.

    Raises
    ------
    InputError
        A file is given twice.
    """
    from fastcaloq_infer.errors import InputError

    twice = next((path for path in paths if paths.count(path) > 1), None)
    if twice is not None:
        raise InputError(
            f"{twice} is given twice as generated showers: one model would stand beside itself; "
            "give every file once"
        )
    names = [path.stem for path in paths]
    for longer in ([path.with_suffix("") for path in paths], paths):
        names = [
            name if names.count(name) == 1 else "_".join(path.parts).strip("/_")
            for name, path in zip(names, longer, strict=True)
        ]
    return names


@contextmanager
def steps(console: Console) -> Iterator[Progress]:
    """Show every step as a bar of its own, with the time it took."""
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Bars(*columns, console=console) as bars:
        running: dict[str, TaskID] = {}

        def progress(step: str, fraction: float) -> None:
            if step not in running:
                running[step] = bars.add_task(step, total=1.0)
            bars.update(running[step], completed=fraction)
            if fraction >= 1:  # a step of this name may begin again, for the next model
                del running[step]

        yield progress
