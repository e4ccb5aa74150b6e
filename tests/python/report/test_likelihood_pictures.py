"""Pictures of a likelihood: what is drawn is what the figures say."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from fastcaloq_infer.evaluation.likelihood.held_out import likelihood
from fastcaloq_infer.evaluation.samples.sample import Sample
from fastcaloq_infer.report.likelihood_pictures import (
    likelihood_figure,
    likelihood_pictures,
    lost_figure,
)
from fastcaloq_infer.report.style import picture


class LogNormal:
    """Layer energies E_inc exp(z)."""

    def forward(self, layer_energy, incident_energy, eta, generator=None):
        z = (layer_energy / incident_energy[:, None]).log()
        return z, -layer_energy.log().sum(dim=1)

    def inverse(self, z, incident_energy, eta):
        return incident_energy[:, None] * z.exp()


@pytest.fixture(scope="module")
def figures():
    z = np.random.default_rng(7).normal(size=(1000, 3)) * [1.0, 1.5, 1.0]
    energy = np.resize([500.0, 2000.0], len(z))
    sample = Sample(energy, energy[:, None] * np.exp(z), eta=np.zeros(len(z)), layer_ids=(0, 2, 12))
    return likelihood(LogNormal(), sample, copies=2)


def model(label, found):
    return SimpleNamespace(
        label=label, colour="#0072b2", marker="o", evaluation=SimpleNamespace(likelihood=found)
    )


def test_every_picture_is_drawn(figures):
    found = list(likelihood_pictures([model("a", figures)]))
    assert [p.name for p in found] == ["likelihood", "lost", "latents", "unlikely"]
    assert all(p.caption and picture(p.draw(), "svg").startswith(b"<?xml") for p in found)
    assert list(likelihood_pictures([model("a", None)])) == []
    two = [p.name for p in likelihood_pictures([model("a", figures), model("b", figures)])]
    assert two[0] == "likelihood"
    assert len(set(two)) == 7


def test_what_is_drawn_is_what_is_measured(figures):
    top, bottom, right = likelihood_figure([(model("a", figures), figures)]).axes
    assert list(top.containers[0].lines[0].get_ydata()) == [at.nats for at in figures.energies]
    assert list(bottom.containers[0].lines[0].get_ydata()) == [
        at.nats - at.own for at in figures.energies
    ]
    names = [label.get_text() for label in right.get_yticklabels()]
    lost = right.containers[0].lines[0].get_xdata()
    assert names[int(np.argmax(lost[3:])) + 3] == "layer 2"  # the wrong one
    assert all(axes.get_ylabel() for axes in (top, bottom))


def test_heat_maps_have_the_energies_in_rows(figures):
    heat = lost_figure(figures).axes[1].images[0].get_array()
    assert heat.shape == (2, 4)
    assert set(np.argmax(heat[:, :3], axis=1)) == {1}
