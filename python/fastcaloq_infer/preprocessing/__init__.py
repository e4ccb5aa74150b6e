"""Exact bijections between showers in MeV and the coordinates a flow sees."""

from __future__ import annotations

from fastcaloq_infer.preprocessing.config import PreprocessingConfig
from fastcaloq_infer.preprocessing.energies import EnergyPreprocessing

__all__ = ["EnergyPreprocessing", "PreprocessingConfig"]
