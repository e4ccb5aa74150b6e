"""The table's error is what it says, and small enough."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from models import random_energy_flow

from fastcaloq_infer.conditioning import Conditioner
from fastcaloq_infer.export.describe import extrapolation
from fastcaloq_infer.export.table import (
    TARGET,
    build_table,
    exact_features,
    interpolate,
    lagrange_weights,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastcaloq_infer.flow import EnergyFlow


class Formula(Conditioner):
    """One feature, any function of the condition."""

    kind = "classical"
    n_features = 1

    def __init__(self, formula: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.formula = formula

    def forward(self, c: torch.Tensor) -> torch.Tensor:
        return self.formula(c[:, 0], c[:, 1]).unsqueeze(1)


def with_formula(
    formula: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    eta: tuple[float, float] = (0.0, 2.5),
) -> tuple[EnergyFlow, object]:
    flow, metadata = random_energy_flow(1, n_blocks=1, hidden=(4,), eta=eta, kind="none")
    flow.conditioner = Formula(formula)
    return flow, extrapolation(metadata.validity)


@pytest.mark.parametrize("place", [1.0, 1.37, 2.0, -0.5, 3.7])
def test_weights_are_exact_for_cubics(place: float) -> None:
    weights = lagrange_weights(np.array([place]))[0]
    for power in range(4):
        assert weights @ np.arange(4.0) ** power == pytest.approx(place**power, abs=1e-14)


def test_cubics_are_tabulated_exactly() -> None:
    """Every cubic is reproduced up to the float32 of the nodes: 2^-25 of 1, 1.63 of it at worst."""
    flow, reach = with_formula(lambda a, b: (a**3 - b**3 + a * b) / 4)
    table = build_table(flow, reach)
    assert (table.card.n_energy, table.card.n_eta) == (17, 5)
    assert table.card.max_error < 1.63**2 * 2.0**-25


@pytest.mark.parametrize(
    "options",
    [
        {"quantum": {"n_qubits": 6}},
        {"quantum": {"n_qubits": 6, "n_layers": 4, "reuploading": True}},
        {"quantum": {"encoding": "iqp", "n_qubits": 3}},
        {"kind": "classical", "eta": (0.0, 2.5)},
    ],
    ids=["default", "reuploading", "iqp", "classical-eta"],
)
def test_meets_the_target(options: dict) -> None:
    torch.set_num_threads(1)
    flow, metadata = random_energy_flow(2, n_blocks=1, hidden=(4,), **options)
    reach = extrapolation(metadata.validity)
    table = build_table(flow, reach)
    card = table.card
    assert table.meets_target
    assert card.max_error < TARGET * card.feature_range
    assert table.values.shape == (card.n_energy, card.n_eta, flow.conditioner.n_features)
    assert table.values.dtype == np.float32
    # It covers the whole reach, and its error holds at places nobody measured.
    assert card.log_energy == tuple(math.log(e) for e in reach.incident_energy)
    assert card.eta == reach.eta
    random = np.random.default_rng(3)
    at_energy = np.sort(random.uniform(*card.log_energy, 500))
    at_eta = np.sort(random.uniform(*card.eta, 20 if card.n_eta > 1 else 1))
    exact = exact_features(flow, at_energy, at_eta)
    error = np.abs(interpolate(table.values, card, at_energy, at_eta) - exact).max()
    # Measured at 0.2, 0.5 and 0.8 of each cell: the quartic's maximum is at most 1.1 times that
    # (0.5 in inner cells, 0.38 or 0.62 in the outer ones), in each direction.
    assert error <= 1.1**2 * card.max_error


def test_hopeless_targets_are_reported_not_looped_on() -> None:
    """A feature that hardly changes around a large value is limited by float32."""
    flow, reach = with_formula(lambda a, b: 0.9 + 1e-4 * torch.sin(3 * a) + 0 * b, eta=(0.2, 0.2))
    table = build_table(flow, reach)
    assert table.card.n_eta == 1
    assert table.card.n_energy <= 257
    assert not table.meets_target
    assert TARGET < table.relative_error < 1e-3


def test_constant_features_have_no_error() -> None:
    flow, reach = with_formula(lambda a, b: 0.5 + 0 * a * b)
    table = build_table(flow, reach)
    assert table.card.max_error < 1e-15
    assert table.relative_error < TARGET


def test_one_energy_gets_a_table() -> None:
    flow, metadata = random_energy_flow(2, n_blocks=1, hidden=(4,))
    reach = metadata.validity.model_copy(update={"incident_energy": (1000.0, 1000.0)})
    low, high = build_table(flow, reach).card.log_energy
    assert low < math.log(1000.0) < high
