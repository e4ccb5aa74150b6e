"""Every picture says what its axes are, and draws what it should."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fastcaloq_infer.evaluation.results import Distance, Manifold, Share
from fastcaloq_infer.report import Candidate
from fastcaloq_infer.report.against_energy import (
    chi_square_figure,
    response_figure,
    zero_fraction_figure,
)
from fastcaloq_infer.report.correlations import correlation_figure
from fastcaloq_infer.report.histograms import overall_figure, per_energy_figure
from fastcaloq_infer.report.lineup import line_up
from fastcaloq_infer.report.model_pictures import (
    ConditionerCurves,
    LearningCurve,
    conditioner_figure,
    learning_curve_figure,
)
from fastcaloq_infer.report.quantities import quantities
from fastcaloq_infer.report.separations import feature_figure, separation_figure
from fastcaloq_infer.report.shower_pictures import total_energy_figure
from fastcaloq_infer.report.style import picture, significant, with_error
from fastcaloq_infer.report.two_sample import (
    calibration_figure,
    classifier_figure,
    distance_figure,
    manifold_figure,
)
from fastcaloq_infer.report.voxels import voxel_spectrum_figure, voxel_spectrum_per_energy_figure


def curves() -> ConditionerCurves:
    energy = np.geomspace(256, 65536, 50)
    features = np.cos(np.outer(np.log(energy), np.arange(1, 7)))
    return ConditionerCurves(energy, features, energy[::5], features[::5])


def shown(lineup, family):
    return [quantity for quantity in quantities(lineup) if quantity.family == family]


SAMPLES = {
    "total": lambda lineup: total_energy_figure(lineup),
    "layers": lambda lineup: overall_figure(lineup, shown(lineup, "E")),
    "centres": lambda lineup: overall_figure(lineup, shown(lineup, "centre_eta")),
    "sparsity": lambda lineup: overall_figure(lineup, shown(lineup, "sparsity")),
    "widths": lambda lineup: per_energy_figure(lineup, shown(lineup, "width_r"), [0, 2]),
    "voxels": voxel_spectrum_figure,
    "voxels per energy": voxel_spectrum_per_energy_figure,
}
MODELS = {
    "correlations": correlation_figure,
    "zeros": zero_fraction_figure,
    "response": response_figure,
    "chi squares": chi_square_figure,
    "separation": separation_figure,
    "features": feature_figure,
    "classifiers": classifier_figure,
    "calibration": calibration_figure,
}
OTHERS = {
    "learning": lambda: learning_curve_figure(
        LearningCurve([1, 2, 3], [9.0, 8.0, 7.5], [9.1, 8.2, 7.9])
    ),
    "conditioner": lambda: conditioner_figure(curves()),
}


def check_labels(figure):
    """Every axis has a label of its own, or tick labels hidden in favour of the neighbour's."""
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


@pytest.mark.parametrize("name", SAMPLES)
def test_pictures_of_showers(name, voxels):
    figure = SAMPLES[name](voxels)
    check_labels(figure)
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["Geant4", "statistical error", "flow", "GAN", "second Geant4 sample"]
    image = picture(figure, "palette")
    assert image.startswith(b"\x89PNG")
    assert len(image) < 200_000


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("count", [1, 2])
def test_pictures_of_figures(name, count, voxels):
    figure = MODELS[name](voxels.models[:count])
    svg = picture(figure)
    check_labels(figure)
    assert svg.startswith(b"<?xml")
    assert len(svg) < 700_000


@pytest.mark.parametrize("name", OTHERS)
def test_pictures_of_a_model(name):
    figure = OTHERS[name]()
    check_labels(figure)
    assert picture(figure).startswith(b"<?xml")


