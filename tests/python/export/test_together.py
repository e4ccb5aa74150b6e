"""Energies and shapes are joined where they belong together, and refused where they do not."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
import torch
from models import random_binning, random_flows, random_shape_flow

from fastcaloq_infer import shipped
from fastcaloq_infer.artefact import read_card
from fastcaloq_infer.cli import main as cli
from fastcaloq_infer.conditioning import QuantumConfig, build_conditioner
from fastcaloq_infer.errors import InputError, ModelError
from fastcaloq_infer.export import export_flow, export_onnx
from fastcaloq_infer.export.trained import load, together
from fastcaloq_infer.flow.condition import Validity
from fastcaloq_infer.flow.shape.config import CouplingShapeConfig
from fastcaloq_infer.flow.shape.coupling import CouplingShapeFlow
from fastcaloq_infer.training.checkpoint import save_model

if TYPE_CHECKING:
    from pathlib import Path

SMALL: dict[str, Any] = {"units": 2, "context": 3, "head": 5, "bins": 4, "offset": 1}


@pytest.fixture(scope="module")
def flows() -> Any:
    return random_flows(21, shape=SMALL)


@pytest.fixture
def runs(tmp_path: Path, flows: Any) -> tuple[Path, Path]:
    flow, metadata, shape = flows
    folders = tmp_path / "energy", tmp_path / "shape"
    for folder, pair in zip(folders, ((flow, metadata), shape), strict=True):
        folder.mkdir()
        save_model(folder / "model.safetensors", *pair)
    return folders


def changed(flows: Any, **update: Any) -> Any:
    """The shapes with other metadata."""
    voxels, described = flows[2]
    return voxels, described.model_copy(update=update)


def test_command(
    runs: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["export-onnx", *arguments])
        with pytest.raises(SystemExit) as caught:
            cli.export_onnx_main()
        assert isinstance(caught.value.code, int)
        return caught.value.code, *capsys.readouterr()

    energy, shape = map(str, runs)
    code, out, _ = run(energy, "--shape", shape)
    assert code == 0
    card = read_card(tmp_path / "random-21.onnx")
    assert card.contents == ("layer_energy", "voxel_energy")
    assert f"{card.n_voxels} voxels" in out
    assert card.feature_version in out.split()
    code, out, _ = run(energy, "--shape", shape, "--contract", "fastcalosim", "-o", "atlas.onnx")
    assert code == 0
    assert "setInputShapes({0, 3, 15, 21, 22}, {0, 1, 2, 3})" in out
    assert (tmp_path / "atlas_bins.hdf5").is_file()
    for arguments, text in (
        ((energy, "--contract", "fastcalosim", "--force"), "energies of layers alone"),
        ((energy, "--shape", energy), "flow of layer energies"),
        ((shape,), "flow of voxels"),
        ((energy, "--shape", shape, "--contents", "energy"), "leave out one of"),
        ((energy, "--shape", shape, "--contract", "fastcalosim", "-o", "atlas.onnx"), "exists"),
    ):
        code, _, error = run(*arguments)
        assert code == 1
        assert text in error
        assert len(error.strip().splitlines()) == 1
    assert run(energy, "--contract", "root")[0] == 2


def test_a_shipped_model_brings_its_shapes(
    runs: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "models" / "whole"
    folder.mkdir(parents=True)
    for run, name in zip(runs, ("model.safetensors", "shape.safetensors"), strict=True):
        (run / "model.safetensors").rename(folder / name)
    monkeypatch.setattr(shipped, "model_folders", lambda: [folder.parent])
    assert load("whole").shape is not None
    assert load("whole").name == "whole"
    assert load("whole", contents="energy").shape is None
    with pytest.raises(InputError, match="contents 'voxels' are unknown"):
        load("whole", contents="voxels")  # type: ignore[arg-type]
    with pytest.raises(ModelError):
        load("other")


def test_refuses_what_is_no_shower(flows: Any) -> None:
    flow, metadata, _ = flows
    other = random_binning(((3, 1), (3, 4), (2, 3), (2, 1)))
    for update, text in (
        ({"particle": "pion", "pdg_id": 211}, "give runs of one particle"),
        ({"binning": other}, "the same layers and voxels"),
    ):
        with pytest.raises(InputError, match=text):
            together(flow, metadata, changed(flows, **update))
    with pytest.raises(ModelError, match="has not finished"):
        together(flow, metadata, changed(flows, training=None))


def ranged(flows: Any, energy: tuple[float, float], eta: tuple[float, float] = (0.2, 0.2)) -> Any:
    """Shapes that were trained over another range."""
    validity = flows[1].validity.model_copy(update={"incident_energy": energy, "eta": eta})
    return random_shape_flow(flows[1].model_copy(update={"validity": validity}), **SMALL)


def test_valid_where_both_are(tmp_path: Path, flows: Any) -> None:
    """The shape's own scaling of the condition goes into its weights: the export checks that."""
    flow, metadata, _ = flows
    shape = ranged(flows, (1000.0, 131072.0))
    result = export_flow(flow, metadata, tmp_path / "m.onnx", shape=shape)
    assert result.card.validity.incident_energy == (1000.0, 65536.0)
    with pytest.raises(InputError, match="different ranges"):
        export_flow(flow, metadata, tmp_path / "n.onnx", shape=shape, conditioning="embedded")
    with pytest.raises(InputError, match="nothing that both can do"):
        together(flow, metadata, ranged(flows, (1e5, 2e5)))


def test_one_condition_must_do_for_both(flows: Any) -> None:
    flow, metadata, _ = random_flows(21, shape=SMALL)
    metadata = metadata.model_copy(update={"eta_dependent": False})
    flow.condition.half_width[1] = 1e30
    with pytest.raises(InputError, match="the same at every eta"):
        together(flow, metadata, flows[2])


def test_only_autoregressive_shapes(flows: Any) -> None:
    flow, metadata, (_, described) = flows
    config = CouplingShapeConfig(kind="coupling", n_blocks=2, hidden=(4,))
    validity = Validity((256.0, 65536.0), (0.2, 0.2))
    coupling = CouplingShapeFlow(
        config, metadata.binning.layers, validity, build_conditioner(QuantumConfig(kind="none"))
    )
    with pytest.raises(InputError, match="only autoregressive shapes"):
        together(flow, metadata, (coupling, described.model_copy(update={"shape": config})))


def test_refuses_bad_arguments(tmp_path: Path, flows: Any, runs: tuple[Path, Path]) -> None:
    flow, metadata, shape = flows
    path = tmp_path / "m.onnx"
    with pytest.raises(InputError, match="contract 'root' is unknown"):
        export_flow(flow, metadata, path, shape=shape, contract="root")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="asks no service"):
        export_flow(
            flow, metadata, path, shape=shape, contract="fastcalosim", conditioning="served"
        )
    with pytest.raises(InputError, match="energies of layers alone"):
        export_onnx(runs[0], path, contract="fastcalosim")
    empty = random_flows(21, layers=((3, 1), (0, 1)), shape=SMALL)
    with pytest.raises(InputError, match="layer 1 has no voxels"):
        export_flow(*empty[:2], path, shape=empty[2], contract="fastcalosim")
    with torch.no_grad():
        broken = random_flows(21, shape=SMALL)
        broken[2][0].network.head1[0, 0, 0] = float("nan")
    with pytest.raises(ModelError, match=r"shape\.group0\.head1\.weight"):
        export_flow(*broken[:2], path, shape=broken[2])
    assert not path.exists()
