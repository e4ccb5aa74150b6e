"""The showers of a run: chosen by seed, size and region alone, so equal for all variants."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fastcaloq_infer import data
from fastcaloq_infer.data.selection import equal_in_spectrum
from fastcaloq_infer.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.data import LayerEnergies
    from fastcaloq_infer.study.matrix import Cell, Run

__all__ = ["RunShowers", "floor_showers", "judged", "run_showers", "take"]

#: A file states energies in float32; anything nearer than this is the same energy.
_SAME = 1e-4


class RunShowers(NamedTuple):
    """Showers to learn from, to decide when to stop, and to be judged on."""

    train: LayerEnergies
    validation: LayerEnergies
    held_out: LayerEnergies


def take(showers: LayerEnergies, rows: NDArray[np.bool_]) -> LayerEnergies:
    """Return the chosen rows: a mask (N,)."""
    return replace(
        showers,
        incident_energy=showers.incident_energy[rows],
        eta=showers.eta[rows],
        layer_energy=showers.layer_energy[rows],
    )


@lru_cache(maxsize=4)
def _read(path: str, binning: str, particle: str, eta: float | None) -> LayerEnergies:
    return data.read_layer_energies(path, data.binning(binning, particle=particle), eta=eta)


def _left_out(energy: NDArray[np.floating], cell: Cell) -> NDArray[np.bool_]:
    chosen = np.zeros(len(energy), dtype=np.bool_)
    for value in cell.leave_out:
        here = np.abs(energy / value - 1.0) < _SAME
        if not here.any():
            raise InputError(
                f"region {cell.region!r} leaves out {value:g} MeV, but no shower has this incident "
                "energy; name energies that are in the file"
            )
        chosen |= here
    return chosen


def _inside(energy: NDArray[np.floating], cell: Cell) -> NDArray[np.bool_]:
    if cell.range is None:
        return np.ones(len(energy), dtype=np.bool_)
    low, high = cell.range
    return (energy >= low * (1 - _SAME)) & (energy <= high * (1 + _SAME))


def judged(showers: LayerEnergies, cell: Cell) -> LayerEnergies:
    """Return the showers that a cell's models are judged on.

    Raises
    ------
    InputError
        None of the showers belongs to the region.
    """
    energy = showers.incident_energy
    rows = _left_out(energy, cell) if cell.leave_out else _inside(energy, cell)
    if not rows.any():
        raise InputError(
            f"region {cell.region!r} holds none of the held-out showers; widen its range"
        )
    return take(showers, rows)


def run_showers(run: Run) -> RunShowers:
    """Read and choose the showers of a run.

    Raises
    ------
    InputError
        A file cannot be read, or a region or size asks for more showers than there are.
    """
    cell = run.cell
    everything = _read(run.train, run.binning, run.particle, run.eta)
    energy = everything.incident_energy
    available = take(everything, _inside(energy, cell) & ~_left_out(energy, cell))
    wanted = len(available) if cell.showers is None else cell.showers
    if wanted > len(available):
        raise InputError(
            f"size {cell.size!r} asks for {wanted} showers, but region {cell.region!r} has "
            f"{len(available)}; ask for fewer"
        )
    # One stream per seed: small samples differ between seeds, and are the same for all variants.
    random = np.random.default_rng([run.seed, 1])
    sample = take(
        available,
        equal_in_spectrum(available.incident_energy, random.permutation(len(available)), wanted),
    )
    held_back = max(1, round(run.validation_fraction * wanted))
    if held_back >= wanted:
        raise InputError(
            f"size {cell.size!r}: {wanted} showers are too few to hold out a fraction of "
            f"{run.validation_fraction:g} of them; ask for more"
        )
    stop = equal_in_spectrum(sample.incident_energy, random.permutation(wanted), held_back)
    held_out = judged(_read(run.held_out, run.binning, run.particle, run.eta), cell)
    return RunShowers(take(sample, ~stop), take(sample, stop), held_out)


def floor_showers(run: Run) -> tuple[LayerEnergies, LayerEnergies]:
    """Return held-out showers of a run's cell and independent ones of the same simulation."""
    files = (run.held_out, run.train)
    first, second = (
        judged(_read(file, run.binning, run.particle, run.eta), run.cell) for file in files
    )
    return first, second
