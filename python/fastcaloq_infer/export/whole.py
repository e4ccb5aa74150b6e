"""A model file's graph: from the particle and latents to layer energies and voxels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastcaloq_infer.export.energy import energy_nodes
from fastcaloq_infer.export.features import TABLE, condition_nodes, feature_nodes
from fastcaloq_infer.export.graph import Graph
from fastcaloq_infer.export.shape import seen_layers, shape_nodes
from fastcaloq_infer.export.shape_weights import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from onnx import ModelProto

    from fastcaloq_infer.artefact import Card
    from fastcaloq_infer.artefact.architecture import CardConditioning


def model_graph(card: Card, initialisers: Mapping[str, np.ndarray]) -> ModelProto:
    """Build the ONNX model that a card describes.

    Inputs ``incident_energy`` [N, 1] MeV, ``eta`` [N, 1], ``z_energy`` [N, L], for whole showers
    ``z_shape`` [N, V] and, where the conditioning is served, ``quantum`` [N, Q]; outputs
    ``layer_energy`` [N, L] and ``voxel_energy`` [N, V] MeV; all float32, N dynamic. The
    initialisers are those of `fastcaloq_infer.export.weights` and `.shape_weights`. A served
    model's fall-back table is in the file for engines to read and in no node.
    """
    g = Graph("fastcaloq.shower" if card.shape else "fastcaloq.energy", initialisers)
    particle = (g.input("incident_energy", 1), g.input("eta", 1))
    latents = [g.input("z_energy", card.n_layers)]
    if card.shape is not None:
        latents.append(g.input("z_shape", card.n_voxels))
    quantum = g.input("quantum", card.n_features) if card.served else ""
    found = shower_nodes(g, card, *particle, latents, quantum)
    g.scope("output")
    names = (("layer_energy", card.n_layers), ("voxel_energy", card.n_voxels))
    for value, (name, width) in zip(found, names, strict=False):
        g.output(value, name, width)
    return g.model()


def shower_nodes(
    g: Graph,
    card: Card,
    incident_energy: str,
    eta: str,
    latents: Sequence[str],
    quantum: str = "",
) -> list[str]:
    """Append all nodes of a model; returns layer energies [N, L] and, if any, voxels [N, V], MeV.

    ``incident_energy`` [N, 1] MeV, ``eta`` [N, 1], ``latents`` those of the energies [N, L] and of
    the shape [N, V]; ``quantum`` [N, Q] the features of both, where they are an input.
    """
    condition = condition_nodes(g, card.condition, incident_energy, eta)
    served = _served(g, card, quantum)
    features = _features(g, card, card.conditioning, condition, served, "")
    context = g.concat(*condition, *features)
    layers = energy_nodes(g, card, incident_energy, latents[0], context, condition[0])
    shape = card.shape
    if shape is None:
        return [layers]
    seen = seen_layers(g, shape, layers, incident_energy)
    features = _features(g, card, shape.conditioning, condition, served, PREFIX)
    g.scope("shape.condition")
    condition_ = g.concat(*condition, *seen, *features)
    return [layers, shape_nodes(g, shape, card.binning, layers, latents[1], condition_)]


def _served(g: Graph, card: Card, quantum: str) -> dict[str, str]:
    """Cut the features that are an input into those of the energies and of the shape."""
    if not quantum:
        return {}
    sizes = {"": card.conditioning.features}
    if card.shape is not None:
        sizes[PREFIX] = card.shape.conditioning.features
    sizes = {prefix: size for prefix, size in sizes.items() if size}
    g.scope("features")
    parts = g.split(quantum, list(sizes.values())) if len(sizes) > 1 else [quantum]
    return dict(zip(sizes, parts, strict=True))


def _features(
    g: Graph,
    card: Card,
    conditioning: CardConditioning,
    condition: tuple[str, str],
    served: Mapping[str, str],
    prefix: str,
) -> list[str]:
    if conditioning.mode != "served":
        return feature_nodes(g, conditioning, card.condition, *condition, prefix)
    if conditioning.table is not None:
        g.parameter(prefix + TABLE)
    return [served[prefix]]
