"""The parts of a WGAN against known answers."""

import json
import math

import numpy as np
import torch

from fastcaloq_infer import data
from fastcaloq_infer.baselines.wgan import WganConfig
from fastcaloq_infer.baselines.wgan.generator import ShowerView
from fastcaloq_infer.baselines.wgan.spectrum import TotalSpectrum

SHORT = {"name": "a", "particle": "photon", "steps": 1}


def test_what_is_seen_of_a_shower_gives_the_shower_back(showers):
    train, _ = showers
    energy = train.incident_energy.astype(np.float64)
    view = ShowerView(train.layer_energy, energy, train.eta, WganConfig.from_dict(SHORT)).double()
    given = torch.as_tensor(train.layer_energy)
    seen = view.see(given, torch.as_tensor(energy))
    assert seen.shape == (len(train), 6)
    back = view.deposits(seen[:, :5], torch.as_tensor(energy))
    assert torch.allclose(back, given, rtol=1e-12, atol=1e-9)
    # Nine energies are knots: inside each the numbers are standardised.
    here = seen[train.incident_energy == 1024]
    assert torch.allclose(here.mean(dim=0), torch.zeros(6, dtype=torch.float64), atol=1e-9)
    assert torch.allclose(here[:, 5].std(correction=0), torch.ones((), dtype=torch.float64))


def test_voxels_share_the_energy_of_their_layer():
    with data.open_showers(data.packaged_sample("showers")) as file:
        batch, layers = next(file.iterate(500)), file.binning.layer_slices
    energy = torch.as_tensor(batch.incident_energy[:500]).double()
    given = torch.as_tensor(batch.showers[:500]).double()
    config = WganConfig.from_dict({**SHORT, "output": "voxels", "resolution": 1e-5})
    view = ShowerView(given.numpy(), energy.numpy(), np.full(500, 0.2), config, layers)
    seen = view.see(given, energy)
    assert seen.shape == (500, 368 + 5 + 1)
    assert torch.allclose(view.deposits(seen[:, :-1], energy), given, rtol=1e-9, atol=1e-9)
    # Twice the energy in every voxel's own number changes shares, not what the layer holds.
    other = seen[:, :-1].clone()
    other[:, :368] = view.see(2 * given, energy)[:, :368]
    assert torch.allclose(view.deposits(other, energy), given, rtol=1e-9, atol=1e-9)


def test_chi2_is_one_for_showers_of_one_distribution_and_large_beside_it():
    random = np.random.default_rng(1)
    energy = np.repeat([256.0, 512.0, 1024.0, 2048.0], 1000)
    spectrum = TotalSpectrum(energy * random.normal(1.0, 0.1, 4000), energy)
    same = spectrum.incident_energy * random.normal(1.0, 0.1, 16_000)
    # 4 x 39 degrees of freedom: a spread of sqrt(2 / 156) = 0.11.
    assert abs(spectrum.chi2(same) - 1.0) < 5 * 0.11
    assert spectrum.chi2(1.05 * same) > 5
    assert math.isnan(spectrum.chi2(np.full(16_000, np.nan)))


def test_training_leaves_its_looks(fit, tmp_path_factory):
    fit("wgan")
    folder = max(tmp_path_factory.getbasetemp().glob("wgan*"), key=lambda p: p.stat().st_mtime_ns)
    looks = json.loads((folder / "looks.json").read_text())
    assert [look["step"] for look in looks] == [5, 10, 12]
    assert all(look["chi2"] > 0 for look in looks)


def test_whole_showers_are_written_for_evaluation(tmp_path, monkeypatch, capsys):
    from fastcaloq_infer.baselines.__main__ import baselines

    with data.open_showers(data.packaged_sample("showers")) as file:
        batch = next(file.iterate(300))
    binning = data.binning("dataset-1-photons")
    source = tmp_path / "few.hdf5"
    with data.write_showers(source, binning, eta=0.2) as writer:
        writer.append(batch.incident_energy[:300], batch.showers[:300])
    small = ["generator=[16]", "critic=[16]", "latent=4", "steps=3", "batch_size=32"]
    settings = [*small, "data.validation_fraction=0.2", f"data.train={source}"]
    for name in ("one", "two"):
        baselines("wgan_showers", tmp_path / f"{name}.hdf5", source, settings, seed=4)
    assert "300 generated showers of 368 voxels" in capsys.readouterr().out
    with (
        data.open_showers(tmp_path / "one.hdf5") as one,
        data.open_showers(tmp_path / "two.hdf5") as two,
    ):
        first, second = next(one.iterate()), next(two.iterate())
        assert one.eta == 0.2
    assert first.showers.shape == (300, 368)
    assert np.array_equal(first.incident_energy, batch.incident_energy[:300])
    assert np.array_equal(first.showers, second.showers)
    assert (first.showers == 0).any()
