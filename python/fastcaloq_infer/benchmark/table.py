"""A benchmark report as tables on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from rich.console import Console


def print_report(console: Console, report: dict[str, Any]) -> None:
    """Print machine, throughput and figures beside their targets."""
    machine, model = report["machine"], report["model"]
    console.print(
        f"{machine['processor']}, {machine['cores']} cores, load {machine['load_average']:.1f}; "
        f"model {model['name']} ({model['sha256'][:12]}); {report['seconds']:.0f} s"
        + ("; quick: figures mean little" if report["quick"] else ""),
        highlight=False,
    )
    if report.get("throughput"):
        console.print(_throughput("thousand layer energies per second", report["throughput"]))
    if "showers" in report:
        console.print(
            _throughput("thousand whole showers per second", report["showers"]["throughput"])
        )
    console.print(_figures(report["figures"]))
    for name, reason in report["skipped"].items():
        console.print(f"not measured: {name} ({reason})", highlight=False, markup=False)


def _throughput(title: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(title=f"{title} (spread between quartiles)")
    table.add_column("batch:", no_wrap=True, min_width=20)
    settings = list(dict.fromkeys((row["threads"], row["batch"]) for row in rows))
    for threads, batch in settings:
        table.add_column(f"{batch:,}\n{threads} thr.", justify="right", no_wrap=True)
    for engine in dict.fromkeys(row["engine"] for row in rows):
        cells = {
            (row["threads"], row["batch"]): f"{_short(row['showers_per_second'] / 1e3)}"
            f" ({100 * row['spread']:.0f}%)"
            for row in rows
            if row["engine"] == engine
        }
        table.add_row(engine, *(cells.get(setting, "") for setting in settings))
    return table


def _figures(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="figures")
    for name, justify in (
        ("figure", "left"),
        ("value", "right"),
        ("target", "right"),
        ("", "left"),
    ):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    marks = {True: "[green]met[/green]", False: "[red]missed[/red]", None: ""}
    for row in rows:
        target = "" if row["target"] is None else f"{row['relation']} {row['target']:g}"
        table.add_row(
            row["name"], f"{_short(row['value'])} {row['unit']}", target, marks[row["met"]]
        )
    return table


def _short(value: float) -> str:
    """Write three significant digits without an exponent."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
