"""The verb ``fastcaloq sample``: draw showers from a model into a ROOT or HDF5 file."""

from __future__ import annotations

import shlex
import sys
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console
    from rich.progress import Task

    from fastcaloq_infer.output import Summary


class _OutOfRange(StrEnum):
    refuse = "refuse"
    clip = "clip"
    extrapolate = "extrapolate"


class _Engine(StrEnum):
    native = "native"
    onnxruntime = "onnxruntime"


class _Compression(StrEnum):
    zstd = "zstd"
    lz4 = "lz4"
    zlib = "zlib"
    none = "none"


def sample(
    model: Annotated[
        str, typer.Argument(help="Name of a shipped model (photon) or path of an .onnx file.")
    ],
    n: Annotated[int, typer.Option("-n", "--number", help="Number of showers.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="File to write: .root, .hdf5 or .h5.")
    ],
    energies: Annotated[
        str | None,
        typer.Option(
            help="Incident energies in MeV: 65536, or 1024,2048 (in turn), or 256:65536 "
            "(log-uniform), or from:FILE.hdf5 (those of a file). "
            "Default: the model's whole range, log-uniform."
        ),
    ] = None,
    eta: Annotated[
        str | None,
        typer.Option(
            help="Pseudorapidity: 0.2, or 0.1,0.2 (in turn), or 0.0:0.4 (uniform). "
            "Default: the model's range."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random numbers.")] = 0,
    first_event: Annotated[
        int, typer.Option(help="Number of the first event: how a production is split.")
    ] = 0,
    threads: Annotated[int, typer.Option(help="Threads to draw with; 0: all cores.")] = 0,
    engine: Annotated[_Engine, typer.Option(help="What evaluates the model.")] = _Engine.native,
    out_of_range: Annotated[
        _OutOfRange, typer.Option(help="Energies or eta outside of the range of validity.")
    ] = _OutOfRange.refuse,
    rntuple: Annotated[bool, typer.Option("--rntuple", help="RNTuple instead of TTree.")] = False,
    compression: Annotated[
        _Compression, typer.Option(help="Of the ROOT file; HDF5: gzip or none.")
    ] = _Compression.zstd,
    chunk: Annotated[
        int, typer.Option(help="Showers drawn and written at a time; 0: chosen by size.")
    ] = 0,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Draw N showers from a model into a ROOT or HDF5 file.

    The same model, seed and event numbers give the same showers, however the work is split.
    """
    from rich.console import Console

    from fastcaloq_infer.errors import InputError
    from fastcaloq_infer.output import parse_energies, parse_eta, produce
    from fastcaloq_infer.output.destination import check_destination, format_of
    from fastcaloq_infer.sampling import Sampler

    if chunk < 0:
        raise InputError(f"--chunk {chunk} is negative; give showers per chunk, or 0")
    if rntuple and format_of(output) != "root":
        raise InputError(f"--rntuple is a ROOT format, but {output} is not a .root file; drop one")
    check_destination(output, force=force)
    energy_law = parse_energies(energies) if energies is not None else None
    eta_law = parse_eta(eta) if eta is not None else None
    sampler = Sampler(model, engine=engine.value, threads=threads)
    with _bar(n) as advance:
        summary = produce(
            sampler,
            n,
            output,
            energies=energy_law,
            eta=eta_law,
            seed=seed,
            first_event=first_event,
            out_of_range=out_of_range.value,
            chunk=chunk or None,
            container="rntuple" if rntuple else "ttree",
            compression=compression.value,
            force=force,
            command=shlex.join(["fastcaloq", *sys.argv[1:]]),
            progress=advance,
        )
    _print_summary(Console(), summary)


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar with showers per second on stderr, where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(TextColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.0f} showers/s" if task.speed else "")

    console = Console(stderr=True)
    with Progress(
        TextColumn("drawing showers"),
        BarColumn(),
        TextColumn("{task.completed:,}/{task.total:,}"),
        Rate(""),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task("", total=total)
        yield lambda done: progress.update(task, completed=done)


def _print_summary(console: Console, summary: Summary) -> None:
    from rich.table import Table
    from rich.text import Text

    record = summary.provenance
    last = record.first_event + record.n_showers - 1
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column()
    for name, value in (
        ("file", f"{summary.path} ({summary.size / 1e6:.1f} MB)"),
        ("showers", f"{record.n_showers:,} (events {record.first_event} to {last})"),
        ("model", f"{record.model} ({record.model_sha256[:12]}), {record.engine} engine"),
        ("layers", ", ".join(map(str, record.layers))),
        ("incident energy", f"{record.energy_law} MeV"),
        ("eta", record.eta_law),
        ("seed", str(record.seed)),
        ("out of range", f"{record.n_out_of_range:,} ({record.out_of_range})"),
        (
            "time",
            f"{summary.total_seconds:.2f} s: drawing {summary.generation_seconds:.2f} s, "
            f"writing {summary.writing_seconds:.2f} s",
        ),
        ("rate", f"{summary.showers_per_second:,.0f} showers/s"),
    ):
        table.add_row(name, Text(value))
    console.print(table)
