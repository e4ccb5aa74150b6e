"""Training by maximum likelihood, checkpoints, and loading what was trained.

>>> from fastcaloq_infer.training import TrainConfig, load_flow, train
>>> config = TrainConfig.load("models/configs/demo_energy.yaml")  # doctest: +SKIP
>>> model = train(config, "runs/demo")  # doctest: +SKIP
>>> flow, metadata = load_flow("runs/demo")  # doctest: +SKIP

Names are imported when first asked for: loading a flow does not need what training needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastcaloq_infer.lazy import lazy

if TYPE_CHECKING:
    from fastcaloq_infer.training.checkpoint import load_flow, save_model
    from fastcaloq_infer.training.config import TrainConfig
    from fastcaloq_infer.training.divergence import TrainingError
    from fastcaloq_infer.training.history import History, Record
    from fastcaloq_infer.training.metadata import ModelMetadata
    from fastcaloq_infer.training.run import TrainedModel, train
    from fastcaloq_infer.training.trainer import Trainer

_HOME = {
    "History": "history",
    "ModelMetadata": "metadata",
    "Record": "history",
    "TrainConfig": "config",
    "TrainedModel": "run",
    "Trainer": "trainer",
    "TrainingError": "divergence",
    "load_flow": "checkpoint",
    "save_model": "checkpoint",
    "train": "run",
}

__all__ = [
    "History",
    "ModelMetadata",
    "Record",
    "TrainConfig",
    "TrainedModel",
    "Trainer",
    "TrainingError",
    "load_flow",
    "save_model",
    "train",
]

__getattr__ = lazy(__name__, _HOME)
