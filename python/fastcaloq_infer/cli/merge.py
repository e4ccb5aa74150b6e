"""The verb ``fastcaloq merge``: one file from the parts of a production."""

from __future__ import annotations

import shlex
import sys
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import Annotated

import typer


class _Compression(StrEnum):
    zstd = "zstd"
    lz4 = "lz4"
    zlib = "zlib"
    none = "none"


class _Voxels(StrEnum):
    sparse = "sparse"
    dense = "dense"
    none = "none"


def merge(
    sources: Annotated[
        list[Path],
        typer.Argument(help="Folder of a production, or files of one by ranges of events."),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="File to write: .root, .hdf5 or .h5.")
    ],
    rntuple: Annotated[bool, typer.Option("--rntuple", help="RNTuple instead of TTree.")] = False,
    compression: Annotated[
        _Compression, typer.Option(help="Of the ROOT file; HDF5: gzip or none.")
    ] = _Compression.zstd,
    voxels: Annotated[
        _Voxels | None,
        typer.Option(
            help="How to store voxels; none: energies alone. "
            "Default: all there are, sparse in ROOT, dense in HDF5."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Write one file from the parts of a production, checked against the manifest."""
    from rich.console import Console

    from fastcaloq_infer.cli.display import showers_bar
    from fastcaloq_infer.farm import merge as merge_files

    with showers_bar(None, "merging showers") as advance:
        whole = merge_files(
            sources,
            output,
            container="rntuple" if rntuple else "ttree",
            compression=compression.value,
            voxels=voxels.value if voxels is not None else None,
            force=force,
            command=shlex.join(["fastcaloq", *sys.argv[1:]]),
            progress=advance,
        )
    last = whole.first_event + whole.n_showers - 1
    Console().print(
        f"{output}: {whole.n_showers:,} showers, events {whole.first_event} to {last}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
