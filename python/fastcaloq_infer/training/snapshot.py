"""What a model looks like inside at one moment: latents, features and states, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from zipfile import BadZipFile

import numpy as np
import torch

from fastcaloq_infer.conditioning import QuantumConditioner
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.files import atomic_path
from fastcaloq_infer.flow.energy_flow import EnergyFlow
from fastcaloq_infer.quantum.landscape import circuit_states

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from fastcaloq_infer.flow.energy_model import EnergyModel
    from fastcaloq_infer.training.data import ShowerTensors

__all__ = ["Snapshot", "conditions_of"]

_NOISE_SEED = 7  # the same places of the zeros at every step


@dataclass(frozen=True)
class Snapshot:
    """One moment of a training.

    Attributes
    ----------
    step
        Steps taken.
    latents
        (N, L) of the fixed showers, float32; no rows where the model has no latents.
    incident_energy
        (C,) MeV of the conditions, at the lowest |eta|.
    features
        (C, Q) of the conditioner, float32.
    states
        (C, 2**n) amplitudes of its circuit, complex64; no rows without a circuit.
    """

    step: int
    latents: NDArray[np.float32]
    incident_energy: NDArray[np.float64]
    features: NDArray[np.float32]
    states: NDArray[np.complex64]

    @classmethod
    @torch.no_grad()
    def take(cls, model: EnergyModel, step: int, showers: ShowerTensors, energy: Tensor) -> Self:
        """Look at ``model``: latents of ``showers``, the conditioner at energies (C,) in MeV."""
        eta = torch.full_like(energy, model.condition.validity.eta[0])
        c = model.condition(energy, eta).to(next(model.parameters()).dtype)
        conditioner = model.conditioner
        latents = torch.zeros(0, model.n_layers)
        if isinstance(model, EnergyFlow):
            noise = torch.Generator().manual_seed(_NOISE_SEED)
            columns = (showers.layer_energy, showers.incident_energy, showers.eta)
            energies, incident, etas = (column.to(c.dtype) for column in columns)
            latents = model.forward(energies, incident, etas, noise)[0]
        states = np.zeros((0, 1), dtype=np.complex64)
        if isinstance(conditioner, QuantumConditioner):
            states = circuit_states(conditioner.contracted, c).astype(np.complex64)
        return cls(
            step=step,
            latents=latents.float().numpy(),
            incident_energy=energy.double().numpy(),
            features=conditioner(c).float().numpy(),
            states=states,
        )

    @property
    def nbytes(self) -> int:
        """Size of the arrays."""
        arrays = (self.latents, self.incident_energy, self.features, self.states)
        return sum(array.nbytes for array in arrays)

    def save(self, path: Path) -> None:
        """Write an ``.npz`` file."""
        with atomic_path(path) as temporary, temporary.open("wb") as stream:
            np.savez(stream, **vars(self))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read one file.

        Raises
        ------
        InputError
            It is no snapshot.
        """
        try:
            with path.open("rb") as stream, np.load(stream) as file:
                step = int(file["step"])
                arrays = {name: file[name] for name in cls.__dataclass_fields__ if name != "step"}
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise InputError(
                f"{path} is damaged or no snapshot of a training: delete it and look again"
            ) from error
        return cls(step=step, **arrays)


def conditions_of(model: EnergyModel, number: int) -> Tensor:
    """Incident energies (number,) in MeV, equally spaced in the logarithm over the valid range."""
    low, high = model.condition.validity.incident_energy
    if low == high:
        return torch.tensor([low], dtype=torch.float64)
    ends = torch.tensor([low, high], dtype=torch.float64).log()
    return torch.linspace(float(ends[0]), float(ends[1]), number, dtype=torch.float64).exp()
