"""Incident energies at which there are enough held-out showers to measure a likelihood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.samples.groups import energy_groups

if TYPE_CHECKING:
    from fastcaloq_infer.evaluation.samples.groups import EnergyGroups
    from fastcaloq_infer.evaluation.samples.sample import Sample

MIN_SHOWERS = 200
"""Fewest showers at an incident energy; energies with fewer are left out, with a note."""


def measured_energies(sample: Sample, what: str, notes: list[str]) -> EnergyGroups:
    """Return the groups with enough showers; ``what`` names the likelihood in notes.

    Raises
    ------
    InputError
        There is none.
    """
    everything = energy_groups(sample)
    enough = everything.counts(sample) >= MIN_SHOWERS
    if not enough.any():
        raise InputError(
            f"no incident energy has {MIN_SHOWERS} held-out showers: the likelihood would not be "
            "known well enough to say anything; give more showers"
        )
    notes.extend(
        f"{what}: {energy:.6g} MeV is left out, fewer than {MIN_SHOWERS} showers"
        for energy in everything.centers[~enough]
    )
    return everything.keep(enough)
