"""The weights of a shape flow as arrays under the stable names of the model file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.export.weights import Initialisers, as_array, as_float32
from fastcaloq_infer.flow.shape.shape_flow import ShapeFlow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.artefact.sections import Condition
    from fastcaloq_infer.flow.shape.voxel_flow import VoxelFlow

PREFIX = "shape."


def exportable(flow: VoxelFlow) -> ShapeFlow:
    """Return the flow if it is of the kind that can be exported.

    Raises
    ------
    InputError
        It is not.
    """
    if not isinstance(flow, ShapeFlow):
        raise InputError(
            f"the shapes are of kind {flow.config.kind!r}, but only autoregressive shapes can be "
            "exported, because no other has a sampler; give the run of such a configuration"
        )
    return flow


def shape_initialisers(flow: ShapeFlow, condition: Condition) -> Initialisers:
    """Weights of the network; matrices are [in, out], to be multiplied from the right.

    Of the matrices between steps only the weights that are not masked exist, cut by steps.

    Parameters
    ----------
    flow
        The shape flow.
    condition
        How the model file scales (E_inc, eta). The flow's own scaling, if it is another, goes into
        the weights that meet it.

    Raises
    ------
    ModelError
        If a weight is not finite.
    """
    network, order, config = flow.network, flow.order, flow.config
    found: dict[str, NDArray[np.float64]] = {}
    layers = (network.condition1, network.condition2, network.condition3)
    for i, layer in enumerate(layers, start=1):
        weight, bias = as_array(layer.weight).T, as_array(layer.bias)
        found[f"shape.condition{i}.weight"], found[f"shape.condition{i}.bias"] = _rescaled(
            weight, bias, flow, condition
        )
    hidden1, hidden2, context = (
        as_array(layer.matrix()) for layer in (network.hidden1, network.hidden2, network.context)
    )
    units, size = config.units, config.context
    for group, which in enumerate(order.groups):
        prefix = f"shape.group{group}"
        own, seen = slice(group * units, (group + 1) * units), (group + 1) * units
        if order.n_known[group]:
            found[f"{prefix}.hidden1.weight"] = hidden1[own, : 2 * order.n_known[group]].T
        found[f"{prefix}.hidden2.weight"] = hidden2[own, :seen].T
        rows = slice(which.start * size, which.stop * size)
        found[f"{prefix}.context.weight"] = context[rows, :seen].T
        for name in ("head1", "head2"):
            weight = getattr(network, name)[which.start : which.stop]
            bias = getattr(network, f"{name}_bias")[which.start : which.stop, 0]
            found[f"{prefix}.{name}.weight"] = as_array(weight)
            found[f"{prefix}.{name}.bias"] = as_array(bias)
    return {name: as_float32(name, values) for name, values in found.items()}


def _rescaled(
    weight: NDArray[np.float64], bias: NDArray[np.float64], flow: ShapeFlow, condition: Condition
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Turn weights for the flow's own c_0, c_1 (the first two rows) into ones for the file's."""
    centre = np.array([condition.log_energy_center, condition.eta_center])
    half_width = np.array([condition.log_energy_half_width, condition.eta_half_width])
    own_centre, own_half_width = (
        as_array(flow.condition.centre),
        as_array(flow.condition.half_width),
    )
    shift = (centre - own_centre) / own_half_width
    scaled = weight.copy()
    scaled[:2] *= (half_width / own_half_width)[:, None]
    return scaled, bias + shift @ weight[:2]
