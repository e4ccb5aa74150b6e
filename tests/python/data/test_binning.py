"""Voxel numbering, built-in binnings, and the XML dialect."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastcaloq_infer.data import (
    BINNINGS,
    Binning,
    LayerBinning,
    binning,
    particle,
    read_binning,
    write_binning,
)
from fastcaloq_infer.data.binning_xml import format_binning, parse_binning
from fastcaloq_infer.errors import InputError

TOY = Binning(
    "toy",
    "photon",
    22,
    (LayerBinning(0, (0, 5, 10)), LayerBinning(3, (1, 2, 4, 8), 4), LayerBinning(12, (0, 9), 2)),
)


def test_voxel_numbers_by_hand() -> None:
    assert TOY.n_voxels == 2 + 12 + 2
    assert TOY.layer_slices == (slice(0, 2), slice(2, 14), slice(14, 16))
    assert TOY.layer_ids == (0, 3, 12)
    # r runs fastest, then alpha, then layer
    assert TOY.voxel_index(0, 0, 1) == 1
    assert TOY.voxel_index(3, 0, 0) == 2
    assert TOY.voxel_index(3, 0, 2) == 4
    assert TOY.voxel_index(3, 1, 0) == 5
    assert TOY.voxel_index(3, 3, 2) == 13
    assert TOY.voxel_index(12, 1, 0) == 15
    assert TOY.voxel_coordinates(5) == (3, 1, 0)


def test_photon_voxel_numbers_by_hand() -> None:
    photon = binning("dataset-1-photons")
    # 8 voxels in layer 0; layer 1 has 16 rings x 10 sectors, layer 2 has 19 x 10, layer 3 has 5
    assert photon.voxel_index(1, 2, 3) == 8 + 2 * 16 + 3
    assert photon.voxel_index(2, 9, 18) == 8 + 160 + 189
    assert photon.voxel_index(12, 0, 4) == 367


@pytest.mark.parametrize(
    ("name", "particle_name", "pdg_id", "ids", "n_voxels"),
    [
        ("dataset-1-photons", "photon", 22, (0, 1, 2, 3, 12), 368),
        ("dataset-1-pions", "pion", 211, (0, 1, 2, 3, 12, 13, 14), 533),
        ("dataset-2", "electron", 11, tuple(range(45)), 6480),
        ("dataset-3", "electron", 11, tuple(range(45)), 40500),
    ],
)
def test_built_in_binnings(
    name: str, particle_name: str, pdg_id: int, ids: tuple[int, ...], n_voxels: int
) -> None:
    found = binning(name)
    assert (found.name, found.particle, found.pdg_id) == (name, particle_name, pdg_id)
    assert found.layer_ids == ids
    assert found.n_voxels == n_voxels
    assert binning(name) is found
    assert name in BINNINGS


def test_electron_rings_are_equally_wide() -> None:
    for name, n_r, n_alpha, width in (("dataset-2", 9, 16, 4.65), ("dataset-3", 18, 50, 2.325)):
        for layer in binning(name).layers:
            assert (layer.n_r, layer.n_alpha) == (n_r, n_alpha)
            np.testing.assert_allclose(layer.r_edges, width * np.arange(n_r + 1), atol=1e-9)


def test_layer_energies_sum_in_float64() -> None:
    showers = np.full((1, 16), 1.0, np.float32)
    showers[0, 2] = 2.0**24  # adding 1 eleven times in float32 would be lost
    energies = TOY.layer_energies(showers)
    assert energies.dtype == np.float64
    np.testing.assert_array_equal(energies, [[2, 2**24 + 11, 2]])
    with pytest.raises(InputError, match=r"needs \(N, 16\)"):
        TOY.layer_energies(showers[:, :-1])


@st.composite
def binnings(draw: st.DrawFn) -> Binning:
    ids = sorted(draw(st.sets(st.integers(0, 40), min_size=1, max_size=6)))
    edge = st.floats(0, 1e4, allow_nan=False) | st.integers(0, 3000).map(float)
    layers = tuple(
        LayerBinning(
            number,
            tuple(sorted(draw(st.sets(edge, min_size=2, max_size=8)))),
            draw(st.integers(1, 50)),
        )
        for number in ids
    )
    eta = draw(st.none() | st.integers(0, 490).map(lambda i: (i / 100, (i + 5) / 100)))
    name = draw(st.text(min_size=1, max_size=12, alphabet=st.characters(categories=["L", "N"])))
    return Binning("drawn", name, draw(st.integers(-3000, 3000)), layers, eta)


@given(binnings())
def test_xml_round_trip(drawn: Binning) -> None:
    assert parse_binning(format_binning(drawn), name="drawn") == drawn


@given(binnings(), st.data())
def test_voxel_numbers_are_a_bijection(drawn: Binning, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, drawn.n_voxels - 1))
    assert drawn.voxel_index(*drawn.voxel_coordinates(index)) == index
    layer, alpha, r = drawn.voxel_coordinates(index)
    k = drawn.layer_ids.index(layer)
    assert drawn.layer_slices[k].start <= index < drawn.layer_slices[k].stop
    if r + 1 < drawn.layers[k].n_r:
        assert drawn.voxel_index(layer, alpha, r + 1) == index + 1


@given(st.text(max_size=60) | st.text(alphabet="<>/BinsLayer ='\"0123456789,&;", max_size=60))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for candidate in (text, f"<Bins><Bin pid='22' name='p'>{text}</Bin></Bins>"):
        with pytest.raises(InputError):
            parse_binning(candidate, name="x")


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "mine.xml"
    write_binning(path, TOY)
    found = read_binning(path)
    assert found.name == "mine"
    assert found.layers == TOY.layers
    assert binning(str(path)) == found
    # layers without voxels fill the gaps, for readers that count positions
    assert path.read_text().count("<Layer ") == 13
    assert path.read_text().count('r_edges="0" ') == 10


def test_challenge_text_is_understood() -> None:
    text = """<Bins>
       <Bin pid="22" etaMin="20" etaMax="25" name="photon">
          <Layer id="0"  r_edges="0,5,10.5" n_bin_alpha="1" />
          <Layer id="1" r_edges="0" n_bin_alpha="1"/>
          <Layer id="2"  r_edges="0, 2,5" n_bin_alpha="10"/>
       </Bin>
       <Bin pid="211" name="pion"><Layer id="0" r_edges="0,5" n_bin_alpha="1"/></Bin>
    </Bins>"""
    found = parse_binning(text, name="x", particle="photon")
    assert found.layer_ids == (0, 2)
    assert found.layers[0].r_edges == (0, 5, 10.5)
    assert found.eta_range == (0.2, 0.25)
    assert parse_binning(text, name="x", particle="pion").eta_range is None
    with pytest.raises(InputError, match="exactly one is needed"):
        parse_binning(text, name="x")
    with pytest.raises(InputError, match="exactly one is needed"):
        parse_binning(text, name="x", particle="muon")


BAD_XML = {
    "<Bins>": "not well-formed",
    "<Foo/>": "expected <Bins>",
    "<Bins/>": "no <Bin> element",
    "<Bins><Bin pid='22'/></Bins>": "lacks the attribute 'name'",
    "<Bins><Bin pid='22' name='p'/></Bins>": "no layer with voxels",
    "<Bins><Bin pid='x' name='p'><Layer id='0' r_edges='0,1' n_bin_alpha='1'/></Bin></Bins>": (
        "pid='x', expected an integer"
    ),
    "<Bins><Bin pid='22' name='p'><Layer id='0' r_edges='0;1' n_bin_alpha='1'/></Bin></Bins>": (
        "separated by commas"
    ),
    "<Bins><Bin pid='22' name='p'><Layer id='0' r_edges='0,1'/></Bin></Bins>": "n_bin_alpha",
    "<Bins><Bin pid='22' name='p'><Layer id='0' r_edges='0,2,1' n_bin_alpha='1'/></Bin></Bins>": (
        "ascend strictly"
    ),
    "<Bins><Bin pid='22' name='p'><Layer id='0' r_edges='0,nan' n_bin_alpha='1'/></Bin></Bins>": (
        "finite"
    ),
    "<Bins><Bin pid='22' name='p'><Layer id='0' r_edges='0,1' n_bin_alpha='0'/></Bin></Bins>": (
        "at least 1"
    ),
    "<Bins><Bin pid='22' name='p'><Layer id='99999' r_edges='0,1' n_bin_alpha='1'/></Bin></Bins>": (
        "layer numbers are 0 to 999"
    ),
    "<Bins><Bin pid='22' name='p'><Layer id='2' r_edges='0,1' n_bin_alpha='1'/>"
    "<Layer id='1' r_edges='0,1' n_bin_alpha='1'/></Bin></Bins>": "must ascend",
}


@pytest.mark.parametrize(("text", "words"), BAD_XML.items())
def test_bad_xml_is_refused_with_the_reason(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "b.xml").write_text(text)
    with pytest.raises(InputError, match=words) as caught:
        read_binning(tmp_path / "b.xml")
    assert str(caught.value).startswith(str(tmp_path / "b.xml"))


def test_unknown_names_and_places() -> None:
    with pytest.raises(InputError, match="give one of dataset-1-photons"):
        binning("dataset-9")
    with pytest.raises(InputError, match="cannot read"):
        read_binning("missing.xml")
    with pytest.raises(InputError, match="no layer 4"):
        TOY.voxel_index(4, 0, 0)
    with pytest.raises(InputError, match="no bin"):
        TOY.voxel_index(0, 0, 2)
    for index in (-1, 16):
        with pytest.raises(InputError, match="16 voxels"):
            TOY.voxel_coordinates(index)
    with pytest.raises(InputError, match="eta"):
        Binning("x", "photon", 22, TOY.layers, (0.3, 0.2))


def test_particles() -> None:
    assert particle("gamma") == particle(22) == particle("22") == ("photon", 22)
    assert particle("pi-") == ("pion", -211)
    assert particle(1000020040).name == "pdg1000020040"
    for wrong in ("phooton", "0", ""):
        with pytest.raises(InputError):
            particle(wrong)
