"""A whole frontier: train and judge what is not done yet, then write table and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fastcaloq_infer.files import atomic_path, make_folder
from fastcaloq_infer.study.frontier.models import Models
from fastcaloq_infer.study.frontier.plots import write_pictures
from fastcaloq_infer.study.frontier.results import FrontierResults
from fastcaloq_infer.study.frontier.table import markdown
from fastcaloq_infer.study.study import alone

if TYPE_CHECKING:
    from rich.console import Console

    from fastcaloq_infer.study.frontier.config import FrontierConfig
    from fastcaloq_infer.study.frontier.results import ModelRecord

__all__ = ["run_frontier"]

RESULTS, TABLE = "results.json", "table.md"
_MODELS = "models"


def run_frontier(
    config: FrontierConfig, folder: Path | str, *, console: Console | None = None
) -> FrontierResults:
    """Train and judge every variant that is not done, and write results, table and pictures.

    One after the other on one thread, as their times are compared. What a killed frontier left in
    ``folder`` is gone on with: a variant is done when its record is there, and only then.

    Raises
    ------
    ConfigError
        A configuration is refused, or the folder holds another frontier's models.
    InputError
        Showers cannot be read or are too few.
    OutputError
        The folder cannot be written, or another process is at work in it.
    TrainingError
        A loss stays non-finite.
    """
    folder = Path(folder)
    make_folder(folder / _MODELS, "folder of the frontier")
    with alone(folder):
        models = Models(config, folder / _MODELS, console)
        floor = models.floor()
        records: list[ModelRecord] = []
        for variant in config.variants:
            for seed in config.seeds:
                records.append(models.model(variant, seed))
                results = FrontierResults(
                    name=config.name,
                    sha256=models.digests,
                    configuration=config.model_dump(mode="json", exclude={"train", "held_out"}),
                    floor=floor,
                    models=tuple(records),
                )
                _write(results, folder)  # after every model, so that one can look meanwhile
        write_pictures(results, folder)
    return results


def _write(results: FrontierResults, folder: Path) -> None:
    for name, text in ((RESULTS, results.to_json()), (TABLE, markdown(results))):
        with atomic_path(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
