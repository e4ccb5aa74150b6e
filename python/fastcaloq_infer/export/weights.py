"""The weights of an energy flow as arrays under the stable names of the model file."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from fastcaloq_infer.conditioning import MLPConstants, QuantumConfig
from fastcaloq_infer.errors import InputError, ModelError
from fastcaloq_infer.flow import EnergyFlow
from fastcaloq_infer.flow.kinds.subnet.config import SubnetConfig
from fastcaloq_infer.flow.kinds.subnet.network import QuantumSubnet

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from fastcaloq_infer.conditioning import Conditioner
    from fastcaloq_infer.flow import EnergyModel
    from fastcaloq_infer.flow.coupling import Subnet
    from fastcaloq_infer.quantum.constants import CircuitConstants
    from fastcaloq_infer.training.metadata import ModelMetadata

Initialisers = dict[str, np.ndarray]


def as_float32(name: str, values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the weights ``name`` in float32.

    Raises
    ------
    ModelError
        If one is not finite.
    """
    with np.errstate(over="ignore"):
        result = values.astype(np.float32)
    if not np.isfinite(result).all():
        raise ModelError(
            f"the weights {name} are not finite in float32: the training diverged, so the model "
            "is useless; train again with a smaller learning rate"
        )
    return result


def as_array(tensor: Tensor) -> NDArray[np.float64]:
    """Return a tensor, wherever it lives, as a float64 array."""
    return tensor.detach().cpu().double().numpy()


def exportable_energies(flow: EnergyModel, metadata: ModelMetadata) -> EnergyFlow:
    """Return the model of layer energies if it is of a kind that can be exported.

    Raises
    ------
    InputError
        It is not.
    """
    quantum = metadata.quantum
    if not isinstance(flow, EnergyFlow) or not isinstance(quantum, QuantumConfig | SubnetConfig):
        raise InputError(
            f"the layer energies are of kind {quantum.kind!r}, which can be studied in Python but "
            "not exported, because the sampler has no code for it; give a run of another "
            "'quantum.kind'"
        )
    return flow


def flow_initialisers(flow: EnergyFlow) -> Initialisers:
    """Weights of the coupling blocks; matrices are [in, out], to be multiplied from the right.

    Raises
    ------
    ModelError
        If a weight is not finite.
    """
    found: dict[str, NDArray[np.float64]] = {}
    permutations: Initialisers = {}
    for index, block in enumerate(flow.coupling_blocks):
        prefix = f"energy.block{index}"
        found[f"{prefix}.actnorm.scale"] = np.exp(as_array(block.actnorm.log_scale))
        found[f"{prefix}.actnorm.shift"] = as_array(block.actnorm.shift)
        permutations[f"{prefix}.permutation"] = (
            block.permutation.permutation.cpu().numpy().astype(np.int64)
        )
        subnet = block.coupling.subnet
        if isinstance(subnet, QuantumSubnet):
            layers = [subnet.joint_readout()]
            for g, constants in enumerate(subnet.circuits.constants()):
                found |= _circuit(constants, f"{prefix}.subnet.circuit{g}")
        else:
            layers = [(linear.weight.T, linear.bias) for linear in cast("Subnet", subnet).linears]
        for i, (weight, bias) in enumerate(layers):
            found[f"{prefix}.subnet.{i}.weight"] = as_array(weight)
            found[f"{prefix}.subnet.{i}.bias"] = as_array(bias)
    return {name: as_float32(name, values) for name, values in found.items()} | permutations


def embedded_initialisers(conditioner: Conditioner, prefix: str = "") -> Initialisers:
    """Weights of a conditioner that is evaluated in the graph; none for kind ``none``.

    Their names begin with ``prefix``.
    """
    constants = conditioner.export_constants()
    if constants is None:
        return {}
    found: dict[str, NDArray[np.float64]] = {}
    if isinstance(constants, MLPConstants):
        for i, (weight, bias) in enumerate(zip(constants.weights, constants.biases, strict=True)):
            found[f"conditioner.subnet.{i}.weight"] = weight
            found[f"conditioner.subnet.{i}.bias"] = bias
    else:
        found = _circuit(constants, "quantum")
    return {prefix + name: as_float32(name, values) for name, values in found.items()}


def _circuit(constants: CircuitConstants, name: str) -> dict[str, NDArray[np.float64]]:
    """Matrices of a circuit under names that begin with ``name``."""
    found = {f"{name}.initial_state": constants.initial_state, f"{name}.readout": constants.readout}
    for i, (phases, matrix) in enumerate(zip(constants.phases, constants.matrices, strict=True)):
        found[f"{name}.{i}.phases"] = phases
        found[f"{name}.{i}.matrix"] = matrix
    return found
