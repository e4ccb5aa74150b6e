"""The measurement behind the conditioner's speed figures runs and compares like with like."""

from __future__ import annotations

import math

from fastcaloq_infer.benchmark.conditioner import conditioner_figures


def test_figures_are_ratios_of_medians() -> None:
    figures = conditioner_figures(batch=128, rounds=1)
    assert len(figures) == 3
    for case in figures.values():
        assert math.isclose(case["speedup"], case["reference_ms"] / case["contracted_ms"])
        # 14 to 40 times at batch 1024; the bar is low because other work disturbs the clock.
        assert case["speedup"] > 2
