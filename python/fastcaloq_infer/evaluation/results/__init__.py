"""The figures of an evaluation: pydantic trees, one file per family."""

from fastcaloq_infer.evaluation.results.base import Figure, Matrix
from fastcaloq_infer.evaluation.results.classifier import Auc, Classifier
from fastcaloq_infer.evaluation.results.evaluation import Evaluation
from fastcaloq_infer.evaluation.results.layers import (
    Correlation,
    Extreme,
    Moments,
    Response,
    Separation,
    ZeroFraction,
)

__all__ = [
    "Auc",
    "Classifier",
    "Correlation",
    "Evaluation",
    "Extreme",
    "Figure",
    "Matrix",
    "Moments",
    "Response",
    "Separation",
    "ZeroFraction",
]
