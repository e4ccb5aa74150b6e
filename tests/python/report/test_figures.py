"""Every picture says what its axes are, and draws what it should."""

from __future__ import annotations

import numpy as np
import pytest

from fastcaloq_infer.evaluation.groups import energy_groups
from fastcaloq_infer.evaluation.sample import Sample, as_sample
from fastcaloq_infer.report.comparison import bin_showers, choose_edges
from fastcaloq_infer.report.histograms import (
    all_layers_figure,
    layer_energy_figure,
    mixture_weights,
    total_energy_figure,
)
from fastcaloq_infer.report.model_pictures import (
    ConditionerCurves,
    LearningCurve,
    conditioner_figure,
    learning_curve_figure,
)
from fastcaloq_infer.report.style import picture
from fastcaloq_infer.report.summaries import (
    correlation_figure,
    response_figure,
    separation_figure,
    zero_fraction_figure,
)


@pytest.fixture(scope="module")
def samples(reference, generated):
    ref, gen = as_sample(reference, "reference"), as_sample(generated, "generated")
    return ref, gen, energy_groups(ref)


def curves() -> ConditionerCurves:
    energy = np.geomspace(256, 65536, 50)
    features = np.cos(np.outer(np.log(energy), np.arange(1, 7)))
    return ConditionerCurves(energy, features, energy[::5], features[::5])


FIGURES = {
    "total": lambda samples, _: total_energy_figure(*samples),
    "layers": lambda samples, e: all_layers_figure(*samples, e.layer_ids),
    "layer": lambda samples, _: layer_energy_figure(*samples, 4, 12),
    "correlations": lambda _, e: correlation_figure(e),
    "zeros": lambda _, e: zero_fraction_figure(e),
    "response": lambda _, e: response_figure(e),
    "separation": lambda _, e: separation_figure(e),
    "learning": lambda *_: learning_curve_figure(
        LearningCurve([1, 2, 3], [9.0, 8.0, 7.5], [9.1, 8.2, 7.9])
    ),
    "conditioner": lambda *_: conditioner_figure(curves()),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_axis_is_labelled(name, samples, evaluation):
    """A label of its own, or tick labels hidden in favour of the neighbour's."""
    figure = FIGURES[name](samples, evaluation)
    rows, columns = set(), set()
    assert figure.axes
    for axes in figure.axes:
        box = axes.get_position()
        if axes.get_ylabel():
            rows.add(round(box.y0, 2))
        if axes.get_xlabel():
            columns.add(round(box.x0, 2))
    for axes in figure.axes:
        box = axes.get_position()
        colour_bar = axes.get_label() == "<colorbar>"
        assert axes.get_ylabel() or colour_bar or round(box.y0, 2) in rows
        assert axes.get_xlabel() or colour_bar or round(box.x0, 2) in columns
        assert not colour_bar or axes.get_xlabel() or axes.get_ylabel()
    svg = picture(figure)
    assert svg.startswith(b"<?xml")
    assert len(svg) < 1_500_000


def test_units_are_named(samples, evaluation):
    figure = all_layers_figure(*samples, evaluation.layer_ids)
    labels = [axes.get_xlabel() for axes in figure.axes if axes.get_xlabel()]
    assert len(labels) == 5
    assert all("[MeV]" in label for label in labels)


def test_histogram_is_normalised_to_all_showers():
    values = np.array([0.0, 1.5, 1.6, 2.5, 99.0])
    binned = bin_showers(values, np.array([1.0, 2.0, 3.0]))
    assert binned.fraction.tolist() == [0.4, 0.2]
    assert binned.error == pytest.approx(np.sqrt([2, 1]) / 5)
    weighted = bin_showers(values, np.array([1.0, 2.0, 3.0]), np.array([1, 3, 3, 1, 2.0]))
    assert weighted.fraction == pytest.approx([0.6, 0.1])


def test_edges_follow_the_distribution():
    narrow, logarithmic = choose_edges(np.random.default_rng(1).normal(50, 1, 5000))
    assert not logarithmic
    assert 44 < narrow[0] < narrow[-1] < 56
    wide, logarithmic = choose_edges(np.random.default_rng(1).lognormal(0, 2, 5000))
    assert logarithmic
    assert np.diff(np.log(wide)) == pytest.approx(np.log(wide[1] / wide[0]))
    choose_edges(np.zeros(10))  # an empty layer can still be drawn


def test_mixture_weights(samples):
    reference, generated, groups = samples
    twice = Sample(
        np.concatenate([generated.incident_energy, generated.incident_energy[:20000]]),
        np.concatenate([generated.layer_energy, generated.layer_energy[:20000]]),
    )
    weights = mixture_weights(reference, twice, groups)
    for ref, gen in zip(groups.rows(reference), groups.rows(twice), strict=True):
        assert weights[gen].sum() == pytest.approx(len(ref))


def test_layers_without_energy_are_drawn(samples):
    """A model that never reaches a layer, and one energy alone, make pictures all the same."""
    reference, *_ = samples
    rows = np.flatnonzero(reference.incident_energy == 256)
    some = Sample(reference.incident_energy[rows], reference.layer_energy[rows] * [1, 1, 1, 0, 0])
    figure = all_layers_figure(some, some, energy_groups(some), (0, 1, 2, 3, 12))
    assert b"svg" in picture(figure)


def test_same_picture_same_bytes(evaluation):
    assert picture(response_figure(evaluation)) == picture(response_figure(evaluation))
    assert picture(response_figure(evaluation), "png").startswith(b"\x89PNG")
