"""The verb ``fastcaloq bench``: speed against other engines and against the machine's limits."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer reads it at run time
from typing import Annotated

import typer


def bench(
    model: Annotated[
        str, typer.Argument(help="Name of a shipped model (photon_energy) or path of an .onnx.")
    ] = "photon_energy",
    output: Annotated[
        Path | None, typer.Option("--json", help="Write all measurements to this JSON file.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Few repetitions: does it work, not how fast is it.")
    ] = False,
    only: Annotated[
        str | None,
        typer.Option(
            help="Some of load,engines,showers,root,conditioner,training (default: all of these), "
            "subnet, farm and serving."
        ),
    ] = None,
) -> None:
    """Measure the native engine against ONNX Runtime, PyTorch and the GEMM floor.

    All ratios come from one run on this machine; let nothing else run beside it.
    """
    from rich.console import Console

    from fastcaloq_infer.benchmark.run import SECTIONS, run_benchmark
    from fastcaloq_infer.benchmark.table import print_report
    from fastcaloq_infer.files import atomic_path
    from fastcaloq_infer.output.destination import check_writable
    from fastcaloq_infer.sampling.models import find

    path = find(model)
    if output is not None:
        check_writable(output)
    sections = only.split(",") if only is not None else SECTIONS
    with Console(stderr=True).status("starting") as status:
        report = run_benchmark(path, quick=quick, sections=sections, progress=status.update)
    if output is not None:
        with atomic_path(output) as temporary:
            temporary.write_text(json.dumps(report, indent=1) + "\n")
    print_report(Console(), report)
