"""Invertible transformations and the flows built from them."""

from __future__ import annotations

from fastcaloq_infer.flow.condition import Validity
from fastcaloq_infer.flow.config import FlowConfig
from fastcaloq_infer.flow.energy_flow import EnergyFlow

__all__ = ["EnergyFlow", "FlowConfig", "Validity"]
