"""Figures that compare generated showers with Geant4, always beside Geant4 against itself.

``evaluate_layer_energies`` takes samples, ``evaluate_model`` a model and files; both return an
``Evaluation`` (JSON and back), of which ``summary`` prints the table of targets.
"""

from fastcaloq_infer.evaluation.classifier import classifier_aucs
from fastcaloq_infer.evaluation.histograms import separation_power
from fastcaloq_infer.evaluation.layer_energies import evaluate_layer_energies
from fastcaloq_infer.evaluation.model import GeneratedShowers, evaluate_model
from fastcaloq_infer.evaluation.results import Evaluation
from fastcaloq_infer.evaluation.targets import TargetLine, summary, target_lines

__all__ = [
    "Evaluation",
    "GeneratedShowers",
    "TargetLine",
    "classifier_aucs",
    "evaluate_layer_energies",
    "evaluate_model",
    "separation_power",
    "summary",
    "target_lines",
]
