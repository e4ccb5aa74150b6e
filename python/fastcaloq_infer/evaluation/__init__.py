"""Figures that compare generated showers with Geant4, always beside Geant4 against itself.

``evaluate`` takes samples (``read_sample``: whole showers or layer energies),
``evaluate_layer_energies`` the same without voxels, ``evaluate_model`` a model and files; all
return an ``Evaluation`` (JSON and back), of which ``summary`` prints the table of targets.
"""

from fastcaloq_infer.evaluation.classifiers.classify import classify
from fastcaloq_infer.evaluation.evaluate import evaluate
from fastcaloq_infer.evaluation.features.high_level import Features, high_level_features
from fastcaloq_infer.evaluation.layer_energies import evaluate_layer_energies
from fastcaloq_infer.evaluation.metrics.histograms import separation_power
from fastcaloq_infer.evaluation.model import GeneratedShowers, evaluate_model
from fastcaloq_infer.evaluation.results import Evaluation
from fastcaloq_infer.evaluation.samples.reading import read_sample
from fastcaloq_infer.evaluation.samples.sample import Sample
from fastcaloq_infer.evaluation.summary import summary
from fastcaloq_infer.evaluation.targets import TargetLine, target_lines

__all__ = [
    "Evaluation",
    "Features",
    "GeneratedShowers",
    "Sample",
    "TargetLine",
    "classify",
    "evaluate",
    "evaluate_layer_energies",
    "evaluate_model",
    "high_level_features",
    "read_sample",
    "separation_power",
    "summary",
    "target_lines",
]
