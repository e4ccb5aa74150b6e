"""The order in which voxels are drawn sees only what is known, and reaches every voxel."""

from __future__ import annotations

import pytest

from fastcaloq_infer import data
from fastcaloq_infer.flow.shape.order import Cell, VoxelOrder

SMALL = ((3, 1), (0, 1), (3, 4), (2, 3), (1, 1), (1, 3), (2, 2))


def order_of(binning: str, stride: int = 2, offset: int = 6) -> VoxelOrder:
    layers = data.binning(binning).layers
    return VoxelOrder.of([(len(x.r_edges) - 1, x.n_alpha) for x in layers], stride, offset)


@pytest.mark.parametrize("stride", [2, 3, 9])
@pytest.mark.parametrize("offset", [0, 1, 6])
def test_a_step_sees_only_earlier_ones(stride: int, offset: int) -> None:
    order = VoxelOrder.of(SMALL, stride, offset)
    for group, coordinates in enumerate(order.groups):
        for k in coordinates:
            assert order.coordinates[k].group == group
            places = [place for place in order.neighbours[k] if place is not None]
            assert all(place < order.n_known[group] for place in places)
            # What is to be shared is known as well: the ring of a voxel, or what is left of it.
            cell = order.coordinates[k].cell
            if cell.alpha is not None and Cell(cell.layer, cell.ring) in order.place:
                assert order.place[Cell(cell.layer, cell.ring)] < order.n_known[group]


def test_every_voxel_is_drawn_once_and_one_per_layer_is_what_is_left() -> None:
    order = VoxelOrder.of(SMALL, 2, 6)
    assert order.n_voxels == sum(rings * alpha for rings, alpha in SMALL)
    assert len(order.voxels) == order.n_voxels
    cells = [cell for _, cell in order.voxels if cell is not None]
    assert len(set(cells)) == len(cells) == order.n_voxels - 1  # the layer of one voxel
    layers_with_voxels = sum(rings > 0 for rings, _ in SMALL)
    assert order.n_coordinates == order.n_voxels - layers_with_voxels


def test_chains_follow_each_other() -> None:
    order = VoxelOrder.of(SMALL, 2, 6)
    seen: dict[tuple[int, int | None], int] = {}
    for coordinate in order.coordinates:
        cell = coordinate.cell
        chain = (cell.layer, None if cell.alpha is None else cell.ring)
        place = cell.ring if cell.alpha is None else cell.alpha
        assert place == seen.get(chain, -1) + 1
        seen[chain] = place


def test_photons_and_pions() -> None:
    photon, pion = order_of("dataset-1-photons"), order_of("dataset-1-pions")
    assert (photon.n_voxels, photon.n_coordinates, photon.n_groups) == (368, 363, 99)
    assert (pion.n_voxels, pion.n_coordinates) == (533, 526)
    assert len(photon.known) == 53 + 350  # rings, and the voxels of layers 1 and 2
    assert pion.n_groups < 140


def test_files_have_r_fastest() -> None:
    order = VoxelOrder.of([(2, 3)], 2, 0)
    assert [cell for _, cell in order.voxels] == [
        Cell(0, ring, alpha) for alpha in range(3) for ring in range(2)
    ]
