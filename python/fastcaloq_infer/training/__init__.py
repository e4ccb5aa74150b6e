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
    from fastcaloq_infer.training.checkpoint import load_flow, load_shape, save_model
    from fastcaloq_infer.training.config import ShapeTrainConfig, TrainConfig, load_config
    from fastcaloq_infer.training.divergence import TrainingError
    from fastcaloq_infer.training.history import History, Record
    from fastcaloq_infer.training.metadata import ModelMetadata, ShapeMetadata
    from fastcaloq_infer.training.run import TrainedModel, TrainedShape, train
    from fastcaloq_infer.training.trainer import Trainer

_HOME = {
    "History": "history",
    "ModelMetadata": "metadata",
    "Record": "history",
    "ShapeMetadata": "metadata",
    "ShapeTrainConfig": "config",
    "TrainConfig": "config",
    "TrainedModel": "run",
    "TrainedShape": "run",
    "Trainer": "trainer",
    "TrainingError": "divergence",
    "load_config": "config",
    "load_flow": "checkpoint",
    "load_shape": "checkpoint",
    "save_model": "checkpoint",
    "train": "run",
}

__all__ = [
    "History",
    "ModelMetadata",
    "Record",
    "ShapeMetadata",
    "ShapeTrainConfig",
    "TrainConfig",
    "TrainedModel",
    "TrainedShape",
    "Trainer",
    "TrainingError",
    "load_config",
    "load_flow",
    "load_shape",
    "save_model",
    "train",
]

__getattr__ = lazy(__name__, _HOME)
