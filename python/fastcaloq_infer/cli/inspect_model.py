"""What ``fastcaloq inspect`` prints of a model file: its card, layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console
    from rich.table import Table

    from fastcaloq_infer.artefact import Card
    from fastcaloq_infer.artefact.architecture import CardConditioning, CardFlow
    from fastcaloq_infer.artefact.provenance import Training


def is_model(file: Path) -> bool:
    """Whether a path means a model: an ``.onnx`` file, or the name of a shipped one."""
    from fastcaloq_infer.sampling.models import shipped

    return file.suffix == ".onnx" or (not file.is_file() and str(file) in shipped())


def print_model(console: Console, file: Path) -> None:
    """Load a model as the samplers do, every check included, and print what its card says.

    Raises
    ------
    ModelError
        No such model, or one that cannot be trusted.
    """
    from fastcaloq_infer.cli.display import facts_table
    from fastcaloq_infer.sampling import Sampler

    sampler = Sampler(str(file))
    card = sampler.card
    low, high = card.validity.incident_energy
    facts = [
        ("file", f"{sampler.path} ({sampler.path.stat().st_size / 1e6:.2f} MB)"),
        ("model", card.name),
        ("particle", f"{card.particle} (PDG {card.pdg_id})"),
        ("draws", _contents(card)),
        ("incident energy", f"{low:,g} to {high:,g} MeV"),
        ("abs(eta)", " to ".join(f"{value:g}" for value in card.validity.eta)),
        ("energies", f"{_flow(card.flow)}; {_conditioning(card.conditioning)}"),
        ("trained on", _training(card.training)),
    ]
    if card.shape is not None:
        shape = card.shape
        facts += [
            (
                "voxels",
                f"{shape.kind} flow, {shape.units} units a step, splines of {shape.bins} bins; "
                f"{_conditioning(shape.conditioning)}",
            ),
            ("trained on", _training(shape.training)),
        ]
    facts.append(("sha256", sampler.digest))
    console.print(facts_table(*facts), _layers(card))


def _contents(card: Card) -> str:
    if card.shape is None:
        return f"energies of {card.n_layers} layers"
    return f"whole showers: {card.n_voxels:,} voxels in {card.n_layers} layers"


def _flow(flow: CardFlow) -> str:
    kinds = ", ".join(dict.fromkeys(block.kind for block in flow.blocks))
    subnets = " x ".join(map(str, flow.hidden))
    if flow.subnet is not None:
        circuit = flow.subnet.circuit
        subnets = (
            f"of {flow.subnet.networks} circuits: {circuit.n_qubits} qubits, "
            f"{circuit.n_layers} layers"
        )
    return f"{len(flow.blocks)} {kinds} blocks, subnets {subnets}"


def _conditioning(section: CardConditioning) -> str:
    if section.kind == "none":
        return "no conditioner"
    kind: str = section.kind
    if section.circuit is not None:
        kind = f"circuit of {section.circuit.n_qubits} qubits, {section.circuit.n_layers} layers"
    return f"{kind}, {section.features} features, {section.mode}"


def _training(training: Training) -> str:
    showers = sum(data.showers for data in training.data)
    names = ", ".join(data.name for data in training.data)
    return (
        f"{showers:,} showers ({names}), {training.epochs} epochs, held-out "
        f"{training.validation_nll:.3f} nats"
    )


def _layers(card: Card) -> Table:
    from fastcaloq_infer.cli.inspect import new_table

    table = new_table("layers", "layer", "r bins", "alpha bins", "r max [mm]", "voxels")
    for layer in card.binning.layers:
        if not layer.r_edges:
            table.add_row(str(layer.id), "-", "-", "-", "0")
            continue
        cells = (layer.n_rings, layer.n_alpha, f"{layer.r_edges[-1]:g}", layer.n_voxels)
        table.add_row(str(layer.id), *map(str, cells))
    return table
