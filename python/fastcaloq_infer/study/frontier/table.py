"""The figures of a frontier as a table to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastcaloq_infer.study.frontier.results import Auc, FrontierResults, ModelRecord

__all__ = ["markdown"]

_HEADER = (
    "| model | seed | MFLOP per shower | parameters | AUC, network | AUC, trees | occupancy | "
    "training, CPU s | steps | showers seen | sampling, µs | nats per shower |"
)


def markdown(results: FrontierResults) -> str:
    """Return one row per training, with what the columns mean."""
    floor = results.floor
    given = (
        "given the true layer energies, so that the shape alone is judged"
        if results.configuration.get("energies") is None
        else "with layer energies drawn by a flow of their own"
    )
    parts = [
        f"# {results.name}\n",
        f"Judged on {floor.n_showers:,} held-out showers, {given}.\n",
        _HEADER,
        "|---" * 12 + "|",
        f"| Geant4 against Geant4 | | | | {_auc(floor.network)} | {_auc(floor.trees)} | "
        f"{floor.occupancy:.4f} | | | | | |",
        *(_row(model) for model in results.models),
        "\nAUC: held-out against generated showers, after the challenge's cut of 1 MeV, mean over "
        "the classifiers ± its standard error; 0.5 is indistinguishable. occupancy: largest "
        "difference of the share of voxels with energy, over layers and incident energies. MFLOP: "
        "two per multiply-add of all matrix products. training: CPU time of one thread with the "
        "preparation of the showers and the looks at held-out ones. sampling: with torch, in "
        "batches of 1,024. nats: of held-out showers; coupling flows have a density of noisy "
        "voxels, which is another quantity and compares with nothing but itself.",
    ]
    features = _features(results)
    return "\n".join([*parts, *features]) + "\n"


def _auc(auc: Auc) -> str:
    return f"{auc.mean:.4f} ± {auc.error:.4f}"


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _row(model: ModelRecord) -> str:
    judged = model.judgement
    return (
        f"| {model.title} | {model.seed} | {model.flop / 1e6:.2f} | {model.n_parameters:,} | "
        f"{_auc(judged.network)} | {_auc(judged.trees)} | {judged.occupancy:.4f} | "
        f"{model.cpu_seconds:.0f} | {model.steps} | {_number(model.showers_seen)} | "
        f"{model.sample_microseconds:.0f} | {model.validation_nll:.1f} ({model.kind}) |"
    )


def _features(results: FrontierResults) -> list[str]:
    """One table per incident energy: mean and width of every feature, and their differences."""
    if not results.floor.features:
        return []
    lines = []
    for energy in sorted({figure.energy for figure in results.floor.features}):
        lines += [
            f"\n## Features at {energy:,.0f} MeV\n",
            "Mean and standard deviation of the held-out showers; for every model their relative "
            "difference in percent, with errors.\n",
            "| feature | held-out mean, width | Geant4 again | "
            + " | ".join(f"{model.title}, seed {model.seed}" for model in results.models)
            + " |",
            "|---" * (3 + len(results.models)) + "|",
        ]
        judged = [results.floor, *(model.judgement for model in results.models)]
        rows = [[f for f in one.features if f.energy == energy] for one in judged]
        for figures in zip(*rows, strict=True):
            first = figures[0]
            mean, _, width, _ = first.reference
            cells = [
                f"{_percent(f.generated[0:2], f.reference[0:2], mean)}, "
                f"{_percent(f.generated[2:4], f.reference[2:4], width)}"
                for f in figures
            ]
            unit = f" [{first.unit}]" if first.unit else ""
            lines.append(
                f"| {first.name}{unit} | {mean:.4g}, {width:.4g} | " + " | ".join(cells) + " |"
            )
    return lines


def _percent(value: tuple[float, ...], reference: tuple[float, ...], unit: float) -> str:
    """Return a difference in percent of ``unit``; of centres, which are about 0, as it is."""
    difference = value[0] - reference[0]
    error = (value[1] ** 2 + reference[1] ** 2) ** 0.5
    if abs(unit) <= 5 * error:  # relative to nothing
        return f"{difference:+.3g} ± {error:.1g} (absolute)"
    return f"{100 * difference / unit:+.1f} ± {100 * error / abs(unit):.1f}"
