"""Every training of a study of kind ``born``: what it loses, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.flow.kinds.born.model import BornModel
from fastcaloq_infer.sampling import Sampler
from fastcaloq_infer.study.born.nats import bin_showers, compare
from fastcaloq_infer.study.born.reversal import haar_nats, reverse
from fastcaloq_infer.study.flow_learner import FittedFlow
from fastcaloq_infer.study.samples import run_showers
from fastcaloq_infer.study.study import planned
from fastcaloq_infer.training.checkpoint import load_flow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from fastcaloq_infer.study.config import StudyConfig

__all__ = ["draw_samples", "measure"]

_SEED = 21


def measure(
    config: StudyConfig, folder: Path, reference: str, draws: int, starts: int
) -> Iterator[dict[str, Any]]:
    """Yield one record per training that is done.

    Parameters
    ----------
    config, folder
        The study, and where ``fastcaloq study`` did it.
    reference
        Name of the shipped flow, or folder with ``model.onnx`` and ``model.safetensors``.
    draws
        Showers to draw from it at each incident energy.
    starts
        Basis states to send forwards and backwards at each incident energy.

    Raises
    ------
    InputError
        A training is not done, or not of kind ``born``.
    """
    flow = FittedFlow(load_flow(reference)[0])
    sampler = Sampler(reference)
    drawn: dict[bytes, NDArray[np.float64]] = {}
    flow_log_prob = None
    for run, store, done in planned(config, folder):
        if not done:
            raise InputError(
                f"{store.fit_folder.parent}: this training of the study is not done; let "
                "'fastcaloq study' finish first"
            )
        model = load_flow(store.fit_folder)[0]
        if not isinstance(model, BornModel):
            raise InputError(f"{store.fit_folder} is not of kind 'born', which this study is about")
        showers = run_showers(run)
        held_out = showers.held_out
        columns = (
            held_out.layer_energy.astype(np.float64),
            held_out.incident_energy.astype(np.float64),
            held_out.eta.astype(np.float64),
        )
        if flow_log_prob is None:
            flow_log_prob = flow.log_prob(*columns)
        energies, eta = np.unique(columns[1]), float(columns[2][0])
        key = b"".join(
            part.numpy().tobytes()
            for part in (*model.bins.buffers(), *model.preprocessing.buffers())
        )
        if key not in drawn:
            drawn[key] = _drawn(sampler, model, energies, eta, draws)
        shares = compare(
            model,
            {"flow": flow_log_prob, "circuit": FittedFlow(model).log_prob(*columns)},
            drawn[key],
            showers.train,
            showers.validation,
            held_out,
        )
        condition = model.condition(
            torch.as_tensor(energies), torch.full((len(energies),), eta).double()
        )
        yield {
            "variant": run.variant,
            "seed": run.seed,
            "n_qubits": model.circuit.circuit.n_qubits,
            "n_parameters": FittedFlow(model).n_parameters,
            "likelihood": shares,
            "ln_dimension": float(np.log(model.n_bins)),
            "haar_kept": haar_nats(model.n_bins),
            "reversal": [
                {"incident_energy": float(energy), **reverse(model.circuit, c, starts, _SEED)}
                for energy, c in zip(energies, condition, strict=True)
            ],
        }


def draw_samples(
    config: StudyConfig, folder: Path, reference: str, draws: int, energies: tuple[float, ...]
) -> dict[str, dict[float, NDArray[np.float64]]]:
    """Draw layer energies (draws, L) in MeV from the flow and from the study's largest register.

    The showers of the simulation that no training has seen come first; incident energies in MeV.
    """
    done = planned(config, folder)
    models = [load_flow(store.fit_folder)[0] for _, store, _ in done]
    largest = max(models, key=lambda model: model.n_bins if isinstance(model, BornModel) else 0)
    held_out = run_showers(done[0][0]).held_out
    eta = float(held_out.eta[0])
    sampler = Sampler(reference)

    def by_flow(energy: float) -> NDArray[np.float64]:
        drawn = sampler.sample(energy, eta=eta, n=draws, seed=_SEED).layer_energy
        return np.asarray(drawn, dtype=np.float64)

    def by_circuit(energy: float) -> NDArray[np.float64]:
        incident = np.full(draws, energy)
        return FittedFlow(largest).sample(incident, np.full(draws, eta), seed=_SEED)

    def held(energy: float) -> NDArray[np.float64]:
        rows = held_out.incident_energy == energy
        return np.asarray(held_out.layer_energy[rows], dtype=np.float64)

    makers = {"Geant4": held, "flow": by_flow, "circuit, measured": by_circuit}
    return {name: {energy: make(energy) for energy in energies} for name, make in makers.items()}


def _drawn(
    sampler: Sampler, model: BornModel, energies: NDArray[np.float64], eta: float, draws: int
) -> NDArray[np.float64]:
    """Numbers of the flow's draws in the bins of a model, (E, D)."""
    counts = np.zeros((len(energies), model.n_bins))
    for place, energy in enumerate(energies):
        showers = sampler.sample(energy, eta=eta, n=draws, seed=_SEED, first_event=place * draws)
        incident = np.full(draws, energy)
        found = bin_showers(model, showers.layer_energy, incident, energies)
        found = found[np.isfinite(found.log_inside)]
        counts[place] = found.counts(len(energies), model.n_bins)[place]
    return counts
