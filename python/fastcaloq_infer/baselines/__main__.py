"""``python -m fastcaloq_infer.baselines``: train a WGAN on whole showers, write what it generates.

Not a verb of ``fastcaloq``: it is there to be compared with, not to be used.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from fastcaloq_infer.cli.main import run_command

if TYPE_CHECKING:
    from fastcaloq_infer.baselines.wgan.training import Look


def baselines(
    config: Annotated[str, typer.Argument(help="A configuration of a WGAN with output: voxels.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="HDF5 file to write.")],
    like: Annotated[
        Path | None,
        typer.Option(help="Showers whose incident energies and eta are used; default: packaged."),
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Replace a setting: key.sub=value.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of training and generation.", min=0)] = 1,
) -> None:
    """Train a WGAN-GP on whole showers and write generated ones in the CaloChallenge format."""
    from rich.console import Console

    from fastcaloq_infer import data
    from fastcaloq_infer.baselines.wgan.config import WganConfig
    from fastcaloq_infer.baselines.wgan.whole_showers import train_whole_showers, write_generated
    from fastcaloq_infer.errors import ConfigError
    from fastcaloq_infer.training.settings import read_settings

    path, raw = read_settings(config, settings or [])
    if raw.pop("model", None) != "wgan":
        raise ConfigError(f"{path}: 'model' is not wgan; give such as models/configs/wgan_showers")
    chosen = WganConfig.from_dict(raw, source=str(path), folder=path.parent)
    console = Console(stderr=True)

    def say(look: Look) -> None:
        console.print(
            f"step {look.step} of {chosen.steps}: chi2/ndf of E_tot {look.chi2:.2f}",
            highlight=False,
        )

    with TemporaryDirectory() as folder:
        fitted, binning = train_whole_showers(chosen, Path(folder), seed=seed, on_look=say)
    conditions = like if like is not None else data.packaged_sample("heldout")
    number = write_generated(output, fitted, binning, conditions, seed=seed, name=chosen.name)
    typer.echo(f"{output}: {number} generated showers of {binning.n_voxels} voxels")


if __name__ == "__main__":
    run_command(lambda: typer.run(baselines))
