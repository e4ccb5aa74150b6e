"""What a classifier sees of a shower: four views, each as columns of numbers.

=========== ====================================================================================
layers      log(E_i/E_inc) of every layer and of the total
low         the same, and sqrt(E_v/E_inc) of every voxel v
normalised  the same, and sqrt(E_v/E_layer) of every voxel, 0 in an empty layer
high        the high-level features
=========== ====================================================================================

``features`` adds log E_inc and standardises per group of incident energy. ``low`` and
``normalised`` hold the same information in different coordinates; layer energies are sums of
voxels and are among the columns of ``low`` because a network finds a shift of 2 % there at once
and in 190 voxels hardly. For a network voxels are standardised among those that are hit, whether
they are is a column of its own, and all voxels together weigh as much as the layer energies:
with every column alike, energies of voxels that are not hit being 0, the network saw 1 % of the
voxels zeroed with AUC 0.61 and 5 % of every ring's energy moved outwards with 0.65, so with 0.71
and 0.72.

The CaloChallenge's classifier gets the columns of the challenge instead
(https://github.com/CaloChallenge/homepage, ``code/evaluate.py``), not standardised:
log10 E_inc with E_v/E_inc (low), or with E_v/(E_layer + 1e-16) and log10(E_layer + 1e-8)
(normalised), energies in MeV; of high-level features, log10(x + 1e-8) of energies, the others
with lengths in units of 100 mm. One thing is different: the script divides voxels before its
1 MeV cut by layer energies after it, up to 1e16 in a layer all of whose voxels are below the cut;
here both are after the cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.classifiers.columns import Columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.samples.sample import Sample

View = Literal["layers", "low", "normalised", "high"]


class FeatureTable(Protocol):
    """High-level features of a sample, as ``high_level.high_level_features`` returns them."""

    @property
    def names(self) -> tuple[str, ...]:
        """Name per feature, F of them."""

    @property
    def units(self) -> tuple[str, ...]:
        """Unit per feature: "MeV", "mm" or empty."""

    @property
    def values(self) -> NDArray[np.float64]:
        """Shape (N, F), NaN where undefined."""


def view_columns(
    sample: Sample, view: View, features: FeatureTable | None = None, *, hits: bool = True
) -> Columns:
    """Return what a view shows of a sample, before standardisation.

    ``hits`` says apart from a voxel's energy whether it has any, as networks need it; without, a
    voxel that is not hit has 0, which trees tell from all others as it is, in half the time.

    Raises
    ------
    InputError
        The view needs voxels and the sample has none.
    """
    energy = sample.incident_energy
    if view == "layers":
        return _without_hits(energy, _log_fractions(sample.layer_energy, energy))
    if view == "high":
        return _without_hits(energy, _features(sample, features).values)
    voxels, layers, slices = _voxels(sample, view)
    if view == "low":
        shares = voxels / energy.astype(np.float32)[:, None]
    else:
        shares = _normalised(voxels, layers, slices)
    logs = _log_fractions(layers, energy).astype(np.float32)
    if not hits:
        return _without_hits(energy, np.concatenate([logs, np.sqrt(shares)], axis=1))
    # Many voxels together weigh as much as the few layer energies together.
    weights = np.ones(logs.shape[1] + 2 * voxels.shape[1], np.float32)
    weights[logs.shape[1] :] = min(1.0, (logs.shape[1] / voxels.shape[1]) ** 0.5)
    hit = voxels > 0
    values = np.concatenate([logs, np.where(hit, np.sqrt(shares), np.float32("nan"))], axis=1)
    return Columns(energy, values, hit, weights)


def challenge_columns(
    sample: Sample, view: View, features: FeatureTable | None = None
) -> NDArray[np.float32]:
    """Return the inputs of the CaloChallenge's classifier, shape (N, F).

    Raises
    ------
    InputError
        The view needs voxels and the sample has none; the challenge does not know the view.
    """
    log_energy = np.log10(sample.incident_energy)[:, None]
    if view == "layers":
        raise InputError(
            "the challenge has no classifier on layer energies alone: its views are low, "
            "normalised and high; choose another architecture for the view layers"
        )
    if view == "high":
        table = _features(sample, features)
        values = np.nan_to_num(table.values, nan=0.0)
        for k, unit in enumerate(table.units):
            if unit == "MeV":
                values[:, k] = np.log10(values[:, k] + 1e-8)
            elif unit == "mm":
                values[:, k] /= 100
        return np.concatenate([log_energy, values], axis=1).astype(np.float32)
    voxels, layers, slices = _voxels(sample, view)
    if view == "low":
        columns = [log_energy, voxels / sample.incident_energy[:, None]]
    else:
        columns = [log_energy, _normalised(voxels, layers, slices), np.log10(layers + 1e-8)]
    return np.concatenate(columns, axis=1).astype(np.float32)


def _without_hits(energy: NDArray[np.float64], values: NDArray[np.floating[Any]]) -> Columns:
    return Columns(energy, values, np.zeros((len(values), 0), np.bool_))


def _features(sample: Sample, features: FeatureTable | None) -> FeatureTable:
    if features is None:
        from fastcaloq_infer.evaluation.features.high_level import high_level_features

        features = high_level_features(sample)
    return features


def _voxels(
    sample: Sample, view: View
) -> tuple[NDArray[np.float32], NDArray[np.float64], tuple[slice, ...]]:
    """Return voxels, their sum per layer, and where each layer's voxels lie."""
    if sample.voxel_energy is None or sample.binning is None:
        raise InputError(
            f"the classifier view {view!r} needs voxels, and a sample holds layer energies only; "
            "give shower files with voxels or leave this view out"
        )
    voxels, slices = sample.voxel_energy, sample.binning.layer_slices
    layers = [voxels[:, part].sum(axis=1, dtype=np.float64) for part in slices]
    return voxels, np.stack(layers, axis=1), slices


def _normalised(
    voxels: NDArray[np.float32], layers: NDArray[np.float64], slices: tuple[slice, ...]
) -> NDArray[np.float32]:
    """Return voxels divided by the energy of their layer; 1e-16 MeV keeps empty layers at 0."""
    shares = np.empty_like(voxels)
    for k, part in enumerate(slices):
        shares[:, part] = voxels[:, part] / (layers[:, [k]] + 1e-16)
    return shares


def _log_fractions(
    layers: NDArray[np.float64], incident_energy: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return log(E_i/E_inc) and log(E_tot/E_inc), shape (N, L + 1), NaN where empty."""
    energies = np.column_stack([layers, layers.sum(axis=1)])
    fractions = energies / incident_energy[:, None]
    logs: NDArray[np.float64] = np.log(np.where(fractions > 0, fractions, np.nan))
    return logs
