"""The figures of a run: of its snapshots, of the trained circuit, and of random ones like it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from fastcaloq_infer.conditioning import QuantumConditioner
from fastcaloq_infer.data import packaged_sample, read_layer_energies
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.inspection.figures import (
    Expressibility,
    GradientVariance,
    Inspection,
    Moment,
)
from fastcaloq_infer.quantum.diagnostics import (
    bloch_vectors,
    divergence_from_haar,
    fidelities,
    haar_entanglement,
    meyer_wallach,
    purities,
)
from fastcaloq_infer.quantum.landscape import gradient_variances, random_states
from fastcaloq_infer.training.checkpoint import load_flow
from fastcaloq_infer.training.data import ShowerTensors
from fastcaloq_infer.training.recorder import snapshot_paths
from fastcaloq_infer.training.snapshot import Snapshot, conditions_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.progress import Progress
    from fastcaloq_infer.flow.energy_model import EnergyModel
    from fastcaloq_infer.quantum.circuit import Circuit
    from fastcaloq_infer.training.metadata import ModelMetadata

__all__ = ["Look", "look"]

PAIRS = 1000
SAMPLES = 50
QUBITS = (2, 4, 6, 8, 10)
DEEP = 24
"""Layers that make circuits of up to ten qubits look random."""
_SHOWERS, _CONDITIONS = 2048, 65


class Look:
    """The figures of a run and the snapshots they come from, the trained model last."""

    def __init__(
        self, figures: Inspection, snapshots: list[Snapshot], fidelity: NDArray[np.float64]
    ) -> None:
        self.figures = figures
        self.snapshots = snapshots
        self.fidelity = fidelity


def look(run: Path | str, *, seed: int, progress: Progress) -> Look:
    """Compute everything.

    Parameters
    ----------
    run
        Run folder of a training of layer energies, finished or not, or a shipped model.
    seed
        Of the random circuits.
    progress
        Told what is going on.

    Raises
    ------
    InputError
        A snapshot is damaged, or there is nothing to look at: no snapshots, latents or circuit.
    ModelError
        No run, or one of voxels.
    """
    run = Path(run)
    model, metadata = load_flow(run)
    snapshots = [Snapshot.load(path) for path in snapshot_paths(run)]
    if not snapshots:
        snapshots = [_of_trained(model, metadata)]
    if not any(len(snapshot.latents) or len(snapshot.states) for snapshot in snapshots):
        raise InputError(
            f"{run} is of quantum.kind {metadata.quantum.kind!r}, which has neither latents nor a "
            "conditioner's circuit, and it left no snapshots: there is nothing to look at"
        )
    conditioner = model.conditioner
    circuit = conditioner.circuit.circuit if isinstance(conditioner, QuantumConditioner) else None
    random = torch.Generator().manual_seed(seed)
    expressibility, fidelity = _expressibility(circuit, random, progress)
    figures = Inspection(
        name=metadata.name,
        kind=metadata.quantum.kind,
        moments=tuple(_moment(snapshot) for snapshot in snapshots),
        haar_entanglement=None if circuit is None else haar_entanglement(circuit.n_qubits),
        expressibility=expressibility,
        gradient_variances=_gradients(circuit, random, progress),
    )
    return Look(figures, snapshots, fidelity)


def _of_trained(model: EnergyModel, metadata: ModelMetadata) -> Snapshot:
    """Look at the trained model with packaged held-out showers of its particle and range."""
    showers = torch.zeros(0, model.n_layers, dtype=torch.float64)
    columns = ShowerTensors(showers, showers[:, 0], showers[:, 0])
    if metadata.particle in ("photon", "pion"):
        sample = packaged_sample("heldout" if metadata.particle == "photon" else "heldout_pions")
        columns = ShowerTensors.from_energies(read_layer_energies(sample))
        low, high = model.condition.validity.incident_energy
        inside = (columns.incident_energy >= low) & (columns.incident_energy <= high)
        columns = columns[inside.nonzero()[:, 0]]
        columns = columns[torch.arange(0, len(columns), max(1, len(columns) // _SHOWERS))]
    steps = metadata.training.steps if metadata.training else 0
    return Snapshot.take(model, steps, columns, conditions_of(model, _CONDITIONS))


def _moment(snapshot: Snapshot) -> Moment:
    mean = deviation = distance = purity = entanglement = None
    if len(snapshot.latents):
        latents = np.sort(snapshot.latents.astype(np.float64), axis=0)
        mean, deviation = tuple(latents.mean(axis=0)), tuple(latents.std(axis=0))
        distance = tuple(np.abs(latents - _normal_quantiles(len(latents))[:, None]).mean(axis=0))
    if len(snapshot.states):
        bloch = bloch_vectors(snapshot.states)
        purity = tuple(purities(bloch).mean(axis=0))
        entanglement = float(meyer_wallach(bloch).mean())
    return Moment(
        step=snapshot.step,
        latent_mean=mean,
        latent_deviation=deviation,
        latent_distance=distance,
        purity=purity,
        entanglement=entanglement,
    )


def _normal_quantiles(number: int) -> NDArray[np.float64]:
    """Where sorted showers of a standard normal would lie."""
    places = (torch.arange(number, dtype=torch.float64) + 0.5) / number
    quantiles: NDArray[np.float64] = torch.special.ndtri(places).numpy()
    return quantiles


def _expressibility(
    circuit: Circuit | None, random: torch.Generator, progress: Progress
) -> tuple[Expressibility | None, NDArray[np.float64]]:
    if circuit is None:
        return None, np.zeros(0)
    progress("states at random angles", 0.0)
    states = random_states(circuit, 2 * PAIRS, random)
    fidelity = fidelities(states[::2], states[1::2])
    divergence, chance = divergence_from_haar(fidelity, circuit.n_qubits)
    progress("states at random angles", 1.0)
    return Expressibility(divergence=divergence, by_chance=chance, pairs=PAIRS), fidelity


def _gradients(
    circuit: Circuit | None, random: torch.Generator, progress: Progress
) -> tuple[GradientVariance, ...]:
    if circuit is None:
        return ()
    found = []
    for n_layers in dict.fromkeys((circuit.n_layers, DEEP)):
        layered = circuit.model_copy(update={"n_layers": n_layers})
        for n, variance, error in gradient_variances(layered, QUBITS, SAMPLES, random):
            found.append(
                GradientVariance(n_qubits=n, n_layers=n_layers, variance=variance, error=error)
            )
            progress(f"gradients of {n_layers} layers", (QUBITS.index(n) + 1) / len(QUBITS))
    return tuple(found)
