"""The flow whose coupling blocks ask circuits for their parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.flow.blocks import coupling_blocks
from fastcaloq_infer.flow.energy_flow import EnergyFlow
from fastcaloq_infer.flow.kinds.subnet.network import QuantumBlocks, QuantumSubnet
from fastcaloq_infer.memory import available_memory, gigabytes

if TYPE_CHECKING:
    from fastcaloq_infer.flow.condition import Validity
    from fastcaloq_infer.flow.config import FlowConfig
    from fastcaloq_infer.flow.kinds.subnet.config import SubnetConfig
    from fastcaloq_infer.flow.univariate import Univariate
    from fastcaloq_infer.preprocessing.energies import EnergyPreprocessing

__all__ = ["SubnetFlow", "build"]

_CONDITION = 2  # log energy and eta
_SHOWERS = 1024  # of a usual training step
_BYTES = 16


class SubnetFlow(EnergyFlow):
    """`EnergyFlow` with a `QuantumSubnet` in every block."""

    @property
    def subnets(self) -> list[QuantumSubnet]:
        """The network of every block, in forward order."""
        return [cast("QuantumSubnet", block.coupling.subnet) for block in self.coupling_blocks]

    @property
    def n_conditioner(self) -> int:
        """Numbers of all circuits: angles of the layers and weights of the inputs."""
        circuits = [parameter for net in self.subnets for parameter in net.circuits.parameters()]
        return sum(parameter.numel() for parameter in circuits)


def build(
    quantum: SubnetConfig,
    flow: FlowConfig,
    preprocessing: EnergyPreprocessing,
    validity: Validity,
) -> SubnetFlow:
    """Return a flow with random circuits, the identity up to preprocessing.

    Raises
    ------
    ConfigError
        The states of a training step do not fit in memory.
    """
    features = preprocessing.n_layers
    circuit = quantum.circuit(features // 2 + _CONDITION)

    def network(passive: int, active: int, univariate: Univariate) -> QuantumSubnet:
        groups = univariate.groups if quantum.networks == "separate" else (univariate.n_parameters,)
        outputs = [size * active for size in groups]
        net = QuantumSubnet(circuit, passive, outputs, quantum.coordinate_scale)
        net.circuits.requires_grad_(quantum.trainable)
        return net

    blocks = coupling_blocks(flow, features, _CONDITION, network)
    model = SubnetFlow(flow, QuantumBlocks(blocks.transforms), preprocessing, validity)  # type: ignore[arg-type]
    n_circuits = sum(net.circuits.count for net in model.subnets)
    # Per circuit, the state after every fused step is kept for the gradient.
    steps = 1 + sum(1 + 2 * len(circuit.upload_layers(u)) for u in range(circuit.n_uploads))
    needed = n_circuits * steps * _SHOWERS * circuit.dimension * _BYTES
    available = available_memory()
    if available is not None and needed > available:
        raise ConfigError(
            f"quantum: the states of {n_circuits} circuits of {circuit.n_qubits} qubits take "
            f"{gigabytes(needed)} in a training step of {_SHOWERS:,} showers, of which "
            f"{gigabytes(available)} are available; use fewer qubits, layers or blocks"
        )
    return model
