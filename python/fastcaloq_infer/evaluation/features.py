"""What the classifier sees of a shower's layer energies.

Columns: log E_inc; per layer log(E_i/E_inc); log(E_tot/E_inc); per layer a flag that is 1 where
the layer holds energy. All but the first and the flags are standardised per group of incident
energy with the reference's training part; empty layers are put at 0.

The map from (E_inc, layer energies) is one to one, so this is a classifier on exactly these
quantities. The coordinates matter all the same: on Geant4 photons with layer 2 scaled by 1.02 a
boosted-tree classifier reaches AUC 0.66 with them and 0.58 on log energies standardised globally,
a 3 x 128 network 0.66 and 0.51. A resolution of 1 % is invisible on an axis that spans 256 MeV to
65 GeV.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.groups import EnergyGroups
    from fastcaloq_infer.evaluation.sample import Sample

_CLIP = 10.0  # standard deviations; keeps a network finite, changes no ordering that trees use
_FEWEST = 10  # showers needed to standardise a column in a group; else its global constants


@dataclass(frozen=True)
class FeatureScaler:
    """Standardisation constants per group of incident energy.

    Attributes
    ----------
    groups
        The partition of the incident energies.
    mean, scale
        Shape (G, L + 1), of log(E_i/E_inc) and log(E_tot/E_inc).
    log_energy
        Mean and scale of log(E_inc/MeV).
    """

    groups: EnergyGroups
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    log_energy: tuple[float, float]

    @classmethod
    def fit(cls, reference: Sample, groups: EnergyGroups) -> FeatureScaler:
        """Take the constants from the reference (its training part)."""
        logs = _log_fractions(reference)
        group = groups.index(reference.incident_energy)
        overall = _mean_scale(logs, np.zeros(logs.shape[1]), np.ones(logs.shape[1]))
        constants = [_mean_scale(logs[group == g], *overall) for g in range(len(groups))]
        log_energy = np.log(reference.incident_energy)
        return cls(
            groups,
            np.stack([mean for mean, _ in constants]),
            np.stack([scale for _, scale in constants]),
            (float(log_energy.mean()), float(log_energy.std()) or 1.0),
        )

    def __call__(self, sample: Sample) -> NDArray[np.float64]:
        """Return the features, shape (N, 2 L + 2), float64."""
        group = np.clip(self.groups.index(sample.incident_energy), 0, len(self.groups) - 1)
        standard = (_log_fractions(sample) - self.mean[group]) / self.scale[group]
        standard = np.clip(np.nan_to_num(standard, nan=0.0), -_CLIP, _CLIP)
        center, width = self.log_energy
        energy = (np.log(sample.incident_energy) - center) / width
        flags = (sample.layer_energy > 0).astype(np.float64)
        return np.column_stack([energy, standard, flags])


def _log_fractions(sample: Sample) -> NDArray[np.float64]:
    """Return log(E_i/E_inc) and log(E_tot/E_inc), shape (N, L + 1), NaN where empty."""
    energies = np.column_stack([sample.layer_energy, sample.total_energy])
    fractions = energies / sample.incident_energy[:, None]
    logs: NDArray[np.float64] = np.log(np.where(fractions > 0, fractions, np.nan))
    return logs


def _mean_scale(
    logs: NDArray[np.float64],
    default_mean: NDArray[np.float64],
    default_scale: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return column means and standard deviations without NaN, or the defaults where too few."""
    known = np.isfinite(logs)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, logs, 0.0).sum(axis=0) / count
    variance = np.where(known, (logs - mean) ** 2, 0.0).sum(axis=0) / count
    enough = (known.sum(axis=0) >= _FEWEST) & (variance > 0)
    return (
        np.where(enough, mean, default_mean),
        np.where(enough, np.sqrt(variance), default_scale),
    )
