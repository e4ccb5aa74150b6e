"""Showers seen along the particle: every voxel is drawn where its r and alpha are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from fastcaloq_infer.data import Binning, LayerBinning, binning
from fastcaloq_infer.errors import InputError
from fastcaloq_infer.report.polar import MAX_LAYERS, Shower, average, draw_layer, polar_figure
from fastcaloq_infer.report.style import picture

# Equal rings are drawn to scale, unequal ones logarithmically.
EVEN = LayerBinning(2, (0, 10, 20, 30), n_alpha=4)
UNEVEN = LayerBinning(1, (0, 2, 10, 100), n_alpha=10)
RINGS = LayerBinning(0, (0, 5, 100), n_alpha=1)


def colour_at(mesh, x: float, y: float) -> float:
    """Return the value of the mesh's cell that holds a point of the paper."""
    corners = mesh.get_coordinates()
    values = mesh.get_array().reshape(corners.shape[0] - 1, corners.shape[1] - 1)
    angle = np.unwrap(np.arctan2(corners[:, -1, 1], corners[:, -1, 0]))
    radius = np.hypot(corners[0, :, 0], corners[0, :, 1])
    turned = angle[0] + (math.atan2(y, x) - angle[0]) % math.tau
    row = np.searchsorted(angle, turned, side="right") - 1
    return float(values[row, np.searchsorted(radius, math.hypot(x, y), side="right") - 1])


@pytest.mark.parametrize("layer", [EVEN, UNEVEN, RINGS], ids=["even", "uneven", "rings"])
def test_voxel_is_drawn_at_its_place(layer):
    axes = Figure().subplots()
    voxels = np.arange(layer.n_voxels, dtype=float)
    mesh = draw_layer(axes, layer, voxels)
    unit = layer.r_edges[1]
    for i_alpha in range(layer.n_alpha):
        # The first sector begins at -pi (arXiv:2410.21611, section 2).
        alpha = -math.pi + (i_alpha + 0.3) * math.tau / layer.n_alpha
        for i_r in range(layer.n_r):
            r = 0.5 * (layer.r_edges[i_r] + layer.r_edges[i_r + 1])
            paper = r if layer is EVEN else math.log1p(r / unit)
            found = colour_at(mesh, paper * math.cos(alpha), paper * math.sin(alpha))
            assert found == i_alpha * layer.n_r + i_r


def test_average_is_the_weighted_mean_with_its_error():
    showers = np.random.default_rng(1).exponential(3.0, (500, 6)).astype(np.float32)
    plain = average("all", showers)
    assert plain.energy == pytest.approx(showers.mean(axis=0), rel=1e-5)
    assert plain.error == pytest.approx(showers.std(axis=0) / math.sqrt(500), rel=1e-4)
    weights = np.where(np.arange(500) < 100, 1.0, 0.0)
    first = average("first", showers, weights)
    assert first.energy == pytest.approx(showers[:100].mean(axis=0), rel=1e-5)
    assert first.error == pytest.approx(showers[:100].std(axis=0) / 10, rel=1e-4)


def test_rows_columns_and_scales():
    which = Binning("toy", "photon", 22, (RINGS, UNEVEN, EVEN))
    energy = np.random.default_rng(2).exponential(1.0, which.n_voxels)
    figure = polar_figure(
        [Shower("Geant4", energy), Shower("a", 2 * energy), Shower("b", energy)], which, ratio_to=0
    )
    meshes = [axes.collections[0] for axes in figure.axes[:15]]
    labels = [axes.get_ylabel() for axes in figure.axes[:15:3]]
    assert labels == ["Geant4", "a", "b", "a /\nGeant4", "b /\nGeant4"]
    assert len({(mesh.norm.vmin, mesh.norm.vmax) for mesh in meshes[:9]}) == 1
    assert np.unique(meshes[9].get_array()).tolist() == pytest.approx([2.0])
    assert np.unique(meshes[12].get_array()).tolist() == pytest.approx([1.0])
    assert figure.axes[15].get_ylabel() == "energy per voxel [MeV]"
    assert b"svg" in picture(figure)


def test_ratio_says_nothing_where_it_is_not_known():
    which = Binning("toy", "photon", 22, (RINGS,))
    reference = Shower("Geant4", np.array([1.0, 0.0]), np.array([0.1, 0.0]))
    sure = Shower("a", np.array([1.5, 1.0]), np.array([0.1, 0.1]))
    vague = Shower("b", np.array([1.5, 1.0]), np.array([0.5, 0.1]))
    figure = polar_figure([reference, sure, vague], which, ratio_to=0)
    first, second = (axes.collections[0].get_array() for axes in figure.axes[3:5])
    assert np.nanmax(first) == 1.5
    assert np.ma.masked_invalid(second).count() == 0  # 0.5 of 1.5 is more than 25 %


def test_a_single_shower_and_many_layers():
    which = binning("dataset-2")
    figure = polar_figure([Shower("shower", np.ones(which.n_voxels))], which)
    titles = [axes.get_title() for axes in figure.axes[:MAX_LAYERS]]
    assert titles[0] == "layer 0"
    assert titles[-1] == "layer 44"
    chosen = polar_figure([Shower("empty", np.zeros(which.n_voxels))], which, layers=[3, 9])
    assert [axes.get_title() for axes in chosen.axes[:2]] == ["layer 3", "layer 9"]
    assert b"svg" in picture(chosen)


def test_bad_showers_are_refused():
    which = Binning("toy", "photon", 22, (RINGS,))
    with pytest.raises(InputError, match="no shower to draw"):
        polar_figure([], which)
    with pytest.raises(InputError, match="binning 'toy' has 2"):
        polar_figure([Shower("x", np.ones(3))], which)
    with pytest.raises(InputError, match=r"no layer \[7\]"):
        polar_figure([Shower("x", np.ones(2))], which, layers=[7])