def test_distances_and_manifold(voxels):
    """Drawn are the values of every model, the floor's once."""
    number = {"value": 3e-4, "error": 1e-4, "floor": 1e-5, "floor_error": 1e-5}
    distances = tuple(
        Distance(name=name, features="high", n_features=8, showers=100, **number)
        for name in ("FPD", "KPD")
    )
    share = Share(value=0.8, error=0.02, floor=0.85, floor_error=0.02)
    manifold = Manifold(
        features="high", n_features=8, showers=100, nearest=5,
        precision=share, density=share, recall=share, coverage=share,
    )  # fmt: skip
    update = {"distances": distances, "manifold": manifold}
    models = [
        replace(each, evaluation=each.evaluation.model_copy(update=update))
        for each in voxels.models
    ]
    figure = distance_figure(models)
    check_labels(figure)
    lines = figure.axes[0].containers
    assert [float(line[0].get_ydata()[0]) for line in lines] == pytest.approx([0.01, 0.3, 0.3])
    figure = manifold_figure(models)
    assert [float(line[0].get_ydata()[0]) for line in figure.axes[0].containers] == [0.85, 0.8, 0.8]
    assert picture(figure)


def test_units_are_named(layers):
    figure = overall_figure(layers, shown(layers, "E"))
    labels = [axes.get_xlabel() for axes in figure.axes if axes.get_xlabel()]
    assert len(labels) == 5
    assert all("[MeV]" in label for label in labels)


def test_bins_drawn_are_bins_counted(voxels):
    """The steps and the points of the ratio are what numpy counts in the drawn bins."""
    figure = per_energy_figure(voxels, shown(voxels, "E_tot"))
    energies = voxels.groups.centers
    for g, energy in enumerate(energies):
        main, ratio = figure.axes[2 * g : 2 * g + 2]
        stairs = {p.get_label(): p.get_data() for p in main.patches if hasattr(p, "get_data")}
        counted = []
        for label, sample in zip(
            ("Geant4", "flow", "GAN"), (voxels.reference, *voxels.samples), strict=True
        ):
            some = sample.take(sample.incident_energy == energy)
            values, edges = stairs[label].values, stairs[label].edges
            counts, _ = np.histogram(some.total_energy / energy, edges)
            assert values == pytest.approx(counts / some.n_showers)
            counted.append(values)
        points = np.concatenate([c[0].get_ydata() for c in ratio.containers])
        expected = np.concatenate([counted[i][counted[0] > 0] / counted[0][counted[0] > 0]
                                   for i in (1, 2)])  # fmt: skip
        assert set(np.round(points, 9)) <= set(np.round(expected, 9))


def test_separations_written_are_those_of_the_evaluation(voxels):
    figure = overall_figure(voxels, shown(voxels, "width_r"))
    written = " ".join(text.get_text() for axes in figure.axes for text in axes.texts)
    for model in voxels.models:
        found = [f for f in model.evaluation.features if f.feature.startswith("width_r")]
        assert len(found) == 5
        assert all(f"S = {f.value:.2g}" in written for f in found)
        if model is voxels.models[0]:
            assert all(f"floor S = {f.floor:.2g}" in written for f in found)


def test_empty_layers_are_counted_in_the_panel(layers):
    figure = overall_figure(layers, shown(layers, "E"))
    last = [text.get_text() for text in figure.axes[-2].texts]
    share = 100 * float((layers.reference.layer_energy[:, -1] == 0).mean())
    assert f"empty {share:.1f} %" in last[0]
    assert all("empty" in text for text in last)


def test_layers_without_energy_are_drawn(layers, evaluation):
    """A model that never reaches a layer, and one energy alone, make pictures all the same."""
    sample = layers.reference
    rows = np.flatnonzero(sample.incident_energy == 256)
    some = sample.take(rows)
    some.layer_energy[:, 3:] = 0
    lineup = line_up(some, [Candidate("flow", some, evaluation)])
    assert picture(overall_figure(lineup, shown(lineup, "E")), "png").startswith(b"\x89PNG")


def test_same_picture_same_bytes(layers):
    models = layers.models
    assert picture(response_figure(models)) == picture(response_figure(models))
    assert picture(response_figure(models), "png").startswith(b"\x89PNG")


def test_numbers_for_tables():
    assert [significant(v) for v in (0.0, 12.0, 0.12345, 0.0123456)] == [
        "0", "12", "0.123", "0.0123",
    ]  # fmt: skip
    assert with_error(0.69789, 0.00429) == "0.6979 ± 0.0043"
    assert with_error(43.5, 1.477) == "43.5 ± 1.5"
    assert with_error(3.0, 0.0) == "3"
