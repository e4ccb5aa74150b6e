"""Card sections from a trained flow and the metadata of its checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from fastcaloq_infer.artefact.architecture import (
    AffineBlock,
    CardCircuit,
    CardConditioning,
    CardFlow,
    CardSubnet,
    SplineBlock,
)
from fastcaloq_infer.artefact.sections import Condition, Ranges
from fastcaloq_infer.artefact.shape import CardShape, ShapeParity
from fastcaloq_infer.conditioning import ClassicalConditioner
from fastcaloq_infer.conditioning.version import conditioner_version
from fastcaloq_infer.flow.kinds.subnet.network import QuantumSubnet

if TYPE_CHECKING:
    from fastcaloq_infer.artefact.architecture import Table
    from fastcaloq_infer.artefact.provenance import Training
    from fastcaloq_infer.flow import EnergyFlow, EnergyModel
    from fastcaloq_infer.flow.shape.shape_flow import ShapeFlow
    from fastcaloq_infer.training.metadata import FlowMetadata

ConditioningMode = Literal["precomputed", "embedded", "served"]
_REACH = 2.0  # the range of extrapolation is this much wider in energy, at either end


def extrapolation(validity: Ranges) -> Ranges:
    """Return where the model may be asked on request: half the lowest to twice the highest energy.

    Nothing is learnt about other eta, so the range of eta stays.
    """
    low, high = validity.incident_energy
    return Ranges(incident_energy=(low / _REACH, high * _REACH), eta=validity.eta)


def condition_section(flow: EnergyModel | ShapeFlow) -> Condition:
    """Return centre and half width of the condition."""
    centre = flow.condition.centre.double().tolist()
    half_width = flow.condition.half_width.double().tolist()
    return Condition(
        log_energy_center=centre[0],
        log_energy_half_width=half_width[0],
        eta_center=centre[1],
        eta_half_width=half_width[1],
    )


def flow_section(flow: EnergyFlow) -> CardFlow:
    """Describe the blocks, in data-to-latent order, and their subnets."""
    config = flow.config
    blocks: list[SplineBlock | AffineBlock] = []
    for block in flow.coupling_blocks:
        passive, active = block.coupling.passive, block.coupling.active
        if config.transform == "affine":
            blocks.append(
                AffineBlock(passive=passive, active=active, log_scale_bound=config.log_scale_bound)
            )
        else:
            blocks.append(
                SplineBlock(
                    passive=passive,
                    active=active,
                    bins=config.bins,
                    tail_bound=config.tail_bound,
                    min_bin_width=config.min_bin_width,
                    min_bin_height=config.min_bin_height,
                    min_derivative=config.min_derivative,
                )
            )
    subnet = _subnet_section(flow)
    return CardFlow(
        blocks=tuple(blocks),
        hidden=tuple(config.hidden) if subnet is None else (),
        activation=config.activation,
        subnet=subnet,
    )


def _subnet_section(flow: EnergyFlow) -> CardSubnet | None:
    """Describe subnets that are circuits, the same in all blocks."""
    subnet = flow.coupling_blocks[0].coupling.subnet
    if not isinstance(subnet, QuantumSubnet):
        return None
    return CardSubnet(
        circuit=CardCircuit(**subnet.circuits.circuit.card()),
        networks=subnet.circuits.count,
        coordinate_scale=subnet.coordinate_scale,
    )


def shape_section(
    flow: ShapeFlow, conditioning: CardConditioning, training: Training, parity: ShapeParity
) -> CardShape:
    """Describe a shape flow."""
    return CardShape(
        **flow.config.model_dump(exclude={"symmetry"}),
        conditioning=conditioning,
        training=training,
        parity=parity,
    )


def conditioning_section(
    flow: EnergyFlow | ShapeFlow,
    metadata: FlowMetadata,
    mode: ConditioningMode,
    table: Table | None,
) -> CardConditioning:
    """Describe the conditioner and how it is stored; kind ``none`` has no mode."""
    quantum, conditioner = metadata.conditioning, flow.conditioner
    return CardConditioning(
        kind=quantum.kind,
        mode="none" if quantum.kind == "none" else mode,
        features=conditioner.n_features,
        circuit=(CardCircuit(**quantum.circuit.card()) if quantum.kind == "conditioner" else None),
        hidden=(
            tuple(conditioner.hidden) if isinstance(conditioner, ClassicalConditioner) else None
        ),
        table=table,
        version=conditioner_version(conditioner, quantum),
    )
