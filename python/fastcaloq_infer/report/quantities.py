"""High-level features of all samples of a report, side by side."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fastcaloq_infer.evaluation.features.high_level import high_level_features

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fastcaloq_infer.report.lineup import Lineup

_LAYER = re.compile(r"^(.*)_(\d+)$")


@dataclass(frozen=True)
class Quantity:
    """One feature of every sample.

    Attributes
    ----------
    name
        As in the evaluation.
    family, layer
        What the name says: ``width_r_1`` is ``width_r`` of layer 1; layer None for a whole shower.
    label
        Of its axis, with the unit.
    values
        Per sample (in the order of `Lineup.everyone`) an array (N,), NaN where undefined; an
        energy of 0 is undefined here, as an axis of energies has no place for it.
    """

    name: str
    family: str
    layer: int | None
    label: str
    values: tuple[NDArray[np.float64], ...]


def quantities(lineup: Lineup) -> list[Quantity]:
    """Compute the features of every sample, in the order of the evaluation."""
    features = [high_level_features(sample) for sample in lineup.everyone()]
    found = []
    for column, name in enumerate(features[0].names):
        match = _LAYER.match(name)
        family, layer = (match[1], int(match[2])) if match else (name, None)
        values = [feature.values[:, column] for feature in features]
        if family in ("E", "E_tot"):
            values = [np.where(value > 0, value, np.nan) for value in values]
        label, unit = features[0].labels[column], features[0].units[column]
        label = f"{label} [{unit}]" if unit else label
        found.append(Quantity(name, family, layer, label, tuple(values)))
    return found
