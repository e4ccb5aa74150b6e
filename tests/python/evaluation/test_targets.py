"""Targets and traffic lights of single figures."""

from __future__ import annotations

import pytest

from fastcaloq_infer.evaluation.results.classifier import Classifier, OverSeeds, Scores
from fastcaloq_infer.evaluation.targets import classifier_line


def test_target_of_a_classifier_is_not_below_that_of_a_perfect_floor():
    def scores(mean):
        auc = OverSeeds(values=(mean,), mean=mean, spread=0.0, error=0.01)
        return Scores.model_construct(auc=auc)

    for floor, target in ((0.41, 0.53), (0.52, 0.55)):
        line = classifier_line(
            Classifier.model_construct(
                view="high", architecture="trees", generated=scores(0.525), floor=scores(floor)
            )
        )
        assert line.target == pytest.approx(target)
        assert line.light == "green"
