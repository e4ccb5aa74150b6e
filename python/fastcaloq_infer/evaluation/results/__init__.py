"""The figures of an evaluation: pydantic trees, one file per family."""

from fastcaloq_infer.evaluation.results.base import Figure, InFloors, Matrix
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
    LayerShare,
    Moments,
    Occupancy,
    Response,
    Separation,
    ZeroFraction,
)
from fastcaloq_infer.evaluation.results.likelihood import Latent, Likelihood
from fastcaloq_infer.evaluation.results.shape_likelihood import ShapeLikelihood
from fastcaloq_infer.evaluation.results.shapes import LayerSum, Profile

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
    "InFloors",
    "Latent",
    "LayerShare",
    "LayerSum",
    "Likelihood",
    "Manifold",
    "Matrix",
    "Moments",
    "Names",
    "Occupancy",
    "OverSeeds",
    "Profile",
    "ReliabilityBin",
    "Response",
    "Scores",
    "Separation",
    "ShapeLikelihood",
    "Share",
    "Wasserstein",
    "ZeroFraction",
]
