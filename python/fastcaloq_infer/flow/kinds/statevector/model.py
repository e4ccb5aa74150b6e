"""The model of kind ``statevector``: a flow whose blocks pass through whole states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.flow.energy_flow import EnergyFlow
from fastcaloq_infer.flow.kinds.statevector.blocks import StateBlock, StateCoupling
from fastcaloq_infer.flow.permutation import coupling_permutations
from fastcaloq_infer.flow.transform import Composition

if TYPE_CHECKING:
    from fastcaloq_infer.flow.condition import Validity
    from fastcaloq_infer.flow.config import FlowConfig
    from fastcaloq_infer.flow.kinds.statevector.config import StateVectorConfig
    from fastcaloq_infer.preprocessing.energies import EnergyPreprocessing

__all__ = ["build", "state_blocks"]


def build(
    quantum: StateVectorConfig,
    flow: FlowConfig,
    preprocessing: EnergyPreprocessing,
    validity: Validity,
) -> EnergyFlow:
    """Return the flow with random weights.

    Raises
    ------
    ConfigError
        The state has more amplitudes than there are coordinates to fill them.
    """
    blocks = state_blocks(quantum, flow, preprocessing.n_layers, 2)
    return EnergyFlow(flow, blocks, preprocessing, validity)


def state_blocks(
    quantum: StateVectorConfig, flow: FlowConfig, features: int, context: int
) -> Composition:
    """Return blocks over ``features`` coordinates that see ``context`` numbers besides.

    Raises
    ------
    ConfigError
        The state has more amplitudes than there are coordinates to fill them.
    """
    active = 2**quantum.n_qubits - 1
    if active > features:
        most = (features + 1).bit_length() - 1
        raise ConfigError(
            f"quantum.n_qubits = {quantum.n_qubits}: the amplitudes hold 2^{quantum.n_qubits} - 1 "
            f"= {active} coordinates, but there are only {features}, one per layer; use at most "
            f"{most} qubit{'s' * (most > 1)}"
        )
    hidden = flow.hidden if quantum.angles == "network" else ()
    permutations = coupling_permutations(
        features, features - active, flow.n_blocks, flow.permutation_seed
    )
    return Composition(
        StateBlock(permutation, StateCoupling(quantum, features, context, hidden, flow.activation))
        for permutation in permutations
    )
