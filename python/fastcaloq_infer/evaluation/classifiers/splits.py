"""Splits of a sample in training, validation and test part, stratified in incident energy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.evaluation.samples.groups import EnergyGroups
    from fastcaloq_infer.evaluation.samples.sample import Sample

FOLDS = 5
"""Train on three fifths, validate on one, test on one."""


@dataclass(frozen=True)
class Parts:
    """Row numbers of one split; every group of incident energy is split alike."""

    train: NDArray[np.intp]
    validation: NDArray[np.intp]
    test: NDArray[np.intp]


def split(sample: Sample, groups: EnergyGroups, seed: int, number: int) -> Parts:
    """Return the split for the ``number``-th classifier, stratified in incident energy.

    Five consecutive numbers share one permutation and test on its five fifths in turn: together
    they test on every shower once, which makes the mean AUC as precise as the sample allows.
    """
    rng = np.random.default_rng([seed, number // FOLDS])
    fold = np.empty(sample.n_showers, dtype=np.intp)
    for rows in groups.rows(sample):
        fold[rng.permutation(rows)] = np.arange(len(rows)) % FOLDS
    test = number % FOLDS
    validation = (number + 1) % FOLDS
    return Parts(
        train=np.flatnonzero((fold != test) & (fold != validation)),
        validation=np.flatnonzero(fold == validation),
        test=np.flatnonzero(fold == test),
    )
