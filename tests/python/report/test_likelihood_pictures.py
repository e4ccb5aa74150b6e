"""Pictures of a likelihood: what is drawn is what the figures say."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from fastcaloq_infer.evaluation.likelihood.held_out import likelihood
from fastcaloq_infer.evaluation.results import ShapeLikelihood
from fastcaloq_infer.evaluation.samples.sample import Sample
from fastcaloq_infer.report.likelihood_pictures import (
    likelihood_figure,
    likelihood_pictures,
    lost_figure,
)
from fastcaloq_infer.report.shape_likelihood_pictures import (
    shape_latents_figure,
    shape_likelihood_figure,
    shape_likelihood_pictures,
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


def shape_figures(layers):
    """Two energies; layer k loses k nats at the first of them."""
    at = {"showers": 300, "impossible": 0, "error": 1.0, "own_error": 1.0, "unlikely": 0.01,
          "unlikely_error": 0.01}  # fmt: skip
    worst = {"worst": None, "worst_nats": 0.0, "worst_error": 0.1}
    return ShapeLikelihood(
        layer_ids=(0, 12), showers=600, impossible=0, latents=9, seed=1, nats=-50.0, error=0.7,
        own=-49.0, own_error=0.7, lost=1.0, lost_error=0.1, tests=18, failed=2,
        energies=[
            {"incident_energy": e, "nats": -e / 20, "own": -e / 20 + 1, **at}
            for e in (500.0, 2000.0)
        ],
        layers=[
            {"layer": layer, "incident_energy": e, "latents": 9, "nats": k * (e == 500),
             "error": 0.1, **worst}
            for k, layer in enumerate(layers) for e in (500.0, 2000.0)
        ],
        uniformity=[{"layer": layer, "counts": [100] * 20} for layer in layers],
    )  # fmt: skip


@pytest.mark.parametrize("layers", [(0, 12), (None,)])
def test_likelihood_of_voxels(layers):
    found = shape_figures(layers)
    who = model("a", None)
    who.evaluation.shape_likelihood = found
    pictures = list(shape_likelihood_pictures([who]))
    assert [p.name for p in pictures] == ["shape_likelihood", "shape_latents"]
    assert "2 of 18 tests" in pictures[1].caption
    assert all(picture(p.draw(), "svg").startswith(b"<?xml") for p in pictures)
    top, bottom = shape_likelihood_figure([(who, found)]).axes
    assert list(top.containers[0].lines[0].get_ydata()) == [-25.0, -100.0]
    assert list(bottom.containers[0].lines[0].get_ydata()) == [-1.0, -1.0]
    written = [text.get_text() for text in shape_latents_figure(found, "b").axes[0].texts]
    assert written[-2:] == [f"{sum(range(len(layers))):.2f}", "0.00"]
    who.evaluation.shape_likelihood = None
    assert list(shape_likelihood_pictures([who])) == []
