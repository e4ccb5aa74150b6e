"""The energy flow's sampling direction as one ONNX graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastcaloq_infer.export.blocks import inverse_block
from fastcaloq_infer.export.decode import decode
from fastcaloq_infer.export.features import TABLE, condition_nodes, feature_nodes
from fastcaloq_infer.export.graph import Graph

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from onnx import ModelProto

    from fastcaloq_infer.artefact.architecture import CardConditioning, CardFlow
    from fastcaloq_infer.artefact.sections import CardPreprocessing, Condition


def energy_nodes(
    g: Graph,
    condition: Condition,
    preprocessing: CardPreprocessing,
    flow: CardFlow,
    conditioning: CardConditioning,
    inputs: tuple[str, str, str],
    quantum: str | None = None,
) -> str:
    """Append the nodes from (incident energy [N, 1], eta [N, 1], z [N, L]) to energies [N, L].

    ``quantum`` [N, Q] are the features where they are an input; else the graph computes them.
    """
    incident_energy, eta, x = inputs
    c0, c1 = condition_nodes(g, condition, incident_energy, eta)
    features = [quantum] if quantum else feature_nodes(g, conditioning, condition, c0, c1)
    context = g.concat(c0, c1, *features)
    for index in reversed(range(len(flow.blocks))):
        x = inverse_block(g, flow, index, x, context)
    return decode(g, preprocessing, condition, x, incident_energy, c0)


def energy_graph(
    condition: Condition,
    preprocessing: CardPreprocessing,
    flow: CardFlow,
    conditioning: CardConditioning,
    initialisers: Mapping[str, np.ndarray],
) -> ModelProto:
    """Build the ONNX model of an energy flow.

    Inputs ``incident_energy`` [N, 1] MeV, ``eta`` [N, 1], ``z_energy`` [N, L] and, where the
    conditioning is served, ``quantum`` [N, Q]; output ``layer_energy`` [N, L] MeV; all float32, N
    dynamic. The sections are those of the card, the initialisers those of
    `fastcaloq_infer.export.weights`. A served model's fall-back table is in the file for engines
    to read and in no node.
    """
    g = Graph("fastcaloq.energy", initialisers)
    n_layers = len(preprocessing.coordinates)
    inputs = (g.input("incident_energy", 1), g.input("eta", 1), g.input("z_energy", n_layers))
    quantum = None
    if conditioning.mode == "served":
        quantum = g.input("quantum", conditioning.features)
        if conditioning.table is not None:
            g.parameter(TABLE)
    result = energy_nodes(g, condition, preprocessing, flow, conditioning, inputs, quantum)
    g.scope("output")
    g.output(result, "layer_energy", n_layers)
    return g.model()
