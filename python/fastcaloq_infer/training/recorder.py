"""Saving snapshots while a training runs, without keeping it waiting."""

from __future__ import annotations

import copy
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fastcaloq_infer.files import make_folder
from fastcaloq_infer.training.processes import is_first
from fastcaloq_infer.training.seeds import Stream
from fastcaloq_infer.training.selecting import chosen_by_seed
from fastcaloq_infer.training.snapshot import Snapshot, conditions_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fastcaloq_infer.flow.energy_model import EnergyModel
    from fastcaloq_infer.training.config import TrainingConfig
    from fastcaloq_infer.training.data import ShowerTensors
    from fastcaloq_infer.training.sections import InspectionConfig
    from fastcaloq_infer.training.trainer import Trainer

__all__ = ["FOLDER", "Recorder", "planned_steps", "recording", "snapshot_paths"]

FOLDER = "inspection"
_MEGABYTE = 1e6


def snapshot_paths(run: Path) -> list[Path]:
    """Return the snapshots of a run folder in the order of their steps."""
    return sorted((run / FOLDER).glob("step_*.npz"))


def planned_steps(config: InspectionConfig, total: int, size: int) -> tuple[list[int], int]:
    """Return the steps to look at, and of how many wished ones they are one each.

    The listed steps and the last are kept; the others are thinned to what fits, all alike.

    Parameters
    ----------
    config
        What is wished.
    total
        Steps of the training.
    size
        Bytes of one snapshot.
    """
    fixed = {step for step in config.steps if step <= total} | {total}
    regular = range(config.every, total + 1, config.every) if config.every else range(0)
    room = max(int(config.max_megabytes * _MEGABYTE / max(size, 1)) - len(fixed), 1)
    thinning = -(-len(regular) // room) if len(regular) else 1
    return sorted(fixed | set(regular[thinning - 1 :: thinning])), thinning


class Recorder:
    """Takes snapshots of the averaged weights at planned steps; a thread writes them.

    The plan follows from the configuration alone, so a resumed run leaves the same files.

    Parameters
    ----------
    config
        What is wished.
    run
        Run folder.
    trainer
        The training.
    showers
        Held-out showers to choose from.
    say
        Called with a line where snapshots are thinned.
    """

    def __init__(
        self,
        config: InspectionConfig,
        run: Path,
        trainer: Trainer,
        showers: ShowerTensors,
        say: Callable[[str], None],
    ) -> None:
        number = min(config.showers, len(showers))
        seed = trainer.config.seed
        self._showers = showers[chosen_by_seed(showers, number, seed, Stream.INSPECTION)]
        self._energy = conditions_of(_averaged(trainer), config.conditions)
        size = self._take(trainer).nbytes
        steps, thinning = planned_steps(config, trainer.total_steps, size)
        self._steps = set(steps)
        if thinning > 1:
            say(
                f"inspection: {config.max_megabytes:g} MB hold one in {thinning} of the snapshots "
                "asked for"
            )
        self._folder = run / FOLDER
        make_folder(self._folder, "folder of the inspection")
        self._writer = ThreadPoolExecutor(max_workers=1)
        self._pending: list[Future[None]] = []

    def _take(self, trainer: Trainer) -> Snapshot:
        # A copy in float64: the preprocessing loses digits of fractions near 0 and 1 in float32.
        model = copy.deepcopy(_averaged(trainer)).double().cpu()
        return Snapshot.take(model, trainer.step, self._showers, self._energy)

    def on_step(self, trainer: Trainer) -> None:
        """Take a snapshot if this step is planned."""
        if trainer.step not in self._steps:
            return
        snapshot = self._take(trainer)
        path = self._folder / f"step_{trainer.step:08d}.npz"
        self._pending.append(self._writer.submit(snapshot.save, path))

    def close(self) -> None:
        """Wait for the files.

        Raises
        ------
        OutputError
            A snapshot could not be written.
        """
        self._writer.shutdown(wait=True)
        for pending in self._pending:
            pending.result()


@contextmanager
def recording(
    config: TrainingConfig,
    run: Path,
    trainer: Trainer,
    showers: ShowerTensors,
    say: Callable[[str], None],
) -> Iterator[Callable[[Trainer], None]]:
    """Yield what is to be called after every step: nothing, if nothing is wanted.

    Parameters
    ----------
    config
        Of the training; those of voxels have no section ``inspection``.
    run, trainer, showers, say
        As of `Recorder`.
    """
    wanted = getattr(config, "inspection", None)
    if wanted is None or not wanted.wanted or not is_first():
        yield lambda _: None
        return
    recorder = Recorder(wanted, run, trainer, showers, say)
    try:
        yield recorder.on_step
    finally:
        recorder.close()


def _averaged(trainer: Trainer) -> EnergyModel:
    model: EnergyModel = trainer.ema.model.flow  # type: ignore[assignment]  # one of energies
    return model
