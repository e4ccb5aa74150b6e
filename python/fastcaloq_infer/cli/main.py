"""The commands ``fastcaloq`` and ``export-onnx``; every verb has a file of its own beside this."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from fastcaloq_infer.errors import FastCaloQError

if TYPE_CHECKING:
    from collections.abc import Callable

VERBS = (
    "inspect",
    "inspect-run",
    "fetch",
    "train",
    "export-onnx",
    "sample",
    "merge",
    "serve",
    "plot",
    "study",
    "evaluate",
    "report",
    "demo",
    "bench",
    "import-config",
)

app = typer.Typer(
    name="fastcaloq",
    no_args_is_help=True,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", is_eager=True)
    ] = False,
) -> None:
    """Train, freeze and run quantum-conditioned calorimeter showers."""
    if version:
        from fastcaloq_infer import __version__

        typer.echo(__version__)
        raise typer.Exit


def _verb(name: str) -> Callable[..., Any]:
    module = name.replace("-", "_")
    function: Callable[..., Any] = getattr(import_module(f"fastcaloq_infer.cli.{module}"), module)
    return function


def run_command(command: Callable[[], Any]) -> None:
    """Run a command; a user's mistake ends in one line on stderr and exit code 1."""
    try:
        command()
    except FastCaloQError as error:
        _fail(str(error))
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "fastcaloq_infer"):  # ours: a mistake in this program
            raise
        _fail(
            f"this command needs the package {package}, which an installation for drawing showers "
            "leaves out: pip install 'fastcaloq-infer[train,evaluate]'"
        )
    except OSError as error:  # a path that cannot even be looked at: too long, or a closed folder
        name = "a file" if error.filename is None else os.fsdecode(error.filename)
        _fail(f"cannot use {name}: {error.strerror or error}; check the path and its permissions")
    except MemoryError as error:
        _fail(f"this needs more memory than there is ({error}); ask for less at a time")
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted")
        sys.exit(130)


def _fail(text: str) -> NoReturn:
    # Names may hold brackets, as extras do.
    line = f"[red]error:[/red] {escape(text)}"
    Console(stderr=True).print(line, highlight=False, soft_wrap=True)
    sys.exit(1)


def _register() -> None:
    for name in VERBS:
        app.command(name)(_verb(name))


def main() -> None:
    """Entry point of ``fastcaloq``."""
    _register()
    run_command(app)


def export_onnx_main() -> None:
    """Entry point of ``export-onnx``, the same function as ``fastcaloq export-onnx``."""
    run_command(lambda: typer.run(_verb("export-onnx")))
