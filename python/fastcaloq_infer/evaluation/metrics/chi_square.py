r"""Two-sample chi2/ndf of E_tot/E_inc, bin by bin with Poisson errors.

.. math:: \chi^2 = \sum_k \frac{(n_k - m_k)^2}{n_k + m_k}

for histograms n and m of equally many showers; the number of degrees of freedom is that of the
occupied bins less one, since the sums agree (Porter, arXiv:0804.0380, section 3; FastCaloGAN
quotes this per incident energy, ATL-SOFT-PUB-2020-006).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.evaluation.results import ChiSquare

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.samples.comparison import Comparison

    Array = NDArray[np.float64]

BINS = 30
"""Equal bins between the reference's mean -3 and +3 standard deviations, before merging."""

FEWEST = 10
"""Fewest reference showers per bin: chi2 follows its law where Poisson is nearly Gaussian."""


@dataclass(frozen=True)
class TwoSampleChiSquare:
    """Chi2/ndf of two histograms, its standard error, and the probability of a larger chi2."""

    value: float
    error: float
    p_value: float
    ndf: int


def merged_edges(reference: Array) -> Array:
    """Return inner edges for one group's E_tot/E_inc, shape (B - 1,); the outer bins are open.

    Neighbours are merged from the left until each bin holds ``FEWEST`` reference showers.
    """
    mean, deviation = reference.mean(), reference.std()
    if deviation <= 1e-12 * abs(mean):
        return np.empty(0)
    edges = np.linspace(mean - 3 * deviation, mean + 3 * deviation, BINS + 1)
    below = np.searchsorted(np.sort(reference), edges)
    kept: list[float] = []
    last = 0
    for edge, count in zip(edges, below, strict=True):
        if count - last >= FEWEST and len(reference) - count >= FEWEST:
            kept.append(float(edge))
            last = int(count)
    return np.array(kept)


def chi_square(first: Array, second: Array, edges: Array) -> TwoSampleChiSquare | None:
    """Return chi2/ndf of two samples, (N,) and (N,), in bins with these inner edges.

    The error is that of a non-central chi2 whose non-centrality is estimated from the value:
    variance 2 (ndf + 2 max(chi2 - ndf, 0)). None where there is only one bin.
    """
    from scipy.stats import chi2  # type: ignore[import-untyped]

    n, m = (
        np.bincount(np.searchsorted(edges, x, side="right"), minlength=len(edges) + 1)
        for x in (first, second)
    )
    total = n + m
    ndf = int((total > 0).sum()) - 1
    if ndf < 1:
        return None
    # For unequal counts the histograms are scaled to each other.
    scale = np.sqrt(m.sum() / n.sum())
    terms = (scale * n - m / scale) ** 2 / np.maximum(total, 1)
    value = float(terms.sum())
    error = float(np.sqrt(2 * (ndf + 2 * max(value - ndf, 0.0))))
    return TwoSampleChiSquare(value / ndf, error / ndf, float(chi2.sf(value, ndf)), ndf)


def chi_squares(comparison: Comparison, notes: list[str]) -> tuple[ChiSquare, ...]:
    """Return chi2/ndf of E_tot/E_inc at every incident energy, on equal counts.

    Energies with too few showers for two bins are left out with a note.
    """
    ratios = {role: s.total_energy / s.incident_energy for role, s in comparison.equal.items()}
    rows = {role: comparison.groups.rows(sample) for role, sample in comparison.equal.items()}
    figures = []
    for g, energy in enumerate(comparison.groups.centers):
        reference, generated, floor = (ratios[role][rows[role][g]] for role in ratios)
        edges = merged_edges(reference)
        against = chi_square(reference, generated, edges)
        beside = chi_square(reference, floor, edges)
        if against is None or beside is None:
            notes.append(
                f"no chi2 of E_tot at {energy:.6g} MeV: {len(reference)} showers do not fill two "
                f"bins of {FEWEST}"
            )
            continue
        figures.append(
            ChiSquare(
                incident_energy=float(energy),
                showers=len(reference),
                edges=tuple(edges.tolist()),
                ndf=against.ndf,
                floor_ndf=beside.ndf,
                value=against.value,
                error=against.error,
                p_value=against.p_value,
                floor=beside.value,
                floor_error=beside.error,
                floor_p_value=beside.p_value,
            )
        )
    return tuple(figures)
