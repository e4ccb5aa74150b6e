"""One training from configuration to run folder, started or resumed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, overload

import torch

from fastcaloq_infer import __version__
from fastcaloq_infer.artefact.provenance import Training
from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.files import make_folder
from fastcaloq_infer.training.build import describe, initial_flow
from fastcaloq_infer.training.checkpoint import CHECKPOINT, MODEL, load_flow, load_shape
from fastcaloq_infer.training.config import ShapeTrainConfig, TrainConfig, TrainingConfig
from fastcaloq_infer.training.data import read_training_set
from fastcaloq_infer.training.divergence import TrainingError
from fastcaloq_infer.training.plots import plot_learning_curve
from fastcaloq_infer.training.processes import is_first
from fastcaloq_infer.training.progress import TrainingProgress
from fastcaloq_infer.training.recorder import recording
from fastcaloq_infer.training.resuming import (
    comparable,
    refuse_changes,
    refuse_other_showers,
    state_to_resume,
)
from fastcaloq_infer.training.schedule import learning_rates
from fastcaloq_infer.training.state import TrainingState, write_state
from fastcaloq_infer.training.threads import reproducible, torch_threads
from fastcaloq_infer.training.trainer import Trainer
from fastcaloq_infer.training.weights import weights_of, write_weights

if TYPE_CHECKING:
    from rich.console import Console

    from fastcaloq_infer.flow.energy_model import EnergyModel
    from fastcaloq_infer.flow.shape.voxel_flow import VoxelFlow
    from fastcaloq_infer.training.data import TrainingSet
    from fastcaloq_infer.training.history import History
    from fastcaloq_infer.training.metadata import ModelMetadata, ShapeMetadata

__all__ = [
    "CONFIG",
    "HISTORY",
    "LEARNING_CURVE",
    "RUN_FILES",
    "TrainedModel",
    "TrainedShape",
    "train",
]

CONFIG = "config.yaml"
HISTORY = "history.json"
LEARNING_CURVE = "learning_curve.png"
RUN_FILES = (CONFIG, CHECKPOINT, MODEL, HISTORY, LEARNING_CURVE)


@dataclass(frozen=True)
class TrainedModel:
    """Outcome of a training of layer energies.

    Attributes
    ----------
    folder
        Run folder with config.yaml, checkpoint.pt, model.safetensors, history.json and
        learning_curve.png.
    flow
        Averaged weights of the best look at the held-out showers, float64, evaluation mode.
    metadata
        What model.safetensors says about itself.
    history
        One record per look.
    """

    folder: Path
    flow: EnergyModel
    metadata: ModelMetadata
    history: History


@dataclass(frozen=True)
class TrainedShape:
    """Outcome of a training of voxels; the attributes are those of `TrainedModel`."""

    folder: Path
    flow: VoxelFlow
    metadata: ShapeMetadata
    history: History


@overload
def train(
    config: TrainConfig,
    folder: Path | str,
    *,
    resume: bool = False,
    console: Console | None = None,
    training_set: TrainingSet | None = None,
) -> TrainedModel: ...
@overload
def train(
    config: ShapeTrainConfig,
    folder: Path | str,
    *,
    resume: bool = False,
    console: Console | None = None,
    training_set: TrainingSet | None = None,
) -> TrainedShape: ...
def train(
    config: TrainConfig | ShapeTrainConfig,
    folder: Path | str,
    *,
    resume: bool = False,
    console: Console | None = None,
    training_set: TrainingSet | None = None,
) -> TrainedModel | TrainedShape:
    """Train a model as configured and leave a run folder.

    Started by ``torchrun``, all processes share every step and the first one writes the folder,
    which all of them must see; a run may be resumed by another number of processes.

    Parameters
    ----------
    config
        What to do, and whether to layer energies or to voxels.
    folder
        Run folder; made if missing.
    resume
        Continue the run in ``folder`` where its last checkpoint is; on the CPU, with the same
        number of threads, the result is that of the uninterrupted run bit for bit. Without a
        checkpoint the run starts.
    console
        Where to show progress; None for silence.
    training_set
        What to train on in place of what ``config.data`` names.

    Raises
    ------
    ConfigError
        The configuration contradicts the data, or the run that is to be resumed.
    InputError
        The showers cannot be read or are too few.
    ModelError
        The checkpoint to resume from is damaged.
    OutputError
        The folder holds a run already and is not resumed, or cannot be written.
    TrainingError
        The loss stays non-finite.
    """
    if training_set is not None and (selecting := config.data.selecting):
        raise ConfigError(
            f"'data.{selecting[0]}' is for showers that a training reads itself; leave it out here"
        )
    folder = Path(folder)
    state = state_to_resume(folder, resume=resume)
    if state is not None:
        refuse_changes(config, state, folder)
    if is_first():
        make_folder(folder, "run folder")
        config.save(folder / CONFIG)
    else:
        console = None
    threads = config.threads or (state.threads if state else None)
    with (
        torch_threads(threads),
        reproducible(config.device),
        TrainingProgress(console) as progress,
    ):
        showers = read_training_set(config) if training_set is None else training_set
        metadata = describe(config, showers)
        if state is not None:
            refuse_other_showers(showers, metadata, state)
        flow = initial_flow(config, metadata, showers)
        trainer = Trainer(config, flow, showers.train, showers.validation)
        if state is not None:
            trainer.load_state_dict(state.trainer)
            progress.say(f"resumed at step {trainer.step} of {trainer.total_steps}")
        if trainer.impossible:
            progress.say(
                f"{trainer.impossible} held-out showers have an empty layer that no training "
                "shower has; they are left out of the held-out likelihood"
            )

        def save(trainer: Trainer) -> None:
            if is_first():
                _save(folder, trainer, config, metadata, showers)

        with recording(config, folder, trainer, showers.validation, progress.say) as record:

            def on_step(trainer: Trainer) -> None:
                progress.on_step(trainer)
                record(trainer)

            trainer.run(on_step, progress.on_look, save)
        _finish(folder, trainer, config, metadata, showers)
    if isinstance(config, ShapeTrainConfig):
        return TrainedShape(folder, *load_shape(folder / MODEL), trainer.history)
    return TrainedModel(folder, *load_flow(folder / MODEL), trainer.history)


def _save(
    folder: Path,
    trainer: Trainer,
    config: TrainingConfig,
    metadata: ModelMetadata | ShapeMetadata,
    showers: TrainingSet,
) -> None:
    state = TrainingState(
        config=comparable(config),
        metadata=metadata.to_json(),
        data=[file.model_dump() for file in showers.files],
        threads=torch.get_num_threads(),
        trainer=trainer.state_dict(),
    )
    write_state(folder / CHECKPOINT, state)
    trainer.history.save(folder / HISTORY)


def _finish(
    folder: Path,
    trainer: Trainer,
    config: TrainingConfig,
    metadata: ModelMetadata | ShapeMetadata,
    showers: TrainingSet,
) -> None:
    best = trainer.history.best
    if best is None:
        raise TrainingError(
            "the held-out loss was never finite, so there is no model to keep; lower "
            "optimiser.lr, or look at the data with 'fastcaloq inspect'"
        )
    last = trainer.history.records[-1]
    training = Training(
        version=__version__,
        seed=config.seed,
        data=showers.files,
        steps=trainer.step,
        epochs=int(last.epoch),
        validation_nll=best.validation_nll,
        seconds=round(last.seconds, 1),
    )
    metadata = metadata.model_copy(update={"training": training})
    if is_first():
        write_weights(folder / MODEL, weights_of(trainer.best), metadata)
        rates = learning_rates(config, trainer.total_steps, last)
        plot_learning_curve(trainer.history, folder / LEARNING_CURVE, config.name, rates)
    trainer.fabric.barrier()
