"""The study of measured registers: the formula's Z bosons, one cell, the network of equal size."""

from __future__ import annotations

import numpy as np
import pytest

from fastcaloq_infer.flow.config import FlowConfig
from fastcaloq_infer.flow.kinds.swap_test.config import SwapTestConfig
from fastcaloq_infer.study.univocal.learning import Network, do_cell
from fastcaloq_infer.study.univocal.summary import equal_parameters, summarise
from fastcaloq_infer.study.univocal.z_boson import MASS, WIDTH, draw_pairs, invariant_mass


def test_masses_are_breit_wigner() -> None:
    mass = invariant_mass(draw_pairs(40_000, 3)).numpy()
    # The distribution function of m^2 inside the window, uniform if the masses are right.
    angle = np.arctan((mass**2 - MASS**2) / (MASS * WIDTH))
    low, high = (np.arctan((m**2 - MASS**2) / (MASS * WIDTH)) for m in (66.0, 116.0))
    place = np.sort((angle - low) / (high - low))
    deviation = np.abs(place - (np.arange(len(place)) + 0.5) / len(place)).max()
    assert deviation < 1.95 / np.sqrt(len(place))  # Kolmogorov: exceeded once in 1000


def test_leptons_are_alike_and_seeds_matter() -> None:
    pairs = draw_pairs(40_000, 3).numpy()
    assert np.array_equal(pairs, draw_pairs(40_000, 3).numpy())
    assert not np.array_equal(pairs, draw_pairs(40_000, 4).numpy())
    spread = np.sqrt(2.0 * pairs[:, 0].var() / len(pairs))
    assert abs(pairs[:, 0].mean() - pairs[:, 1].mean()) < 4.0 * spread
    assert abs(pairs[:, 2].mean()) < 4.0 * pairs[:, 2].std() / np.sqrt(len(pairs))


def test_a_cell_is_reproducible_and_complete() -> None:
    network = Network(
        "hybrid",
        "small",
        FlowConfig(transform="affine", n_blocks=2, hidden=(4,)),
        SwapTestConfig(n_layers=1, preparation_layers=1, preparation_hidden=(4,)),
        mmd_weight=1.0,
    )
    first, second = (do_cell("z_boson", network, 1, 3, 64) for _ in range(2))
    del first["seconds"], second["seconds"]
    assert first == second
    assert 0.9 < first["fidelity"] <= 1.0
    assert first["mass_distance"] > 0
    trip = first["round_trip"]
    assert trip["polished_median"] < 1e-12 < trip["learnt_median"]
    assert trip["no_solution"] + trip["other_solution"] >= trip["polished_above_1e-6"] - 1e-12
    summary = summarise([{**first, "seconds": 1.0}, {**second, "seconds": 3.0}])
    row = summary["z_boson"]["hybrid"]
    assert row["nll"] == pytest.approx(first["nll"])
    assert row["seconds"] == 2.0
    assert row["nll_std"] == pytest.approx(0.0, abs=1e-12)
    assert row["inn_parameters"] is None


@pytest.mark.parametrize(
    ("nll", "expected"), [(3.0, 100.0), (2.5, 1000.0), (1.0, 1e5), (0.5, None)]
)
def test_equal_parameters_lie_on_the_curve(nll: float, expected: float | None) -> None:
    found = equal_parameters([(100, 3.0), (10_000, 2.0), (100_000, 1.0)], nll)
    assert found == (None if expected is None else pytest.approx(expected))
