"""Invertible transformations and the flows built from them."""

from __future__ import annotations

from fastcaloq_infer.flow.condition import Validity
from fastcaloq_infer.flow.config import FlowConfig
from fastcaloq_infer.flow.energy_flow import EnergyFlow
from fastcaloq_infer.flow.energy_model import EnergyModel

__all__ = ["EnergyFlow", "EnergyModel", "FlowConfig", "Validity"]
