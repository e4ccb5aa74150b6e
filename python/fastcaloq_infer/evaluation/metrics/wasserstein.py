r"""Wasserstein-1 distance of one-dimensional samples, with errors and its floor.

.. math:: W_1 = \int |F_1(x) - F_2(x)|\, dx

with F the empirical distribution functions (Ramdas, Garcia and Cuturi, arXiv:1509.02237): the mean
distance by which values must be moved to turn one sample into the other, in their unit. Values are
sorted once for all resamplings, which makes an error a hundred times cheaper than by repeated
calls of ``scipy.stats.wasserstein_distance``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.evaluation.metrics.histograms import NullSeparation
from fastcaloq_infer.evaluation.metrics.resampling import Strata
from fastcaloq_infer.evaluation.progress import silent
from fastcaloq_infer.evaluation.results import Wasserstein

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.features.high_level import Features
    from fastcaloq_infer.evaluation.progress import Progress
    from fastcaloq_infer.evaluation.samples.comparison import Comparison

    Array = NDArray[np.float64]

RESAMPLES = 100
"""Bootstrap samples and label permutations: an error is known to 7 %."""

MIN_DEFINED = 50
"""Fewest showers of each sample in which a feature is defined for its distance to be quoted."""


class Pooled:
    """Two samples of values in rows that belong to the same groups, sorted together.

    Parameters
    ----------
    first, second
        Shape (N,) each, N as in ``strata``; NaN where undefined, which is left out.
    strata
        The groups of the rows.
    """

    def __init__(self, first: Array, second: Array, strata: Strata) -> None:
        values = np.concatenate([first, second])
        order = np.argsort(values, kind="stable")  # NaN comes last
        self._defined = int(np.isfinite(values).sum())
        self._steps = np.diff(values[order[: self._defined]])
        self._strata = strata
        place = np.empty(len(values), np.intp)  # of every value in the sorted order
        place[order] = np.arange(len(values))
        self._first, self._second = place[: len(first)], place[len(first) :]

    def distance(self) -> float:
        """Return the distance, in the unit of the values."""
        return self._distance(self._first, self._second)

    def error(self, rng: np.random.Generator) -> float:
        """Return the bootstrap standard error: both samples resampled within groups."""
        drawn = [
            self._distance(
                self._first[self._strata.bootstrap(rng)], self._second[self._strata.bootstrap(rng)]
            )
            for _ in range(RESAMPLES)
        ]
        return float(np.std(drawn, ddof=1))

    def null(self, rng: np.random.Generator) -> NullSeparation:
        """Return what the distance is over permutations of the labels."""
        drawn = []
        for _ in range(RESAMPLES):
            swapped = self._strata.exchange(rng)
            drawn.append(
                self._distance(
                    np.where(swapped, self._second, self._first),
                    np.where(swapped, self._first, self._second),
                )
            )
        return NullSeparation(
            float(np.mean(drawn)), float(np.std(drawn, ddof=1)), float(np.quantile(drawn, 0.99))
        )

    def _distance(self, first: NDArray[np.intp], second: NDArray[np.intp]) -> float:
        weights = []
        for places in (first, second):
            counts = np.bincount(places, minlength=len(self._first) * 2)[: self._defined]
            weights.append(counts / max(int(counts.sum()), 1))
        return float(np.abs(np.cumsum(weights[0] - weights[1])[:-1]) @ self._steps)


def wassersteins(
    comparison: Comparison,
    tables: dict[str, Features],
    rng: np.random.Generator,
    notes: list[str],
    progress: Progress = silent,
) -> tuple[Wasserstein, ...]:
    """Return the distance of every feature over all energies, of energies also at each.

    On equal counts; showers in which a feature is undefined are left out, and so are features that
    hardly any shower defines (one note names them).
    """
    names, units = tables["reference"].names, tables["reference"].units
    rows = {role: comparison.groups.rows(sample) for role, sample in comparison.equal.items()}
    together = Strata(comparison.counts)
    each = [Strata(comparison.counts[[g]]) for g in range(len(comparison.groups))]
    figures, rare = [], []
    for k, (name, unit) in enumerate(zip(names, units, strict=True)):
        columns = {role: table.values[:, k] for role, table in tables.items()}
        figure = _figure(name, unit, None, list(columns.values()), together, rng)
        if figure is None:
            rare.append(name)
        else:
            figures.append(figure)
        if name == "E_tot" or unit == "MeV":
            for g, energy in enumerate(comparison.groups.centers):
                parts = [columns[role][rows[role][g]] for role in columns]
                figure = _figure(name, unit, float(energy), parts, each[g], rng)
                figures += [figure] if figure is not None else []
        progress("Wasserstein distances", (k + 1) / len(names))
    if rare:
        notes.append(
            f"no Wasserstein distance of {', '.join(rare)}: a sample has fewer than {MIN_DEFINED} "
            "showers in which it is defined"
        )
    return tuple(figures)


def _figure(
    name: str,
    unit: str,
    energy: float | None,
    values: list[Array],
    strata: Strata,
    rng: np.random.Generator,
) -> Wasserstein | None:
    reference, generated, floor = values
    defined = [int(np.isfinite(column).sum()) for column in values]
    if min(defined) < MIN_DEFINED and energy is None:
        return None
    against, beside = Pooled(reference, generated, strata), Pooled(reference, floor, strata)
    null = beside.null(rng)
    return Wasserstein(
        feature=name,
        unit=unit,
        incident_energy=energy,
        showers=(defined[0], defined[1], defined[2]),
        scale=float(np.nanstd(reference)),
        value=against.distance(),
        error=against.error(rng),
        floor=beside.distance(),
        floor_error=beside.error(rng),
        floor_mean=null.mean,
        floor_spread=null.spread,
        floor_upper=null.upper,
    )
