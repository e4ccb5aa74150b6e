"""The figures of an evaluation: pydantic trees, one file per family."""

from fastcaloq_infer.evaluation.results.base import Figure, Matrix
from fastcaloq_infer.evaluation.results.classifier import (
    Calibration,
    Classifier,
    OverSeeds,
    ReliabilityBin,
    Scores,
)
from fastcaloq_infer.evaluation.results.distances import Distance, Manifold, Share
from fastcaloq_infer.evaluation.results.evaluation import Evaluation, Names
from fastcaloq_infer.evaluation.results.features import ChiSquare, FeatureSeparation, Wasserstein
from fastcaloq_infer.evaluation.results.layers import (
    Correlation,
    Extreme,
    Moments,
    Response,
    Separation,
    ZeroFraction,
)
from fastcaloq_infer.evaluation.results.likelihood import Latent, Likelihood

__all__ = [
    "Calibration",
    "ChiSquare",
    "Classifier",
    "Correlation",
    "Distance",
    "Evaluation",
    "Extreme",
    "FeatureSeparation",
    "Figure",
    "Latent",
    "Likelihood",
    "Manifold",
    "Matrix",
    "Moments",
    "Names",
    "OverSeeds",
    "ReliabilityBin",
    "Response",
    "Scores",
    "Separation",
    "Share",
    "Wasserstein",
    "ZeroFraction",
]
