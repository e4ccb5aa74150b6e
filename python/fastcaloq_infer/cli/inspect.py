"""``fastcaloq inspect``: print what is inside a shower file, or a model."""

from __future__ import annotations

from math import isnan
from pathlib import Path  # noqa: TC003 - typer reads the annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from fastcaloq_infer.data import ShowerFile
    from fastcaloq_infer.data.summary import Summary

_MANY_LAYERS = 8  # more columns than this do not fit a terminal


def inspect(
    file: Annotated[
        Path,
        typer.Argument(
            help="CaloChallenge or ATLAS voxel HDF5, ROOT of 'fastcaloq sample', or a model (an "
            ".onnx file, the name of a shipped one)."
        ),
    ],
    binning: Annotated[
        str | None,
        typer.Option(help="Built-in name (dataset-1-photons, ...) or binning XML file."),
    ] = None,
    particle: Annotated[
        str | None, typer.Option(help="Name or PDG number, if the file does not say.")
    ] = None,
    eta: Annotated[float | None, typer.Option(help="Eta, if the file does not say.")] = None,
) -> None:
    """Print particle, energies, layers, zero fractions and response, and check every row.

    Ends with exit code 1 if a row is bad: NaN, infinite, negative, no incident energy, or voxels
    that do not add up to the layer energies beside them. Of a model: what its card says.
    """
    from rich.console import Console
    from rich.progress import Progress

    from fastcaloq_infer.cli.inspect_model import is_model, print_model
    from fastcaloq_infer.data.summary import summarise
    from fastcaloq_infer.errors import InputError
    from fastcaloq_infer.output.root_file import open_any

    console = Console()
    if is_model(file):
        if (binning, particle, eta) != (None, None, None):
            raise InputError(
                "a model says itself what it draws: leave out --binning, --particle and --eta"
            )
        print_model(console, file)
        return
    with open_any(file, binning, particle=particle, eta=eta) as showers:
        terminal = Console(stderr=True)
        with Progress(console=terminal, transient=True, disable=not terminal.is_terminal) as bar:
            task = bar.add_task("reading", total=showers.n_showers)
            summary = summarise(
                showers, progress=lambda done, total: bar.update(task, completed=done, total=total)
            )
        tables = _layers(showers, summary), _energies(summary), _empty(showers, summary)
        console.print(_facts(showers), *tables)
    for warning in summary.warnings:
        console.print(f"[yellow]units?[/yellow] {warning}", soft_wrap=True, highlight=False)
    if summary.groups and not summary.warnings:
        console.print("units: plausible, energies look like MeV")
    if summary.first_bad is not None:
        raise InputError(
            f"{file}: {summary.n_bad} of {showers.n_showers} rows are bad, the first is "
            f"{summary.first_bad}; remove them or repair the file"
        )
    console.print(f"rows: all {showers.n_showers} good")


def new_table(title: str, *headings: str) -> Table:
    """Return a table with a title and right-aligned columns."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(Text(heading), justify="right")
    return table


def _facts(showers: ShowerFile) -> Table:
    from rich.table import Table
    from rich.text import Text

    from fastcaloq_infer.files import sha256_file

    eta = "not stated (training needs it)" if showers.eta is None else f"{showers.eta:g}"
    binning = showers.binning
    facts = {
        "file": str(showers.path),
        "format": showers.dialect,
        "particle": f"{showers.particle.name} (PDG {showers.particle.pdg_id})",
        "showers": f"{showers.n_showers:,}",
        "eta": "one per shower" if showers.has_eta and showers.eta is None else eta,
        "binning": "not known, or no grid of rings and sectors"
        if binning is None
        else f"{binning.name}: {binning.n_layers} layers, {binning.n_voxels:,} voxels",
        **showers.attributes,
        "sha256": sha256_file(showers.path),
    }
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(overflow="fold")
    for key, value in facts.items():
        # Text, not markup: a file's remarks may hold brackets.
        table.add_row(Text(key, style="bold"), Text(value))
    return table


def _layers(showers: ShowerFile, summary: Summary) -> Table:
    table = new_table(
        "layers",
        *("layer", "r bins", "alpha bins", "r max [mm]", "voxels", "share", "empty"),
    )
    binned = {} if showers.binning is None else {x.id: x for x in showers.binning.layers}
    groups = summary.groups
    total = sum(group.showers for group in groups)
    for k, number in enumerate(showers.layer_ids):
        cells = ["-"] * 4
        if number in binned:
            layer = binned[number]
            cells = [str(layer.n_r), str(layer.n_alpha), f"{layer.r_edges[-1]:g}"]
            cells.append(str(layer.n_voxels))
        if groups:
            share = sum(g.share[k] * g.showers for g in groups) / total
            empty = sum(g.zero_fraction[k] * g.showers for g in groups) / total
            cells += [f"{share:.1%}", f"{empty:.1%}"]
        table.add_row(str(number), *cells)
    return table


def _label(low: float, high: float) -> str:
    digits = ",.0f" if low >= 1000 else ",g"
    return f"{low:{digits}}" if low == high else f"{low:{digits}} to {high:,.0f}"


def _energies(summary: Summary) -> Table:
    table = new_table(
        "showers by incident energy",
        *("E_inc [MeV]", "showers", "mean E_tot/E_inc", "spread", "occupied voxels"),
    )
    for group in summary.groups:
        table.add_row(
            _label(group.low, group.high),
            f"{group.showers:,}",
            f"{group.response:.3f}",
            f"{group.resolution:.1%}",
            "-" if isnan(group.occupancy) else f"{group.occupancy:.1%}",
        )
    return table


def _empty(showers: ShowerFile, summary: Summary) -> Table:
    """Build one column per layer, or per energy where there are more layers than fit."""
    groups = summary.groups
    if len(showers.layer_ids) <= _MANY_LAYERS:
        headings = [f"layer {number}" for number in showers.layer_ids]
        table = new_table("empty layers by incident energy", "E_inc [MeV]", *headings)
        for group in groups:
            cells = [f"{zero:.1%}" for zero in group.zero_fraction]
            table.add_row(_label(group.low, group.high), *cells)
        return table
    some = [groups[i] for i in sorted({0, len(groups) // 2, len(groups) - 1})] if groups else []
    headings = [f"{_label(group.low, group.high)} MeV" for group in some]
    table = new_table("empty layers at some incident energies", "layer", *headings)
    for k, number in enumerate(showers.layer_ids):
        table.add_row(str(number), *[f"{group.zero_fraction[k]:.1%}" for group in some])
    return table
