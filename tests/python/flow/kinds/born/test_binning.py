"""Bins of coordinates: where they lie, and that their densities integrate to 1."""

import copy

import numpy as np
import pytest
import torch
from models import random_metadata

from fastcaloq_infer.errors import ConfigError, InputError
from fastcaloq_infer.flow.kinds.born.binning import CoordinateBins
from fastcaloq_infer.preprocessing.energies import EnergyPreprocessing
from fastcaloq_infer.training.metadata import constants_of

REGISTERS = (3, 2, 2, 3)


@pytest.fixture(scope="module")
def preprocessing() -> EnergyPreprocessing:
    """Coordinates with a lower bound, with both, with an upper bound, with none."""
    metadata = random_metadata(n_layers=4)
    return EnergyPreprocessing(constants_of(metadata.preprocessing))


@pytest.fixture(scope="module")
def coordinates(preprocessing: EnergyPreprocessing) -> torch.Tensor:
    """Values and, where there are bounds, zeros."""
    random = torch.Generator().manual_seed(1)
    x = torch.randn(4000, 4, dtype=torch.float64, generator=random)
    lower, upper = preprocessing.lower, preprocessing.upper
    x = torch.where(torch.isfinite(lower), torch.maximum(x, lower + 1e-3), x)
    x = torch.where(torch.isfinite(upper), torch.minimum(x, upper - 1e-3), x)
    noise = preprocessing.zero_gap + preprocessing.zero_width * torch.rand(
        x.shape, dtype=torch.float64, generator=random
    )
    which = torch.rand(x.shape, generator=random)
    x = torch.where((which < 0.2) & torch.isfinite(lower), lower - noise, x)
    return torch.where((which > 0.9) & torch.isfinite(upper), upper + noise, x)


@pytest.fixture(scope="module", params=["quantiles", "uniform"])
def bins(request, preprocessing, coordinates) -> CoordinateBins:
    made = CoordinateBins(REGISTERS, preprocessing).double()
    made.fit(coordinates, request.param)
    return made


def single(bins: CoordinateBins, k: int, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Bin of coordinate k and its log density, the others at a place inside a bin."""
    inner = bins.anchor + 0.5 * bins.width * torch.where(bins.tail == 0, 1.0, bins.tail)
    here = inner[:, 1].repeat(len(x), 1)
    rest = here[:1].clone()
    here[:, k] = x
    number, log_density = bins.locate(here)
    others = bins.locate(rest)[1] - own(bins, k, rest[0, k])
    after = int(np.prod(bins.counts[k + 1 :]))
    return number // after % bins.counts[k], log_density - others


def own(bins: CoordinateBins, k: int, x: torch.Tensor) -> torch.Tensor:
    at = 1
    log_density = -bins.width[k, at].log()
    if bins.tail[k, at] != 0:
        log_density = log_density - (x - bins.anchor[k, at]).abs() / bins.width[k, at]
    return log_density


@pytest.mark.parametrize("k", range(4))
def test_every_bin_integrates_to_one(bins, k) -> None:
    """Trapezia of 1e-4 in x; half-lines end where 1e-12 is left."""
    grid = torch.arange(-40.0, 40.0, 1e-4, dtype=torch.float64)
    index, log_density = single(bins, k, grid)
    integral = torch.zeros(bins.counts[k], dtype=torch.float64)
    integral.index_add_(0, index, 1e-4 * log_density.exp())
    # An edge lies anywhere between two points: one point too many or too few on either side.
    assert (integral - 1).abs().max() < 2e-4 / float(bins.width[k, : bins.counts[k]].min()) + 1e-8


def test_zeros_have_their_own_bins(bins, preprocessing, coordinates) -> None:
    for k in range(4):
        index, log_density = single(bins, k, coordinates[:, k])
        empty = coordinates[:, k] < preprocessing.lower[k]
        rest_empty = coordinates[:, k] > preprocessing.upper[k]
        below, above = bins.has_zeros(k)
        assert torch.equal(empty, (index == 0) if below else torch.zeros_like(empty))
        last = bins.counts[k] - 1
        assert torch.equal(rest_empty, (index == last) if above else torch.zeros_like(empty))
        width = torch.tensor(preprocessing.zero_width, dtype=torch.float64)
        torch.testing.assert_close(log_density[empty], -width.log().expand(int(empty.sum())))


def test_quantiles_share_the_values(preprocessing, coordinates) -> None:
    bins = CoordinateBins(REGISTERS, preprocessing).double()
    bins.fit(coordinates, "quantiles")
    for k in range(4):
        index, _ = single(bins, k, coordinates[:, k])
        below, above = bins.has_zeros(k)
        counts = torch.bincount(index, minlength=bins.counts[k])
        counts = counts[below : bins.counts[k] - above]
        assert counts.max() - counts.min() <= 2


def test_draws_lie_where_they_belong(bins, coordinates) -> None:
    number, _ = bins.locate(coordinates)
    uniform = torch.rand(coordinates.shape, dtype=torch.float64)
    x = bins.draw(number, uniform)
    again, log_density = bins.locate(x)
    assert torch.equal(again, number)
    assert torch.isfinite(log_density).all()
    ends = bins.draw(number, (uniform > 0.5).double())
    assert torch.isfinite(ends).all()


def test_the_gap_beside_the_zeros_is_empty(bins, preprocessing) -> None:
    x = preprocessing.lower[0] - 0.5 * preprocessing.zero_gap
    assert single(bins, 0, x[None])[1] == -torch.inf


def test_float32_loses_no_shower(bins, coordinates) -> None:
    number, log_density = copy.deepcopy(bins).float().locate(coordinates.float())
    exact, _ = bins.locate(coordinates)
    assert torch.isfinite(log_density).all()
    assert (number != exact).sum() <= 4  # a value may lie on an edge but for its rounding


def test_too_few_bins_or_values_are_refused(preprocessing, coordinates) -> None:
    with pytest.raises(ConfigError, match="coordinate 1 2 bins, but an empty layer"):
        CoordinateBins((3, 1, 2, 3), preprocessing)
    bins = CoordinateBins(REGISTERS, preprocessing)
    with pytest.raises(InputError, match="too few different values for 7 bins"):
        bins.fit(coordinates[:4], "quantiles")
    same = torch.where(torch.arange(4) == 3, 0.5, coordinates)
    with pytest.raises(InputError, match="coordinate 3 of the showers"):
        bins.fit(same, "uniform")
