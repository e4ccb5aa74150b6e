"""What counts as reached: targets, traffic lights, and the table of figures."""

from fastcaloq_infer.evaluation.targets.auc import auc_target
from fastcaloq_infer.evaluation.targets.lights import (
    LAYER_SUM_TARGET,
    SEPARATION_RATIO_TARGET,
    SHARE_TARGET,
    Light,
    in_floors_light,
    share_light,
    traffic_light,
)
from fastcaloq_infer.evaluation.targets.line import TargetLine
from fastcaloq_infer.evaluation.targets.lines import classifier_line, target_lines

__all__ = [
    "LAYER_SUM_TARGET",
    "SEPARATION_RATIO_TARGET",
    "SHARE_TARGET",
    "Light",
    "TargetLine",
    "auc_target",
    "classifier_line",
    "in_floors_light",
    "share_light",
    "target_lines",
    "traffic_light",
]
