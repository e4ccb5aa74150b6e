"""``fastcaloq export-onnx``: a checkpoint becomes one self-describing ONNX file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path  # noqa: TC003  typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fastcaloq_infer.export import ExportResult


class Conditioning(StrEnum):
    """How the conditioner is stored in the file."""

    precomputed = "precomputed"
    embedded = "embedded"
    served = "served"


class Contents(StrEnum):
    """What the file draws."""

    all = "all"
    energy = "energy"


class Contract(StrEnum):
    """Whose file it is."""

    fastcaloq = "fastcaloq"
    fastcalosim = "fastcalosim"


def export_onnx(
    source: Annotated[
        str,
        typer.Argument(
            help="A run folder, a checkpoint (model.safetensors, checkpoint.pt) or the name of a "
            "shipped model."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write; NAME.onnx by default."),
    ] = None,
    shape: Annotated[
        str | None,
        typer.Option(
            help="The same for the shapes: makes a model of whole showers. A shipped model that "
            "has shapes brings them along."
        ),
    ] = None,
    contents: Annotated[
        Contents, typer.Option(help="energy: leave out the shapes of a shipped model.")
    ] = Contents.all,
    contract: Annotated[
        Contract,
        typer.Option(
            help="fastcalosim: the graph that ATLAS FastCaloSim loads, with a bins file beside it."
        ),
    ] = Contract.fastcaloq,
    conditioning: Annotated[
        Conditioning,
        typer.Option(
            help="The conditioner as a table over energy and eta, as itself in the graph, or left "
            "to a service that the sampler asks."
        ),
    ] = Conditioning.precomputed,
    fallback: Annotated[
        bool,
        typer.Option(help="With served: carry the table too, for when the service is away."),
    ] = True,
    name: Annotated[
        str | None, typer.Option(help="Name of the model; the checkpoint's by default.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
) -> None:
    """Write a trained model as one ONNX file that any ONNX runtime and our C++ engine can run."""
    from fastcaloq_infer.export.export import export_onnx as export

    result = export(
        source,
        output,
        shape=shape,
        contents=contents.value,
        contract=contract.value,
        conditioning=conditioning.value,
        fallback=fallback,
        name=name,
        overwrite=force,
    )
    _print(result)


def _print(result: ExportResult) -> None:
    from rich.console import Console
    from rich.markup import escape

    from fastcaloq_infer.artefact.bins import input_shapes

    card = result.card
    energy, eta = card.validity.incident_energy, card.validity.eta
    contents = f"{card.n_layers} layers" + (f", {card.n_voxels} voxels" if card.shape else "")
    rows = [("file", f"{result.path} ({result.size / 1024:.0f} KiB)")]
    if result.companion is not None:
        rows.append(("bins", str(result.companion)))
    rows += [
        ("model", f"{card.name}: {card.particle}, {contents}"),
        ("SHA-256", result.digest),
        ("valid for", f"{energy[0]:g} to {energy[1]:g} MeV, |eta| {eta[0]:g} to {eta[1]:g}"),
    ]
    tables = [result.table, result.shape_table]
    for what, section, table in zip(("", "shape "), card.conditionings, tables, strict=False):
        rows.append((f"{what}conditioning", f"{section.kind}, {section.mode}"))
        if table is not None:
            rows.append(
                (
                    "interpolation error",
                    f"{table.relative_error:.1e} of the feature range "
                    f"({table.card.n_energy} x {table.card.n_eta} nodes)",
                )
            )
    if card.feature_version is not None:
        rows.append(("conditioner", card.feature_version))
    parity = card.shape.parity if card.shape else card.parity
    rows += [
        (
            "parity",
            f"{len(parity.incident_energy)} showers within {result.parity_error:.2g} of the "
            f"tolerance ({parity.relative_tolerance:.1e})",
        ),
        (
            "random showers",
            f"{result.check_showers} in ONNX Runtime within {result.check_error:.2g} of the bound "
            "of float32",
        ),
    ]
    console = Console(soft_wrap=True, highlight=False)  # a digest must survive narrow terminals
    for label, value in rows:
        console.print(f"[bold]{label:<20}[/bold] {escape(value)}")
    if result.companion is not None:
        boundaries, layers = input_shapes(card)
        call = ", ".join(f"{{{', '.join(map(str, values))}}}" for values in (boundaries, layers))
        console.print(f"[bold]{'in FastCaloSim':<20}[/bold] setInputShapes({call})")
    if any(table is not None and not table.meets_target for table in tables):
        console.print(
            "[yellow]note:[/yellow] the table misses its target of 1e-6; "
            "--conditioning embedded or served has no interpolation error"
        )
