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
        conditioning=conditioning.value,
        fallback=fallback,
        name=name,
        overwrite=force,
    )
    _print(result)


def _print(result: ExportResult) -> None:
    from rich.console import Console
    from rich.markup import escape

    card = result.card
    energy, eta = card.validity.incident_energy, card.validity.eta
    rows = [
        ("file", f"{result.path} ({result.size / 1024:.0f} KiB)"),
        ("model", f"{card.name}: {card.particle}, {card.n_layers} layers"),
        ("SHA-256", result.digest),
        ("valid for", f"{energy[0]:g} to {energy[1]:g} MeV, |eta| {eta[0]:g} to {eta[1]:g}"),
        ("conditioning", f"{card.conditioning.kind}, {card.conditioning.mode}"),
    ]
    if card.conditioning.version is not None:
        rows.append(("conditioner", card.conditioning.version))
    if result.table is not None:
        grid = result.table.card
        rows.append(
            (
                "interpolation error",
                f"{result.table.relative_error:.1e} of the feature range "
                f"({grid.n_energy} x {grid.n_eta} nodes)",
            )
        )
    rows += [
        (
            "parity",
            f"{len(card.parity.incident_energy)} showers within {result.parity_error:.2g} of the "
            f"tolerance ({card.parity.relative_tolerance:.1e})",
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
    if result.table is not None and not result.table.meets_target:
        console.print(
            "[yellow]note:[/yellow] the table misses its target of 1e-6; "
            "--conditioning embedded or served has no interpolation error"
        )
