"""The verb ``fastcaloq report``: compare a trained model with held-out showers.

Leaves report.html, figures.json, response.png and, of whole showers, average.png; the simulation
against itself stands beside every figure. What lies beside the shipped models comes from here.
Whole showers of a model that has voxels, layer energies of one that has not.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads the annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fastcaloq_infer.evaluation import Sample
    from fastcaloq_infer.evaluation.progress import Progress
    from fastcaloq_infer.sampling import Sampler

DRAWN = {"layers": 850_000, "voxels": 85_000}
"""Showers drawn where ``--multiple`` does not say: 40 and 4 times 21,250."""


class Level(StrEnum):
    """What is compared."""

    layers = "layers"
    voxels = "voxels"


def report(
    model: Annotated[str, typer.Argument(help="Name of a shipped model or path of an .onnx file.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write into.")],
    reference: Annotated[
        Path | None,
        typer.Option(help="Held-out showers of the simulation; by default those of the package."),
    ] = None,
    floor: Annotated[
        Path | None,
        typer.Option(
            help="An independent sample of the simulation; without it the reference is split."
        ),
    ] = None,
    level: Annotated[
        Level | None,
        typer.Option(help="Whole showers or layer energies; by default what the model has."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=0, help="Classifiers per view; 0 for none.")] = 5,
    multiple: Annotated[
        int | None,
        typer.Option(min=1, help="Generated showers per held-out shower; by default enough."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the showers and the classifiers.")] = 1,
    pdf: Annotated[bool, typer.Option("--pdf", help="Write the report as a PDF, too.")] = False,
) -> None:
    """Compare a model with held-out showers, whole where it has voxels, and draw the report."""
    from rich.console import Console

    from fastcaloq_infer.cli.evaluate import show, steps
    from fastcaloq_infer.cli.output_folder import output_folder
    from fastcaloq_infer.evaluation import summary
    from fastcaloq_infer.evaluation.evaluate import figures
    from fastcaloq_infer.evaluation.model import draw_like
    from fastcaloq_infer.evaluation.samples.comparison import compare
    from fastcaloq_infer.files import atomic_path
    from fastcaloq_infer.report import Candidate, write_report
    from fastcaloq_infer.report.lineup import line_up
    from fastcaloq_infer.report.shower_pictures import average_figure, total_energy_figure
    from fastcaloq_infer.report.style import picture
    from fastcaloq_infer.sampling import Sampler

    sampler = Sampler(model)
    chosen = "voxels" if sampler.n_voxels else "layers"
    if level is not None:
        chosen = level.value
    with output_folder(output), steps(Console(stderr=True)) as progress:
        real, other = _references(sampler, chosen, reference, floor, progress)
        times = multiple or max(1, DRAWN[chosen] // real.n_showers)
        progress("drawing showers", 0.0)
        generated = draw_like(sampler, real, multiple=times, seed=seed, voxels=chosen == "voxels")
        progress("drawing showers", 1.0)
        comparison = compare(real, generated, other, seed=seed, level=Level(chosen).value)
        evaluation = figures(comparison, seeds=seeds, progress=progress)
        evaluation.save(output / "figures.json")
        candidates = [Candidate(sampler.card.name, comparison.samples["generated"], evaluation)]
        page = write_report(
            output,
            comparison.samples["reference"],
            candidates,
            floor=comparison.samples["floor"],
            title=f"Model {sampler.card.name} against {comparison.samples['reference'].simulation}",
            introduction=f"{generated.n_showers:,} showers drawn by the C++ engine. "
            "Energies in MeV, lengths in mm.",
            facts=[
                ("SHA-256 of the model", sampler.digest),
                ("reference", real.name),
                ("floor", "half of the reference" if other is None else other.name),
            ],
            pdf=pdf,
            progress=lambda _, fraction: progress("report", fraction),
        )
        lineup = line_up(comparison.samples["reference"], candidates, comparison.samples["floor"])
        pictures = {"response.png": total_energy_figure(lineup)}
        if lineup.has_voxels:
            pictures["average.png"] = average_figure(lineup, len(lineup.groups) // 2)
        for name, figure in pictures.items():
            with atomic_path(page.with_name(name)) as temporary:
                temporary.write_bytes(picture(figure, "png"))
        progress("report", 1.0)
    console = Console()
    for note in evaluation.notes:
        show(console, f"note: {note}")
    show(console, summary(evaluation))
    show(console, f"report: {page}")


def _references(
    sampler: Sampler, level: str, reference: Path | None, floor: Path | None, progress: Progress
) -> tuple[Sample, Sample | None]:
    """Read the held-out showers and the floor sample: those given, else those of the package.

    Raises
    ------
    InputError
        A file cannot be read, or the package has no showers of this particle.
    """
    from fastcaloq_infer.data import packaged_sample
    from fastcaloq_infer.errors import InputError
    from fastcaloq_infer.evaluation import read_sample

    card = sampler.card
    if reference is None:
        if card.particle == "photon":
            layers = level == "layers"
            reference = packaged_sample("heldout" if layers else "heldout_photons")
            if floor is None:
                floor = packaged_sample("train" if layers else "showers")
        elif card.particle == "pion":
            reference = packaged_sample("heldout_pions")
        else:
            raise InputError(
                f"the package has held-out showers of photons and pions, the model is of "
                f"{card.particle}: give showers of the simulation that it has not seen "
                "(--reference)"
            )

    def read(path: Path) -> Sample:
        return read_sample(path, particle=card.particle, progress=progress)

    return read(reference), None if floor is None else read(floor)
