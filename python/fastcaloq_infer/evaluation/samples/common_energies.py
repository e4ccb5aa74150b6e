"""Incident energies that the three samples have in common, and how often each has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.samples.spectrum import difference

if TYPE_CHECKING:
    from fastcaloq_infer.evaluation.samples.groups import EnergyGroups
    from fastcaloq_infer.evaluation.samples.sample import Sample

ROLES = ("reference", "generated", "floor")

MIN_SHOWERS = 20
"""Fewest showers per group of incident energy in every sample."""


def enough(groups: EnergyGroups, samples: dict[str, Sample], notes: list[str]) -> EnergyGroups:
    """Leave out groups in which a sample has too few showers; refuse if none remains."""
    counts = {role: groups.counts(samples[role]) for role in ROLES}
    filled = np.min(list(counts.values()), axis=0) >= MIN_SHOWERS
    reasons = []
    for g in np.flatnonzero(~filled):
        role = min(ROLES, key=lambda role: counts[role][g])
        reasons.append(
            f"the {role} sample has {int(counts[role][g])} showers at {groups.centers[g]:.6g} MeV"
        )
    if not filled.any():
        raise InputError(
            f"{reasons[0]}, fewer than the {MIN_SHOWERS} that a comparison needs, and no other "
            "incident energy has enough in all samples; give showers at the reference's energies"
        )
    if reasons:
        notes.append(
            f"{len(reasons)} of {len(groups)} incident energies are left out everywhere, since "
            f"fewer than {MIN_SHOWERS} showers are too few to compare: {'; '.join(reasons)}"
        )
    return groups.keep(filled)


def inside(samples: dict[str, Sample], groups: EnergyGroups, notes: list[str]) -> dict[str, Sample]:
    """Leave out showers at energies that are not compared."""
    result = {}
    for role, sample in samples.items():
        kept = groups.contains(sample)
        outside = int((~kept).sum())
        result[role] = sample.take(kept) if outside else sample
        if outside:
            notes.append(
                f"{outside} of {sample.n_showers} showers of the {role} sample are left out: their "
                "incident energies are not among those compared"
            )
    return result


def spectra(
    samples: dict[str, Sample], groups: EnergyGroups, notes: list[str], *, reweight: bool
) -> None:
    """Note where a spectrum differs from the reference's, and what is done about it."""
    for role in ROLES[1:]:
        text = difference(samples["reference"], samples[role], groups)
        if not text:
            continue
        if reweight:
            remedy = "showers were left out at random so that it follows the reference's"
        elif groups.discrete:
            remedy = "figures are computed at equal counts per energy and do not depend on it"
        else:
            remedy = (
                "within a group of energies this moves the figures; --reweight (reweight=True) "
                "makes the sample follow the reference's spectrum"
            )
        notes.append(
            f"the {role} sample has another incident-energy spectrum than the reference ({text}): "
            f"{remedy}"
        )
