"""The verb ``fastcaloq report``: compare a trained model with the packaged held-out Geant4 sample.

Leaves report.html, figures.json and response.png, with Geant4 against itself beside every figure.
The figures and the picture beside the shipped models come from here.
"""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations at run time
from typing import Annotated

import typer


def report(
    model: Annotated[str, typer.Argument(help="Name of a shipped model or path of an .onnx file.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write into.")],
    multiple: Annotated[
        int, typer.Option(min=1, help="Generated showers per held-out shower.")
    ] = 40,
    seed: Annotated[int, typer.Option(min=0, help="Of the showers and the classifiers.")] = 1,
) -> None:
    """Compare a model with the packaged held-out Geant4 showers and draw the report."""
    import numpy as np
    from rich.console import Console

    from fastcaloq_infer.data import packaged_sample, read_layer_energies
    from fastcaloq_infer.evaluation import evaluate_layer_energies, summary
    from fastcaloq_infer.files import atomic_path
    from fastcaloq_infer.report import Candidate, write_report
    from fastcaloq_infer.report.lineup import line_up
    from fastcaloq_infer.report.shower_pictures import total_energy_figure
    from fastcaloq_infer.report.style import picture
    from fastcaloq_infer.sampling import Sampler

    console = Console()
    sampler = Sampler(model)
    held_out = read_layer_energies(packaged_sample("heldout"))
    floor = read_layer_energies(packaged_sample("train"))
    with console.status("drawing and comparing showers"):
        energy = np.tile(held_out.incident_energy, multiple)
        eta = np.tile(held_out.eta, multiple)
        generated = sampler.sample(energy, eta=eta, seed=seed)
        evaluation = evaluate_layer_energies(held_out, generated, floor, seed=seed)
    candidates = [Candidate(sampler.card.name, generated, evaluation)]
    with console.status("drawing the report"):
        page = write_report(
            output,
            held_out,
            candidates,
            floor=floor,
            title=f"Model {sampler.card.name} against Geant4",
            introduction=f"{len(energy):,} showers drawn by the C++ engine. Energies in MeV.",
            facts=[("SHA-256 of the model", sampler.digest)],
        )
        evaluation.save(page.with_name("figures.json"))
        figure = total_energy_figure(line_up(held_out, candidates, floor))
        with atomic_path(page.with_name("response.png")) as temporary:
            temporary.write_bytes(picture(figure, "png"))
    console.print(summary(evaluation), highlight=False, markup=False, soft_wrap=True)
    console.print(f"report: {page}", highlight=False, markup=False, soft_wrap=True)
