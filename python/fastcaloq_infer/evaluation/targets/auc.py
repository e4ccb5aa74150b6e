"""Largest AUC that counts as reached, by what a classifier sees.

Layer energies, a handful of smooth numbers, can be generated nearly perfectly: 0.03 above the
floor. Whole showers cannot yet: what the best published generators reach on data set 1 with a
classifier of three hidden layers lies around 0.6 (Krause et al., arXiv:2410.21611, section 5), more
for pions than for photons. These targets are absolute, and the same for every architecture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastcaloq_infer.evaluation.results import OverSeeds

EXCESS = 0.03
"""Above the floor's AUC, for views without a target of their own."""

WHOLE_SHOWERS: dict[str, dict[str, float]] = {
    "dataset-1-photons": {"low": 0.62, "normalised": 0.62, "high": 0.58},
    "dataset-1-pions": {"low": 0.72, "normalised": 0.72, "high": 0.68},
}
"""By binning and view."""


def auc_target(view: str, binning: str | None, floor: OverSeeds | None = None) -> float:
    """Return the target of a view; without a floor, that of a perfect one.

    Where chance or too few showers put the floor high, a target is never closer to it than 0.03;
    a floor below one half is chance and helps nobody.
    """
    above_floor = max(0.5 if floor is None else floor.mean, 0.5) + EXCESS
    return max(WHOLE_SHOWERS.get(binning or "", {}).get(view, 0.0), above_floor)
