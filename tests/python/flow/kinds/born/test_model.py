"""Kind ``born`` as a density in MeV: normalised, finite, and what it draws follows it."""

import math

import numpy as np
import pytest
import torch
from models import random_metadata
from scipy import stats

from fastcaloq_infer import data
from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.flow.condition import Validity
from fastcaloq_infer.flow.kinds.born.config import BornConfig
from fastcaloq_infer.flow.kinds.born.model import BornModel
from fastcaloq_infer.preprocessing.energies import EnergyPreprocessing
from fastcaloq_infer.training.metadata import constants_of


def random_model(n_layers: int = 4, *, bounds: bool = True, **quantum) -> BornModel:
    """Random angles, edges as of random showers."""
    metadata = random_metadata(n_layers=n_layers, bounds=bounds)
    preprocessing = EnergyPreprocessing(constants_of(metadata.preprocessing))
    validity = Validity(metadata.validity.incident_energy, metadata.validity.eta)
    torch.manual_seed(2)
    model = BornModel(BornConfig(**quantum), preprocessing, validity).double()
    x = 0.7 * torch.randn(2000, n_layers, dtype=torch.float64)
    model.initialise_coordinates(x, torch.zeros(2000, 2, dtype=torch.float64))
    return model.requires_grad_(False)


def particles(n: int, energies: int = 9) -> tuple[torch.Tensor, torch.Tensor]:
    """Incident energies that repeat, at one eta."""
    log_energy = torch.linspace(math.log(256.0), math.log(65536.0), energies, dtype=torch.float64)
    return log_energy.exp().repeat_interleave(n // energies), torch.full(
        (n // energies * energies,), 0.2, dtype=torch.float64
    )


@pytest.mark.parametrize(
    "quantum",
    [
        {"bits": 2},
        {"bits": (2, 3, 2, 1), "output": "qft", "encoding": "iqp"},
        {"bits": 2, "output": "qft_registers", "encoding": "angle_z", "start": "+"},
        {"bits": 2, "reuploading": False, "encoding": "angle_x", "start": "01101001"},
    ],
    ids=str,
)
def test_probabilities_sum_to_one(quantum) -> None:
    model = random_model(4, **quantum)
    condition = model.condition(*particles(9))
    assert (model.probabilities(condition).sum(dim=1) - 1).abs().max() < 1e-12
    single = model.float().probabilities(condition.float())
    assert (single.sum(dim=1) - 1).abs().max() < 1e-6


@pytest.mark.parametrize("edges", ["quantiles", "uniform"])
def test_the_density_in_mev_integrates_to_one(edges: str) -> None:
    """Two layers, trapezia in log E: densities of bins with steps, so to one part in a thousand."""
    model = random_model(2, bounds=False, bits=2, edges=edges)
    incident = torch.tensor(1000.0, dtype=torch.float64)
    axis = torch.linspace(math.log(1e-2), math.log(1e6), 1200, dtype=torch.float64)
    step = float(axis[1] - axis[0])
    first, second = torch.meshgrid(axis, axis, indexing="ij")
    energy = torch.stack([first.flatten(), second.flatten()], dim=1).exp()
    eta = torch.full((len(energy),), 0.2, dtype=torch.float64)
    log_prob = model.log_prob(energy, incident.expand(len(energy)), eta)
    total = float((log_prob.exp() * energy.prod(dim=1)).sum()) * step**2
    assert total == pytest.approx(1.0, abs=5e-3)


def test_an_empty_layer_has_the_probability_of_its_bin() -> None:
    """One layer: probability of nothing and density of something add up, without a lower bound."""
    model = random_model(1, bits=3)
    eta = torch.full((1,), 0.2, dtype=torch.float64)
    incident = torch.full((1,), 2000.0, dtype=torch.float64)
    condition = model.condition(incident, eta)
    empty = model.log_prob(torch.zeros(1, 1, dtype=torch.float64), incident, eta)
    assert model.bins.has_zeros(0) == (True, False)
    assert float(empty.exp()) == pytest.approx(float(model.probabilities(condition)[0, 0]))
    axis = torch.linspace(math.log(1e-3), math.log(1e6), 400_000, dtype=torch.float64)
    rows = axis.exp()[:, None]
    log_prob = model.log_prob(rows, incident.expand(len(rows)), eta.expand(len(rows)))
    density = torch.where(torch.isfinite(log_prob), log_prob, -torch.inf).exp()
    valued = float((density * rows[:, 0]).sum() * (axis[1] - axis[0]))
    assert valued + float(empty.exp()) == pytest.approx(1.0, abs=2e-3)


def test_draws_follow_the_probabilities() -> None:
    """chi2 of the drawn bins at every energy; the smallest of nine p values against 1e-3 / 9."""
    model = random_model(3, bits=2)
    energy, eta = particles(45_000)
    condition = model.condition(energy, eta)
    number = model.draw_bins(condition, torch.Generator().manual_seed(4))
    expected = model.probabilities(condition[::5000]).numpy() * 5000
    for row, counts in zip(expected, number.reshape(9, -1).numpy(), strict=True):
        observed = np.bincount(counts, minlength=model.n_bins)
        few = row < 5
        merged = [np.append(part[~few], part[few].sum()) for part in (observed, row)]
        assert stats.chisquare(*merged).pvalue > 1e-3 / 9


@pytest.fixture(scope="module")
def photons() -> BornModel:
    """Edges from a tenth of the packaged training run."""
    train = data.read_layer_energies(data.packaged_sample("train"))
    few = slice(None, None, 10)
    preprocessing = EnergyPreprocessing.fit(train.layer_energy, train.incident_energy)
    config = BornConfig(bits=(3, 2, 2, 2, 3), n_layers=2)
    torch.manual_seed(2)
    model = BornModel(config, preprocessing, Validity((256.0, 65536.0), (0.2, 0.25))).double()
    columns = (train.layer_energy, train.incident_energy, train.eta)
    model.initialise(*(torch.as_tensor(column[few]) for column in columns))
    return model.requires_grad_(False)


def test_draws_go_to_mev_and_back(photons) -> None:
    energy, eta = particles(900)
    condition = photons.condition(energy, eta)
    x = photons.draw_coordinates(condition, torch.Generator().manual_seed(1))
    showers = photons.sample(energy, eta, torch.Generator().manual_seed(1))
    assert torch.isfinite(showers).all()
    assert (showers == 0).any()
    again, log_abs_det = photons.preprocessing(showers, energy)
    # Draws below 1 keV in a layer count as empty; a draw with nothing at all has no coordinates.
    kept = torch.isfinite(log_abs_det)
    same = photons.bins.locate(again)[0] == photons.bins.locate(x)[0]
    assert (same | ~kept).float().mean() > 0.98
    assert kept.float().mean() > 0.98


def test_many_energies_are_drawn_piece_by_piece(photons) -> None:
    energy, eta = particles(900)
    spread = energy * torch.linspace(1.0, 1.1, len(energy), dtype=torch.float64)
    assert torch.isfinite(photons.sample(spread, eta, torch.Generator().manual_seed(1))).all()


def test_every_packaged_shower_has_a_likelihood(photons) -> None:
    held_out = data.read_layer_energies(data.packaged_sample("heldout"))
    layers, energy, eta = (
        torch.as_tensor(c) for c in (held_out.layer_energy, held_out.incident_energy, held_out.eta)
    )
    x, log_abs_det = photons.preprocessing(layers, energy)
    assert torch.isfinite(photons.coordinate_log_prob(x, photons.condition(energy, eta))).all()
    # Without density: an empty layer that no training shower has, or more than its ceiling.
    assert torch.isfinite(log_abs_det).float().mean() > 0.999


@pytest.mark.parametrize(
    ("quantum", "message"),
    [
        ({"bits": 5}, "asks for 20 qubits: a single state of them takes 0.0156 GiB"),
        ({"bits": (2, 2, 2)}, "has 3 entries, but 4 layers make 4 coordinates"),
        ({"bits": (2, 1, 2, 2)}, "coordinate 1 2 bins, but an empty layer"),
        ({"encoding": "rz"}, "encoding = 'rz' cannot be used: choose one of angle_y"),
        ({"ansatz": "none"}, "ansatz = 'none' cannot be used: choose one of rotation_ring"),
        ({"start": "0101"}, "start = '0101' is no state of 8 qubits"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(quantum, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        random_model(4, **quantum)


def test_too_much_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastcaloq_infer.flow.kinds.born.model.available_memory", lambda: 2**26)
    with pytest.raises(ConfigError, match=r"16 qubits in 8 layers need 0\.7 GiB .* with 9 differ"):
        random_model(4, bits=4)
    model = random_model(4, bits=2)
    energy, eta = particles(18_000, 9000)
    condition = model.condition(energy, eta)
    with pytest.raises(ConfigError, match="step with 9000 different incident particles"):
        model.coordinate_log_prob(torch.zeros(18_000, 4, dtype=torch.float64), condition)
    with torch.no_grad():  # without gradients it goes piece by piece
        assert len(model.draw_bins(condition[:200])) == 200
