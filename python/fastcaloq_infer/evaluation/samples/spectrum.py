"""Incident-energy spectra: whether two differ, and how to make one follow another.

Every figure is computed per energy group or with equal counts in every group, so a different share
of the groups does not move it. Within a group of a continuous spectrum the slope does matter; and
"all energies" means another mixture. `follow` mends both by leaving showers out: a subset is drawn
without replacement, since weights or repeated showers would let a classifier see a shower in
training and test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.evaluation.samples.groups import EnergyGroups

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.samples.sample import Sample

SIGNIFICANT = 1e-4
"""Probability below which a difference of spectra is reported."""

FINE_BINS = 50
"""Bins of equal population in which a continuous spectrum is followed."""


def difference(reference: Sample, sample: Sample, groups: EnergyGroups) -> str:
    """Say how the spectra differ, or return an empty text if they do not significantly.

    Discrete energies: chi-square test of the counts; continuous: Kolmogorov-Smirnov test.
    """
    from scipy.stats import chi2_contingency, ks_2samp  # type: ignore[import-untyped]

    counts = np.stack([groups.counts(reference), groups.counts(sample)])
    if groups.discrete and len(groups) == 1:
        return ""
    if groups.discrete:
        p_value = chi2_contingency(counts).pvalue
    else:
        p_value = ks_2samp(reference.incident_energy, sample.incident_energy).pvalue
    if p_value >= SIGNIFICANT:
        return ""
    shares = counts / counts.sum(axis=1, keepdims=True)
    g = int(np.argmax(np.abs(shares[1] - shares[0])))
    return (
        f"{100 * shares[1, g]:.3g} % of the showers are "
        f"{'at' if groups.discrete else 'around'} {groups.centers[g]:.6g} MeV, "
        f"{100 * shares[0, g]:.3g} % in the reference"
    )


def follow(
    sample: Sample, reference: Sample, groups: EnergyGroups, rng: np.random.Generator
) -> Sample:
    """Draw the largest subset of a sample whose spectrum is the reference's.

    In every fine bin b the fraction n_b / sum(n) is that of the reference, up to rounding. Bins
    that the sample does not reach stay empty.
    """
    bins = groups if groups.discrete else _fine_bins(reference)
    wanted, rows = bins.counts(reference), bins.rows(sample)
    held = np.array([len(part) for part in rows])
    reached = (held > 0) & (wanted > 0)
    scale = float(np.min(held[reached] / wanted[reached])) if reached.any() else 0.0
    chosen = [
        rng.choice(part, min(len(part), int(scale * n + 1e-9)), replace=False)
        for part, n in zip(rows, wanted, strict=True)
        if len(part)
    ]
    kept: NDArray[np.intp] = np.sort(np.concatenate(chosen)) if chosen else np.empty(0, np.intp)
    return sample.take(kept)


def _fine_bins(reference: Sample) -> EnergyGroups:
    edges = np.quantile(reference.incident_energy, np.linspace(0, 1, FINE_BINS + 1))
    edges[-1] = np.nextafter(edges[-1], np.inf)
    edges = np.unique(edges)
    return EnergyGroups(np.sqrt(edges[1:] * edges[:-1]), edges[:-1], edges[1:], discrete=False)
