"""The verb ``fastcaloq train``: fit a model to showers as a configuration says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    config: Annotated[
        Path | None,
        typer.Option(
            "-c",
            "--config",
            help="YAML file, or name of a shipped one; left out with --resume: that of the run.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Run folder.  [default: runs/NAME]"),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the run where its last checkpoint is.")
    ] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change a key of the configuration, such as optimiser.lr=1e-3; repeatable.",
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print the result only.")] = False,
) -> None:
    """Train a model of layer energies, or of voxels (model: shape), and leave a run folder.

    On several processes: torchrun --nproc-per-node 2 --no-python fastcaloq train -c CONFIG.yaml

    The folder holds config.yaml, checkpoint.pt, model.safetensors, history.json and
    learning_curve.png.
    """
    if config is None:
        if not (resume and output is not None):
            raise typer.BadParameter(
                "give a configuration, or --resume and the folder of the run (-o)",
                param_hint="'-c' / '--config'",
            )
        config = output / "config.yaml"

    from rich.console import Console

    from fastcaloq_infer.training import load_config
    from fastcaloq_infer.training import train as train_model
    from fastcaloq_infer.training.processes import is_first

    chosen = load_config(config, settings)
    folder = output if output is not None else Path("runs") / chosen.name
    log = None if quiet else Console(stderr=True)
    model = train_model(chosen, folder, resume=resume, console=log)
    training = model.metadata.training
    if training is not None and is_first():
        typer.echo(
            f"{chosen.name}: {training.validation_nll:.3f} nats per held-out shower after "
            f"{training.epochs} epochs, {training.seconds:.0f} s; run folder {folder}"
        )
