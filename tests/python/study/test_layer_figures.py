"""The figures beside the likelihood, on samples whose answer is known."""

from dataclasses import dataclass

import numpy as np
import pytest

from fastcaloq_infer.study.layer_figures import layer_figures


@dataclass(frozen=True)
class Table:
    incident_energy: np.ndarray
    layer_energy: np.ndarray


def sample(seed, *, shift=0.0, empty=0.2):
    """Two energies, two layers; layer 1 holds little and is empty in a part of the showers."""
    random = np.random.default_rng(seed)
    energy = np.repeat([1024.0, 4096.0], 2000)
    layers = energy[:, None] * random.normal([0.7 + shift, 1e-3], [0.05, 1e-4], (4000, 2))
    layers[random.random(4000) < empty, 1] = 0.0
    return Table(energy, layers)


@pytest.mark.parametrize(
    ("changes", "separated", "difference", "apart"),
    [
        ({}, False, 0.0, False),
        ({"shift": 0.05}, True, 0.0, True),
        ({"empty": 0.3}, False, 0.1, True),
    ],
)
def test_each_figure_sees_what_it_is_for(changes, separated, difference, apart):
    found = layer_figures(sample(1), sample(2, **changes), sample(3), 5)
    # A separation in floors is a chi2 of 40 bins over its degrees of freedom, the worst of two.
    assert (found.total_separation > 3) == separated
    # The worst of two fractions, of 2,000 showers each: 0.013 is the error of a difference.
    assert abs(found.zero_difference - difference) < 4 * 0.014
    # Two samples of 1,000 differ by 0.04 deviations, the shift is one, and so is what the emptied
    # layers lose, times 0.1 and 2.5.
    assert (found.layer_distance > 2.0) == apart
