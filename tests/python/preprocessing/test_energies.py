"""The bijection between layer energies and coordinates: exact, with its volume, zeros included."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.preprocessing import EnergyPreprocessing, PreprocessingConfig
from fastcaloq_infer.preprocessing.bounds import lift, press, squeeze, unsqueeze

INF = float("inf")
LAYERS = 4


def _sample(n: int = 6000, *, lost: float = 0.02, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Made-up showers with every pattern of empty layers, some without any energy."""
    random = np.random.default_rng(seed)
    incident = random.choice([256.0, 1024.0, 16384.0], n)
    share = random.dirichlet([1.0, 6.0, 3.0, 0.5], n)
    layer = share * (incident * random.lognormal(0, 0.1, n))[:, None]
    empty = random.random((n, LAYERS)) < np.array([0.3, 0.02, 0.1, 0.7]) * (256 / incident)[:, None]
    layer[empty] = 0.0
    layer[random.random(n) < lost] = 0.0
    return layer, incident


@pytest.fixture
def sample() -> tuple[Tensor, Tensor]:
    layer, incident = _sample()
    return torch.tensor(layer), torch.tensor(incident)


@pytest.fixture(params=[(), (0,), (2, 0)], ids=["all shared", "one alone", "two alone"])
def fitted(request: pytest.FixtureRequest) -> EnergyPreprocessing:
    return EnergyPreprocessing.fit(*_sample(), PreprocessingConfig(absolute_layers=request.param))


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(5)


@pytest.mark.parametrize(
    ("absolute", "order"), [((), [3, 0, 2, 1]), ((0,), [0, 3, 2, 1]), ((2, 0), [0, 2, 3, 1])]
)
def test_the_most_often_empty_shared_layer_comes_first(
    absolute: tuple[int, ...], order: list[int]
) -> None:
    fitted = EnergyPreprocessing.fit(*_sample(), PreprocessingConfig(absolute_layers=absolute))
    assert fitted.layer_order.tolist() == order
    assert fitted.n_absolute == len(absolute)


def test_round_trip_keeps_energies_and_zeros(
    fitted: EnergyPreprocessing, sample: tuple[Tensor, Tensor]
) -> None:
    layer, incident = sample
    assert (layer.sum(dim=1) == 0).any()
    x, log_abs_det = fitted(layer, incident, _generator())
    assert torch.isfinite(x).all()
    assert torch.isfinite(log_abs_det).all()
    back = fitted.inverse(x, incident)
    above = torch.where(layer > fitted.energy_threshold, layer, 0.0)
    assert torch.equal(back == 0, above == 0)
    # Far below a bound the squeeze keeps exp(-distance) of the digits: 1e-16 * exp(25) there.
    tail = above < 0.1
    torch.testing.assert_close(back[~tail], above[~tail], rtol=1e-7, atol=0)
    torch.testing.assert_close(back[tail], above[tail], rtol=1e-4, atol=0)


def test_zeros_have_an_interval_of_their_own(
    fitted: EnergyPreprocessing, sample: tuple[Tensor, Tensor]
) -> None:
    layer, incident = sample
    x, _ = fitted(layer, incident, _generator())
    for k, position in enumerate(fitted.layer_order[:-1].tolist(), start=1):
        empty = layer[:, position] <= fitted.energy_threshold
        assert (x[empty, k] < fitted.lower[k]).all()
        assert (x[~empty, k] > fitted.lower[k]).all()
        spread = x[empty, k] - fitted.lower[k]
        assert spread.min() >= -fitted.zero_width - fitted.zero_gap
        assert spread.max() <= -fitted.zero_gap


def test_log_abs_det_is_that_of_the_jacobian(
    fitted: EnergyPreprocessing, sample: tuple[Tensor, Tensor]
) -> None:
    layer, incident = sample
    checked = set()
    for i in range(400):
        pattern = tuple((layer[i] > 0).tolist())
        if pattern in checked or not any(pattern):
            continue
        checked.add(pattern)
        on = torch.nonzero(layer[i] > 0)[:, 0]

        def map_to_x(energy: Tensor, i: int = i, on: Tensor = on) -> Tensor:
            full = torch.zeros(1, LAYERS, dtype=torch.float64)
            full[0, on] = energy
            return fitted(full, incident[i : i + 1], _generator())[0][0]

        _, log_abs_det = fitted(layer[i : i + 1], incident[i : i + 1], _generator())
        jacobian = torch.autograd.functional.jacobian(map_to_x, layer[i, on])
        rows = jacobian.abs().sum(dim=1) > 0  # coordinates with a value; the others are noise
        assert rows.sum() == len(on)
        placed = (LAYERS - len(on)) * np.log(fitted.zero_width)  # dx = width dv for every zero
        expected = torch.linalg.slogdet(jacobian[rows]).logabsdet + placed
        torch.testing.assert_close(log_abs_det[0], expected, atol=1e-9, rtol=0)
    assert len(checked) >= 6


def test_density_integrates_to_one() -> None:
    """With one layer and a standard normal behind it, the density in MeV and the atom sum to 1."""
    random = np.random.default_rng(0)
    layer = 500.0 * random.lognormal(0, 0.2, (4000, 1))
    layer[random.random(4000) < 0.1] = 0.0
    fitted = EnergyPreprocessing.fit(layer, np.full(4000, 512.0))

    def density(energy: Tensor, generator: torch.Generator) -> Tensor:
        x, log_abs_det = fitted(energy[:, None], torch.full_like(energy, 512.0), generator)
        normal = torch.distributions.Normal(0.0, 3.0)
        return (normal.log_prob(x[:, 0]) + log_abs_det).exp()

    energy = torch.logspace(-2.9, 9, 400_001, dtype=torch.float64)
    continuous = torch.trapezoid(density(energy, _generator()), energy)
    atom = density(torch.zeros(200_000, dtype=torch.float64), _generator()).mean()
    low = fitted.lower[0]
    # What stays with nobody: below the interval of the zeros, and the gap above it.
    edges = low - fitted.zero_gap - torch.tensor([fitted.zero_width, 0.0, -fitted.zero_gap])
    end, start, bound = torch.distributions.Normal(0.0, 3.0).cdf(edges).tolist()
    above_the_grid = 1e-6
    assert float(continuous + atom) == pytest.approx(
        1.0 - end - (bound - start), abs=2e-4 + above_the_grid
    )


