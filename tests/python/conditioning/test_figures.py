"""The measurement behind the conditioner's speed figures runs and compares like with like."""

from __future__ import annotations

import math

from fastcaloq_infer.benchmark.conditioner import conditioner_figures


def test_figures_are_ratios_of_medians() -> None:
    figures = conditioner_figures(batch=128, rounds=1)
    assert len(figures) == 3
    for case in figures.values():
        assert math.isclose(case["speedup"], case["reference_ms"] / case["contracted_ms"])
        # 20 times and more at batch 1024; a quarter of that would be a regression anywhere.
        assert case["speedup"] > 4
