"""The verb ``fastcaloq sample``: draw showers from a model into a ROOT or HDF5 file."""

from __future__ import annotations

import shlex
import sys
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import Annotated, Any, Literal

import typer


class _OutOfRange(StrEnum):
    refuse = "refuse"
    clip = "clip"
    extrapolate = "extrapolate"


class _Engine(StrEnum):
    native = "native"
    onnxruntime = "onnxruntime"


class _Conditioning(StrEnum):
    model = "model"
    served = "served"


class _Parts(StrEnum):
    root = "root"
    hdf5 = "hdf5"

    @property
    def suffix(self) -> Literal[".root", ".hdf5"]:
        return ".root" if self is _Parts.root else ".hdf5"


class _Compression(StrEnum):
    zstd = "zstd"
    lz4 = "lz4"
    zlib = "zlib"
    none = "none"


class _Voxels(StrEnum):
    sparse = "sparse"
    dense = "dense"
    none = "none"


def sample(
    model: Annotated[
        str, typer.Argument(help="Name of a shipped model (photon_energy) or path of an .onnx.")
    ],
    n: Annotated[int, typer.Option("-n", "--number", help="Number of showers.")],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", help="File: .root, .hdf5 or .h5; with workers: folder of the parts."
        ),
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
    conditioning: Annotated[
        _Conditioning,
        typer.Option(help="Features from the model file, or from the service at --url."),
    ] = _Conditioning.model,
    url: Annotated[
        str | None, typer.Option(help="Address of 'fastcaloq serve', such as http://host:8000.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="File with the token the service asks for.")
    ] = None,
    fallback: Annotated[
        bool,
        typer.Option("--fallback", help="Use the file's own features while the service is away."),
    ] = False,
    rntuple: Annotated[bool, typer.Option("--rntuple", help="RNTuple instead of TTree.")] = False,
    compression: Annotated[
        _Compression, typer.Option(help="Of the ROOT file; HDF5: gzip or none.")
    ] = _Compression.zstd,
    voxels: Annotated[
        _Voxels | None,
        typer.Option(
            help="How to store voxels; none: energies alone. "
            "Default: all the model has, sparse in ROOT, dense in HDF5."
        ),
    ] = None,
    chunk: Annotated[
        int, typer.Option(help="Showers drawn and written at a time; 0: chosen by size.")
    ] = 0,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
    workers: Annotated[
        int, typer.Option(help="Share the work among N processes here; 0: this one alone.")
    ] = 0,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler whose workers do the work.")
    ] = None,
    shard: Annotated[
        int, typer.Option(help="Showers per part of a production; 0: chosen by size.")
    ] = 0,
    parts: Annotated[_Parts, typer.Option(help="Format of the parts.")] = _Parts.root,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the production in the folder.")
    ] = False,
) -> None:
    """Draw N showers from a model into a ROOT or HDF5 file, or many by many processes.

    The same model, seed and event numbers give the same showers, however the work is split.
    With --workers or --scheduler the output is a folder of parts and a manifest, which
    'fastcaloq merge' turns into one file.
    """
    from rich.console import Console

    from fastcaloq_infer.cli.display import print_production, print_summary, showers_bar
    from fastcaloq_infer.cli.farm import FarmOptions, check_folder, check_options, produce_on_farm
    from fastcaloq_infer.errors import InputError
    from fastcaloq_infer.output import parse_energies, parse_eta, produce
    from fastcaloq_infer.output.destination import check_destination
    from fastcaloq_infer.sampling import Sampler
    from fastcaloq_infer.sampling.served import read_token

    if chunk < 0:
        raise InputError(f"--chunk {chunk} is negative; give showers per chunk, or 0")
    on_farm = workers != 0 or scheduler is not None
    check_options(
        on_farm,
        both=bool(workers and scheduler is not None),
        of_one={"--threads": threads, "--chunk": chunk, "--force": force},
        of_many={"--shard": shard, "--parts hdf5": parts is _Parts.hdf5, "--resume": resume},
    )
    farm = FarmOptions(workers or 1, scheduler, shard, parts.suffix, resume)
    if on_farm:
        check_folder(output, farm)
    else:
        check_destination(output, force=force)
    if rntuple and (farm.suffix if on_farm else output.suffix) != ".root":
        raise InputError("--rntuple is a ROOT format, but the output is HDF5; drop one of them")
    energy_law = parse_energies(energies) if energies is not None else None
    eta_law = parse_eta(eta) if eta is not None else None
    served = conditioning == _Conditioning.served
    if served and on_farm:
        raise InputError(
            "workers draw with the features inside the model file: leave out --conditioning "
            "served, or --workers and --scheduler"
        )
    sampler = Sampler(
        model,
        engine=engine.value,
        threads=threads,
        conditioning=conditioning.value,
        url=url,
        token=read_token(token_file),
        fallback=fallback,
    )
    laws_and_storage: dict[str, Any] = {
        "energies": energy_law,
        "eta": eta_law,
        "seed": seed,
        "first_event": first_event,
        "out_of_range": out_of_range.value,
        "container": "rntuple" if rntuple else "ttree",
        "compression": compression.value,
        "voxels": voxels.value if voxels is not None else None,
    }
    console = Console()
    with showers_bar(n) as advance:
        if on_farm:
            manifest = produce_on_farm(
                sampler,
                model,
                n,
                output,
                farm,
                progress=advance,
                engine=engine.value,
                **laws_and_storage,
            )
        else:
            summary = produce(
                sampler,
                n,
                output,
                chunk=chunk or None,
                force=force,
                command=shlex.join(["fastcaloq", *sys.argv[1:]]),
                progress=advance,
                **laws_and_storage,
            )
    if on_farm:
        print_production(console, output, manifest)
    else:
        print_summary(console, summary)
