"""The model of layer energies that the section ``quantum`` of a configuration asks for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from fastcaloq_infer.conditioning import QuantumConfig, build_conditioner
from fastcaloq_infer.flow.blocks import coupling_blocks
from fastcaloq_infer.flow.energy_flow import EnergyFlow
from fastcaloq_infer.flow.kinds.config import KINDS

if TYPE_CHECKING:
    from fastcaloq_infer.flow.condition import Validity
    from fastcaloq_infer.flow.config import FlowConfig
    from fastcaloq_infer.flow.energy_model import EnergyModel
    from fastcaloq_infer.flow.kinds.config import EnergyQuantumConfig
    from fastcaloq_infer.preprocessing.energies import EnergyPreprocessing

__all__ = ["build_energy_model"]


def build_energy_model(
    quantum: EnergyQuantumConfig,
    flow: FlowConfig,
    preprocessing: EnergyPreprocessing,
    validity: Validity,
) -> EnergyModel:
    """Return a model with random weights in torch's default dtype.

    Parameters
    ----------
    quantum
        The kind and its settings.
    flow
        Coupling blocks and subnets, for the kinds that have them.
    preprocessing, validity
        As of :class:`~fastcaloq_infer.flow.energy_model.EnergyModel`.
    """
    if not isinstance(quantum, QuantumConfig):
        module = import_module(KINDS[quantum.kind])
        model: EnergyModel = module.build(quantum, flow, preprocessing, validity)
        return model
    conditioner = build_conditioner(quantum)
    blocks = coupling_blocks(flow, preprocessing.n_layers, 2 + conditioner.n_features)
    return EnergyFlow(flow, blocks, preprocessing, validity, conditioner)
