"""Training by maximum likelihood, checkpoints, and loading what was trained.

>>> from fastcaloq_infer.training import TrainConfig, load_flow, train
>>> config = TrainConfig.load("models/configs/demo_energy.yaml")  # doctest: +SKIP
>>> model = train(config, "runs/demo")  # doctest: +SKIP
>>> flow, metadata = load_flow("runs/demo")  # doctest: +SKIP
"""

from __future__ import annotations

from fastcaloq_infer.training.checkpoint import load_flow, save_model
from fastcaloq_infer.training.config import TrainConfig
from fastcaloq_infer.training.divergence import TrainingError
from fastcaloq_infer.training.history import History, Record
from fastcaloq_infer.training.metadata import ModelMetadata
from fastcaloq_infer.training.run import TrainedModel, train
from fastcaloq_infer.training.trainer import Trainer

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
