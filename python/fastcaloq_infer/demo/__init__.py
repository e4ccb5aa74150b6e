"""The whole chain in one call: train, export, sample in C++, write, evaluate, report."""

from __future__ import annotations

from fastcaloq_infer.demo.run import DemoResult, run_demo

__all__ = ["DemoResult", "run_demo"]
