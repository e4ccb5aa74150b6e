"""Likelihoods of toy flows in closed form, and the shipped one on its held-out showers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import norm

from fastcaloq_infer.errors import InputError
from fastcaloq_infer.evaluation.likelihood.held_out import likelihood
from fastcaloq_infer.evaluation.results.likelihood import Likelihood
from fastcaloq_infer.evaluation.samples.sample import Sample

WIDTH = 0.3


class LogNormal:
    """Layer energies E_inc exp(width z): log p = -sum log E - L log width - |z|^2/2 - ..."""

    def forward(self, layer_energy, incident_energy, eta, generator=None):
        z = (layer_energy / incident_energy[:, None]).log() / WIDTH
        return z, -(layer_energy * WIDTH).log().sum(dim=1)

    def inverse(self, z, incident_energy, eta):
        return incident_energy[:, None] * (WIDTH * z).exp()


class Coin:
    """One layer, empty with probability 0.4, else exponential with mean E_inc.

    Zeros lie at u^2 of their interval instead of u, so the bound loses 1 - log 2 nats for each.
    """

    empty = 0.4

    def forward(self, layer_energy, incident_energy, eta, generator=None):
        ratio = layer_energy[:, 0] / incident_energy
        u = torch.rand(len(ratio), generator=generator, dtype=torch.float64)
        below = torch.where(
            ratio == 0, self.empty * u**2, self.empty + (1 - self.empty) * -torch.expm1(-ratio)
        )
        # dz/dx = p(x) / phi(z)
        log_density = torch.where(
            ratio == 0, (2 * u * self.empty).log(), np.log(0.6) - ratio - incident_energy.log()
        )
        z = torch.special.ndtri(below)
        return z[:, None], log_density + 0.5 * (z**2 + np.log(2 * np.pi))

    def inverse(self, z, incident_energy, eta):
        below = torch.special.ndtr(z[:, 0])
        ratio = -torch.log1p(-((below - self.empty) / (1 - self.empty)).clamp(0, 1 - 1e-12))
        return (incident_energy * ratio)[:, None]


class Picky(LogNormal):
    """No density above twice the incident energy."""

    def forward(self, layer_energy, incident_energy, eta, generator=None):
        z, log_abs_det = super().forward(layer_energy, incident_energy, eta)
        beyond = (layer_energy > 2 * incident_energy[:, None]).any(dim=1)
        return z, torch.where(beyond, -torch.inf, log_abs_det)


def showers(z, energies=(1000.0, 4000.0)):
    energy = np.resize(energies, len(z))
    return Sample(
        energy, energy[:, None] * np.exp(WIDTH * z), eta=np.full(len(z), 0.2), layer_ids=(1, 2, 7)
    )


def test_likelihood_of_the_true_flow(rng):
    """E[log p] = -3 log E_inc - 3 log width - 3/2 log(2 pi e) for every energy."""
    found = likelihood(LogNormal(), showers(rng.normal(size=(4000, 3))))
    for at in found.energies:
        entropy = 3 * np.log(at.incident_energy * WIDTH * np.sqrt(2 * np.pi * np.e))
        assert abs(at.nats + entropy) < 4 * at.error
        assert abs(at.own + entropy) < 4 * at.own_error
        assert at.tighter == pytest.approx(at.nats, rel=1e-12)  # nothing is empty
        assert abs(at.unlikely - 0.01) < 4 * at.unlikely_error
        # log p = const - sum(width z) - |z|^2/2, so its variance is 3 (width^2 + 1/2).
        assert at.error == pytest.approx(np.sqrt(3 * (WIDTH**2 + 0.5) / 2000), rel=0.1)
    assert found.nats == pytest.approx(np.mean([at.nats for at in found.energies]))
    assert found.latent.rejected(0.01) == ()
    assert all(abs(loss.nats) < 4 * loss.error for loss in found.losses)
    assert [loss.name for loss in found.losses] == [
        "classifier", "marginals", "correlation", "E_1", "E_2", "E_7", "E_tot"
    ]  # fmt: skip


def test_loss_of_a_wrong_layer(rng):
    """The second layer is 1.3 times as wide: (s^2 - 1)/2 - log s nats, in its latent and itself."""
    found = likelihood(LogNormal(), showers(rng.normal(size=(8000, 3)) * [1.0, 1.3, 1.0]))
    exact = 0.5 * (1.3**2 - 1) - np.log(1.3)
    losses = {loss.name: loss for loss in found.losses}
    for name in ("marginals", "classifier", "E_2"):
        assert 0.6 * exact < losses[name].nats < exact + 4 * losses[name].error
    for name in ("correlation", "E_1", "E_7"):
        assert abs(losses[name].nats) < 4 * losses[name].error
    # E[log p] falls by E[z^2]/2: what the flow expects of its own showers shows it, too.
    assert found.own - found.nats == pytest.approx(
        0.5 * (1.3**2 - 1), abs=4 * np.hypot(found.error, found.own_error)
    )
    assert all(at.unlikely > 0.01 + 4 * at.unlikely_error for at in found.energies)


def test_zeros_are_bounded_and_the_bound_is_tightened(rng):
    n = 6000
    energy = np.full(n, 500.0)
    layer = rng.exponential(size=n) * energy * (rng.random(n) > Coin.empty)
    sample = Sample(energy, layer[:, None], eta=np.zeros(n))
    found = likelihood(Coin(), sample, draws=32)
    # Entropy of the coin and of the exponential; the bound loses 1 - log 2 nats per zero.
    exact = 0.4 * np.log(0.4) + 0.6 * (np.log(0.6) - 1 - np.log(500.0))
    loss = 0.4 * (1 - np.log(2))
    assert abs(found.nats - (exact - loss)) < 4 * found.error
    assert found.nats < found.tighter
    # The bound of K draws misses about var(2u)/2K = 1/6K nats per zero.
    assert abs(found.tighter - (exact - 0.4 / 6 / 32)) < 4 * found.error
    marginals = next(part for part in found.losses if part.name == "marginals")
    assert 0.8 * loss < marginals.nats < loss + 4 * marginals.error
    # The energies themselves are described perfectly, zeros included.
    assert abs(next(part for part in found.losses if part.name == "E_0").nats) < 0.01
    assert found.energies[0].own == pytest.approx(
        found.nats, abs=4 * np.hypot(found.error, found.energies[0].own_error)
    )


def test_unlikely_showers_are_found(rng):
    z = rng.normal(size=(1000, 3))
    z[417] = [0.0, 7.0, -0.2]
    z[600, 0] = -5.5
    found = likelihood(LogNormal(), showers(z), n_unlikely=5)
    assert [shower.row for shower in found.unlikely[:2]] == [417, 600]
    worst = found.unlikely[0]
    assert worst.tail == 0.0
    assert worst.below_median > 15
    assert worst.latent == pytest.approx((0.0, 7.0, -0.2))
    assert worst.quantiles[1] == 1.0
    assert 0.4 < worst.quantiles[0] < 0.6
    assert worst.incident_energy == (1000.0, 4000.0)[417 % 2]
    tails = [shower.tail for shower in found.unlikely]
    assert tails == sorted(tails)
    assert len(tails) == 5


def test_impossible_showers_are_counted_and_left_out(rng):
    z = np.clip(rng.normal(size=(1000, 3)), -2, 2)
    z[:7, 1] = 3.0
    found = likelihood(Picky(), showers(z))
    assert found.impossible == 7
    assert found.nats == pytest.approx(likelihood(LogNormal(), showers(z[7:])).nats, abs=0.01)
    assert all(np.isfinite(shower.log_prob) for shower in found.unlikely)


def test_energies_with_few_showers_are_left_out(rng):
    z = rng.normal(size=(1000, 3))
    sample = showers(z, (1000.0,))
    sample.incident_energy[500:599] = 777.0
    found = likelihood(LogNormal(), sample)
    assert [at.incident_energy for at in found.energies] == [1000.0]
    assert found.showers == 901
    assert len(found.notes) == 1
    assert "777" in found.notes[0]
    assert max(shower.row for shower in found.unlikely) > 599  # rows are those of the sample
    with pytest.raises(InputError, match="no incident energy has 200"):
        likelihood(LogNormal(), showers(z[:150]))


def test_bad_input(rng):
    sample = showers(rng.normal(size=(1000, 3)))
    with pytest.raises(InputError, match="no eta"):
        likelihood(LogNormal(), Sample(sample.incident_energy, sample.layer_energy))

    class Broken(LogNormal):
        def forward(self, layer_energy, incident_energy, eta, generator=None):
            z, log_abs_det = super().forward(layer_energy, incident_energy, eta)
            return z, torch.where(torch.arange(len(z)) == 5, torch.nan, log_abs_det)

    with pytest.raises(InputError, match=r"shower 5 .* no number"):
        likelihood(Broken(), sample)


def test_the_shipped_flow_on_held_out_showers(held_out):
    """The mean is log_prob's, its zeros are a bound, and figures go to JSON and back."""
    from fastcaloq_infer.training.checkpoint import load_flow

    flow, _ = load_flow("photon_energy")
    part = Sample(
        held_out.incident_energy[:4000].astype(np.float64),
        held_out.layer_energy[:4000],
        eta=held_out.eta[:4000],
        layer_ids=held_out.layer_ids,
    )
    found = likelihood(flow, part, seed=2, draws=3, copies=1)
    assert found == likelihood(flow, part, seed=2, draws=3, copies=1)
    assert Likelihood.model_validate_json(found.model_dump_json()) == found
    with torch.no_grad():
        direct = flow.log_prob(
            *(torch.as_tensor(np.array(x)) for x in (part.layer_energy, part.incident_energy)),
            torch.as_tensor(np.array(part.eta)),
        ).numpy()
    # Two draws of the zeros' places differ by about a nat in one shower of three.
    assert found.nats == pytest.approx(direct.mean(), abs=4 / np.sqrt(3 * 4000))
    assert found.nats < found.tighter
    # Trained well: no part of the latents loses a tenth of a nat, which a broken one would.
    assert all(abs(loss.nats) < 0.02 + 4 * loss.error for loss in found.losses)
    assert norm.sf((found.own - found.nats) / np.hypot(found.error, found.own_error)) > 1e-6
