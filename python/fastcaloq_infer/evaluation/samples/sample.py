"""What the figures are computed on: showers with their conditions, checked and aligned."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from fastcaloq_infer.data.checks import bad_rows
from fastcaloq_infer.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.data import Binning


Level = Literal["layers", "voxels"]
"""What is known of a shower: the energy of every layer, or of every voxel."""


class LayerEnergyTable(Protocol):
    """Anything with incident and layer energies: a file's content or generated showers."""

    @property
    def incident_energy(self) -> NDArray[Any]:
        """Incident energies, shape (N,), MeV."""

    @property
    def layer_energy(self) -> NDArray[Any]:
        """Layer energies, shape (N, L), MeV."""


@dataclass(frozen=True)
class Sample:
    """Showers as the figures need them.

    Attributes
    ----------
    incident_energy
        Shape (N,), float64, MeV, positive.
    layer_energy
        Shape (N, L), float64, MeV, zero or positive.
    eta
        Shape (N,), float64, or None where unknown.
    voxel_energy
        Shape (N, V), float32, MeV, zero or positive, in the order of ``binning``; None where only
        layer energies are known.
    binning
        The voxels, or None.
    layer_ids
        Numbers of the L layers, or empty where nobody says.
    name
        What people call the sample: a file's or a model's name.
    simulation
        What made the showers, for legends.
    """

    incident_energy: NDArray[np.float64]
    layer_energy: NDArray[np.float64]
    eta: NDArray[np.float64] | None = None
    voxel_energy: NDArray[np.float32] | None = None
    binning: Binning | None = None
    layer_ids: tuple[int, ...] = ()
    name: str = ""
    simulation: str = "Geant4"

    @property
    def n_showers(self) -> int:
        """Number of showers N."""
        return len(self.incident_energy)

    @property
    def n_layers(self) -> int:
        """Number of layers L."""
        return int(self.layer_energy.shape[1])

    @property
    def total_energy(self) -> NDArray[np.float64]:
        """Sum over the layers, shape (N,), MeV."""
        total: NDArray[np.float64] = self.layer_energy.sum(axis=1)
        return total

    def take(self, rows: NDArray[Any]) -> Sample:
        """Return the chosen rows: indices (n,) or a mask (N,)."""
        eta, voxels = self.eta, self.voxel_energy
        return replace(
            self,
            incident_energy=self.incident_energy[rows],
            layer_energy=self.layer_energy[rows],
            eta=None if eta is None else eta[rows],
            voxel_energy=None if voxels is None else voxels[rows],
        )

    def without_voxels(self) -> Sample:
        """Return the same showers, known by their layer energies only."""
        return replace(self, voxel_energy=None, binning=None)

    def cut(self, threshold: float) -> Sample:
        """Set voxels below ``threshold`` (MeV) to zero and sum the layers again."""
        if self.voxel_energy is None or self.binning is None or threshold <= 0:
            return self
        voxels = np.where(self.voxel_energy < threshold, np.float32(0), self.voxel_energy)
        return replace(self, voxel_energy=voxels, layer_energy=self.binning.layer_energies(voxels))


def as_sample(
    table: LayerEnergyTable, role: str, *, threshold: float = 0.0, level: Level | None = None
) -> Sample:
    """Check a table, or a sample, and convert it to float64.

    Parameters
    ----------
    table
        Layer energies in MeV; ``role`` names it in error messages ("reference", "generated").
        Voxels, eta, binning and layer numbers are taken along where the table has them.
    threshold
        Layer energies at or below this value (MeV) count as empty and are set to zero.
    level
        ``layers`` leaves voxels aside.

    Raises
    ------
    InputError
        Wrong shapes, no showers, NaN, infinite or negative energies.
    """
    energy = np.asarray(table.incident_energy, dtype=np.float64).reshape(-1)
    layers = np.asarray(table.layer_energy, dtype=np.float64)
    if layers.ndim != 2 or len(layers) != len(energy) or layers.shape[1] == 0:
        raise InputError(
            f"the {role} sample has layer energies of shape {layers.shape} for {len(energy)} "
            "incident energies; expected (showers, layers) with one row per incident energy"
        )
    if len(energy) == 0:
        raise InputError(f"the {role} sample is empty: no figure can be computed; give showers")
    _refuse_rows(
        ~np.logical_and(np.isfinite(energy), energy > 0),
        f"the {role} sample has an incident energy that is not positive and finite",
    )
    _refuse_rows(
        ~np.all(np.isfinite(layers) & (layers >= 0), axis=1),
        f"the {role} sample has a layer energy that is negative, NaN or infinite",
    )
    eta = getattr(table, "eta", None)
    return Sample(
        energy,
        np.where(layers > threshold, layers, 0.0),
        eta=None if eta is None else np.broadcast_to(np.asarray(eta, np.float64), energy.shape),
        **({} if level == "layers" else _voxels(table, role, len(energy))),
        layer_ids=tuple(int(i) for i in getattr(table, "layer_ids", ()) or ()),
        name=str(getattr(table, "name", "")),
        simulation=str(getattr(table, "simulation", Sample.simulation)),
    )


def _voxels(table: LayerEnergyTable, role: str, n: int) -> dict[str, Any]:
    """Return voxels and binning of a table that has both, checked."""
    voxels, binning = getattr(table, "voxel_energy", None), getattr(table, "binning", None)
    if voxels is None or binning is None:
        return {}
    voxels = np.asarray(voxels, np.float32)
    if voxels.shape != (n, binning.n_voxels):
        raise InputError(
            f"the {role} sample has voxels of shape {voxels.shape} for {n} showers in binning "
            f"{binning.name!r} of {binning.n_voxels} voxels; give the binning they were made with"
        )
    _refuse_rows(
        bad_rows(np.ones(n), voxels),
        f"the {role} sample has a voxel energy that is negative, NaN or infinite",
    )
    return {"voxel_energy": voxels, "binning": binning}


def _refuse_rows(bad: NDArray[np.bool_], what: str) -> None:
    if bad.any():
        raise InputError(
            f"{what} (first in row {int(np.flatnonzero(bad)[0])}, {int(bad.sum())} rows in all): "
            "the figures would be meaningless; repair or drop these showers"
        )
