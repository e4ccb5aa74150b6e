"""``python -m fastcaloq_infer.study.states``: measure, and write results and picture."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  typer reads it
from typing import Annotated

import typer

from fastcaloq_infer.cli.main import run_command


def states(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write to.")],
    max_qubits: Annotated[int, typer.Option(help="Largest register.", min=1)] = 16,
    showers: Annotated[int, typer.Option(help="Showers at once.", min=1)] = 16,
    repetitions: Annotated[int, typer.Option(help="Times every size is timed.", min=1)] = 7,
) -> None:
    """Measure what the exact inverse through whole states costs, register by register."""
    import json

    from rich.console import Console

    from fastcaloq_infer.files import atomic_path
    from fastcaloq_infer.study.states.cost import measure
    from fastcaloq_infer.study.states.picture import draw
    from fastcaloq_infer.study.states.tomography import estimate_infidelity

    console = Console(stderr=True)
    rows = []
    for row in measure(max_qubits, showers, repetitions):
        rows.append(row)
        console.print(
            f"{row['n_qubits']} qubits: {1e6 * row['seconds']:.0f} us a shower and direction, "
            f"round trip to {row['round_trip']:.1e}",
            highlight=False,
        )
    results = {
        "showers": showers,
        "repetitions": repetitions,
        "simulation": rows,
        "tomography": estimate_infidelity(min(max_qubits, 6)),
    }
    output.mkdir(parents=True, exist_ok=True)
    with atomic_path(output / "results.json") as temporary:
        temporary.write_text(json.dumps(results, indent=1) + "\n")
    draw(results, output / "cost.png")
    typer.echo(str(output / "cost.png"))


if __name__ == "__main__":
    run_command(lambda: typer.run(states))