def test_any_coordinates_decode_to_energies_that_add_up(fitted: EnergyPreprocessing) -> None:
    x = 4.0 * torch.randn(20_000, LAYERS, dtype=torch.float64, generator=_generator())
    x[:4] = torch.tensor([[v] * LAYERS for v in (-60.0, 60.0, 0.0, -6.0)])
    incident = torch.full((20_000,), 2048.0, dtype=torch.float64)
    for dtype in (torch.float64, torch.float32):
        energy = fitted.to(dtype).inverse(x.to(dtype), incident.to(dtype))
        assert torch.isfinite(energy).all()
        assert (energy >= 0).all()


def test_interpolates_between_incident_energies(fitted: EnergyPreprocessing) -> None:
    layer, _ = _sample(500, lost=0.0, seed=1)
    incident = torch.linspace(200.0, 20000.0, 500, dtype=torch.float64)
    x, _ = fitted(torch.tensor(layer), incident, _generator())
    assert torch.isfinite(x).all()


def test_a_zero_never_seen_has_no_density() -> None:
    layer, incident = _sample(lost=0.0)
    layer = np.maximum(layer, 1.0)
    fitted = EnergyPreprocessing.fit(layer, incident)
    assert torch.isinf(fitted.lower).all()
    one = torch.tensor([[0.0, 10.0, 20.0, 5.0]], dtype=torch.float64)
    x, log_abs_det = fitted(one, torch.tensor([256.0], dtype=torch.float64), _generator())
    assert torch.isfinite(x).all()
    assert log_abs_det.item() == -INF


def test_too_few_values_are_refused() -> None:
    layer, incident = _sample(100)
    layer[:, 3] = 0.0
    with pytest.raises(InputError, match="fewer than 30"):
        EnergyPreprocessing.fit(layer, incident)


def test_continuous_spectrum_gets_quantile_knots() -> None:
    layer, _ = _sample(lost=0.0)
    incident = np.exp(np.random.default_rng(1).uniform(5, 10, len(layer)))
    fitted = EnergyPreprocessing.fit(layer, incident, PreprocessingConfig(zero_width=0.5))
    assert fitted.knots.shape == (12,)
    assert (fitted.knots.diff() > 0).all()


@pytest.mark.parametrize(("lower", "upper"), [(-INF, INF), (-2.0, INF), (-INF, 3.0), (-2.0, 3.0)])
def test_squeeze_is_a_bijection_with_its_slope(lower: float, upper: float) -> None:
    y = torch.linspace(-12, 12, 2401, dtype=torch.float64, requires_grad=True)
    bounds = (torch.tensor(v, dtype=torch.float64) for v in (lower, upper, 2.0))
    low, high, sharpness = bounds
    x, log_slope = squeeze(y, low, high, sharpness)
    (slope,) = torch.autograd.grad(x.sum(), y)
    torch.testing.assert_close(log_slope.exp(), slope, rtol=1e-9, atol=1e-9)
    assert ((x > low) & (x < high)).all()
    middle = (y.abs() < 6).detach()
    back = unsqueeze(x, low, high, sharpness)
    # exp(2 * 4) below the bound: the last digits carry the tail.
    torch.testing.assert_close(back[middle], y[middle], rtol=0, atol=1e-9)


def test_nothing_passes_the_ceiling(fitted: EnergyPreprocessing) -> None:
    far = torch.full((1, LAYERS), 40.0, dtype=torch.float64)
    incident = torch.tensor([1024.0], dtype=torch.float64)
    alone = fitted.layer_order[: fitted.n_absolute].tolist()
    layer, energies = _sample()
    largest = (layer / energies[:, None]).max(axis=0)
    shared = [i for i in range(LAYERS) if i not in alone]
    energy = fitted.inverse(far, incident)[0].numpy() / 1024.0
    assert energy[shared].sum() < 5.0 * (layer / energies[:, None])[:, shared].sum(1).max()
    for i in alone:
        assert energy[i] < 5.0 * largest[i]


def test_data_beyond_the_ceiling_have_no_density(fitted: EnergyPreprocessing) -> None:
    huge = torch.full((1, LAYERS), 1e7, dtype=torch.float64)
    x, log_abs_det = fitted(huge, torch.tensor([256.0], dtype=torch.float64), _generator())
    assert torch.isfinite(x).all()
    assert log_abs_det.item() == -INF


@pytest.mark.parametrize("ceiling", [2.0, INF])
def test_lift_undoes_press_and_knows_its_slope(ceiling: float) -> None:
    top, sharpness = (torch.tensor(v, dtype=torch.float64) for v in (ceiling, 1.5))
    x = torch.linspace(-10, 8, 1801, dtype=torch.float64)
    y = press(x, top, sharpness).requires_grad_()
    assert (y < top).all()
    back, log_slope = lift(y, top, sharpness)
    (slope,) = torch.autograd.grad(back.sum(), y)
    # The distance to the ceiling keeps exp(-9) of its digits at x = 8.
    torch.testing.assert_close(back.detach(), x, rtol=0, atol=1e-10)
    torch.testing.assert_close(log_slope.exp(), slope, rtol=1e-9, atol=0)
