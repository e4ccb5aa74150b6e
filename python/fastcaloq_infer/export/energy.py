"""The energy flow's sampling direction as ONNX nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastcaloq_infer.export.blocks import inverse_block
from fastcaloq_infer.export.decode import decode

if TYPE_CHECKING:
    from fastcaloq_infer.artefact import Card
    from fastcaloq_infer.export.graph import Graph


def energy_nodes(g: Graph, card: Card, incident_energy: str, z: str, context: str, c0: str) -> str:
    """Append the nodes from latents [N, L] to layer energies [N, L] MeV.

    ``incident_energy`` [N, 1] MeV, ``context`` [N, 2 + Q] what every block sees, ``c0`` [N, 1] the
    scaled logarithm of the energy.
    """
    x = z
    for index in reversed(range(len(card.flow.blocks))):
        x = inverse_block(g, card.flow, index, x, context)
    return decode(g, card.preprocessing, card.condition, x, incident_energy, c0)
