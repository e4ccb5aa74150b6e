"""Judging showers: classifiers, occupancy and features, against held-out Geant4."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.classifiers.classify import classify
from fastcaloq_infer.evaluation.features.binnings import voxel_cut
from fastcaloq_infer.evaluation.features.high_level import high_level_features
from fastcaloq_infer.evaluation.samples.groups import energy_groups, match_counts
from fastcaloq_infer.evaluation.samples.reading import read_sample
from fastcaloq_infer.study.frontier.results import Auc, FeatureFigure, Judgement

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from fastcaloq_infer.data import Binning
    from fastcaloq_infer.evaluation.classifiers.training import Architecture
    from fastcaloq_infer.evaluation.samples.sample import Sample

__all__ = ["Judge"]

_FEATURES = ("E_", "centre_", "width_r", "sparsity")
_CHOICE, _FLOOR, _CLASSIFIERS = 31, 32, 33


class Judge:
    """Held-out showers, chosen once, and an independent sample of the simulation as the floor.

    Parameters
    ----------
    held_out, independent
        Files of whole showers.
    binning
        The voxels.
    eta
        Where the files do not say.
    energies
        Incident energies to judge at, MeV; none: all.
    showers
        How many to take at most, in equal parts of each energy.
    classifiers
        Number per architecture.
    features
        Whether means and widths of features are compared.
    """

    def __init__(
        self,
        held_out: Path,
        independent: Path,
        binning: Binning,
        eta: float | None,
        *,
        energies: tuple[float, ...],
        showers: int,
        classifiers: int,
        features: bool,
    ) -> None:
        self._classifiers, self._features = classifiers, features
        first, second = (
            _at(read_sample(path, binning, eta=eta), energies) for path in (held_out, independent)
        )
        groups = energy_groups(first)
        counts = np.minimum(groups.counts(first), groups.counts(second))
        if not counts.all():
            raise InputError(
                f"{independent} has no showers of some incident energy of {held_out}, so there is "
                "no floor; give files of the same energies"
            )
        counts = np.maximum(1, np.floor(counts * min(1.0, showers / counts.sum()))).astype(np.intp)
        self.groups = groups
        self.reference = match_counts(first, groups, counts, np.random.default_rng(_CHOICE))
        self._floor = match_counts(second, groups, counts, np.random.default_rng(_FLOOR))

    def floor(self) -> Judgement:
        """Judge an independent sample of the simulation itself."""
        return self._judge(self._floor)

    def judge(self, voxels: NDArray[np.float32], layer_energy: NDArray[np.float64]) -> Judgement:
        """Judge voxels (N, V) with layer energies (N, L), MeV, row by row for the reference."""
        sample = replace(self.reference, voxel_energy=voxels, layer_energy=layer_energy)
        if not (np.isfinite(voxels).all() and (voxels >= 0).all()):
            raise InputError("a model drew voxels that are negative or not finite; train it longer")
        return self._judge(sample)

    def _judge(self, sample: Sample) -> Judgement:
        cut = voxel_cut(sample.binning)
        first, second = self.reference.cut(cut), sample.cut(cut)
        return Judgement(
            n_showers=first.n_showers,
            network=self._auc(first, second, "network"),
            trees=self._auc(first, second, "trees"),
            occupancy=self._occupancy(first, second),
            features=self._compare(first, second) if self._features else (),
        )

    def _auc(self, first: Sample, second: Sample, architecture: Architecture) -> Auc:
        found = classify(
            first,
            second,
            self.groups,
            view="low",
            architecture=architecture,
            seeds=self._classifiers,
            seed=_CLASSIFIERS,
            workers=1,
        ).auc
        return Auc(mean=found.mean, error=found.error, values=found.values)

    def _occupancy(self, first: Sample, second: Sample) -> float:
        shares = [
            np.array([[_hit(sample, part, rows) for part in _parts(sample)] for rows in groups])
            for sample, groups in ((s, self.groups.rows(s)) for s in (first, second))
        ]
        return float(np.abs(shares[1] - shares[0]).max())

    def _compare(self, first: Sample, second: Sample) -> tuple[FeatureFigure, ...]:
        tables = high_level_features(first), high_level_features(second)
        rows = self.groups.rows(first), self.groups.rows(second)
        return tuple(
            FeatureFigure(
                energy=float(energy),
                name=name,
                unit=tables[0].units[column],
                reference=_moments(tables[0].values[rows[0][group], column]),
                generated=_moments(tables[1].values[rows[1][group], column]),
            )
            for group, energy in enumerate(self.groups.centers)
            for column, name in enumerate(tables[0].names)
            if name.startswith(_FEATURES)
        )


def _at(sample: Sample, energies: tuple[float, ...]) -> Sample:
    if sample.voxel_energy is None:
        raise InputError(f"{sample.name} has no voxels; give a file of whole showers")
    if not energies:
        return sample
    near = np.abs(sample.incident_energy[:, None] / np.array(energies) - 1.0) < 1e-4
    for k, energy in enumerate(energies):
        if not near[:, k].any():
            raise InputError(f"{sample.name} has no shower of {energy:g} MeV to judge at")
    return sample.take(near.any(axis=1))


def _parts(sample: Sample) -> tuple[slice, ...]:
    return () if sample.binning is None else sample.binning.layer_slices


def _hit(sample: Sample, part: slice, rows: NDArray[np.intp]) -> float:
    return (
        0.0 if sample.voxel_energy is None else float((sample.voxel_energy[rows, part] > 0).mean())
    )


def _moments(values: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Mean and standard deviation with their errors; the second's by the fourth moment."""
    values = values[np.isfinite(values)]
    n = len(values)
    if n < 2:
        return (0.0, 0.0, 0.0, 0.0)
    deviation = float(values.std())
    fourth = float(((values - values.mean()) ** 4).mean())
    error = (max(fourth - deviation**4, 0.0) / n) ** 0.5 / (2 * deviation) if deviation else 0.0
    return (float(values.mean()), deviation / n**0.5, deviation, error)
