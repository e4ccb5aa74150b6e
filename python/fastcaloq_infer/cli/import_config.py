"""``fastcaloq import-config``: a configuration of QC4HEP-BO/FastCaloQ becomes one of ours."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  typer reads the annotations at run time
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from fastcaloq_infer.ancestor.translate import Account


def import_config(
    file: Annotated[Path, typer.Argument(help="JSON file of QC4HEP-BO/FastCaloQ.")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="YAML file.  [default: FILE.yaml]")
    ] = None,
    showers: Annotated[
        str, typer.Option(help="Showers to learn from: 'packaged' or a file.")
    ] = "packaged",
    particle: Annotated[
        Literal["photon", "electron", "pion"], typer.Option(help="Particle of the showers.")
    ] = "photon",
    limit: Annotated[int | None, typer.Option(help="Learn from so many showers.", min=2)] = None,
    energy: Annotated[
        list[float] | None, typer.Option(help="Incident energies to learn from, MeV; repeatable.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Length of the training, if the file does not say.", min=1)
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the YAML file.")] = False,
) -> None:
    """Translate a prototype's configuration, and say key by key what became of it."""
    from rich.console import Console

    from fastcaloq_infer.ancestor.files import read_ancestor
    from fastcaloq_infer.ancestor.translate import translate
    from fastcaloq_infer.errors import OutputError
    from fastcaloq_infer.files import atomic_path

    target = output if output is not None else file.with_suffix(".yaml")
    if target.exists() and not overwrite:
        raise OutputError(f"{target} exists; name another file (-o) or give --overwrite")
    data: dict[str, Any] = {"train": showers, "binning": f"dataset-1-{particle}s"}
    if showers == "packaged":
        data["eta_slice"] = [0.2, 0.25]
    if energy:
        data["energies"] = energy
    if limit is not None:
        data |= {"limit": limit + limit // 4, "validation_fraction": 0.2}
    translation = translate(
        read_ancestor(file), name=file.stem, data=data, particle=particle, epochs=epochs
    )
    config = translation.checked()
    Console().print(_table(translation.accounts))
    with atomic_path(target) as temporary:
        temporary.write_text(_yaml(translation.settings, file, target), encoding="utf-8")
    typer.echo(f"{target}: {config.epochs} epochs; train with: fastcaloq train -c {target}")


def _yaml(settings: dict[str, Any], source: Path, target: Path) -> str:
    import yaml

    head = f"# {source.name} of QC4HEP-BO/FastCaloQ, as translated by fastcaloq import-config.\n"
    return f"{head}#   fastcaloq train -c {target}\n" + yaml.safe_dump(settings, sort_keys=False)


def _table(accounts: list[Account]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table("key", "value", "here", "why")
    for account in accounts:
        became = "[dim]no meaning[/dim]" if account.became is None else escape(account.became)
        table.add_row(account.key, escape(str(account.value)), became, account.why)
    return table
