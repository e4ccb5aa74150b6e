"""From checkpoints to files: sources, names, refusals, the same bytes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
import torch
from models import random_energy_flow, random_metadata, write_random_model

from fastcaloq_infer import _core
from fastcaloq_infer.artefact import read_card, read_model
from fastcaloq_infer.cli import main as cli
from fastcaloq_infer.conditioning.version import conditioner_version
from fastcaloq_infer.errors import InputError, ModelError, OutputError
from fastcaloq_infer.export import export_flow, export_onnx
from fastcaloq_infer.export.verify import Runner, parity_error
from fastcaloq_infer.training.build import build_flow
from fastcaloq_infer.training.checkpoint import save_model

if TYPE_CHECKING:
    from fastcaloq_infer.flow import EnergyFlow
    from fastcaloq_infer.training.metadata import ModelMetadata

SMALL: dict[str, Any] = {"n_blocks": 2, "hidden": (8,), "n_absolute": 1}


@pytest.fixture
def small() -> tuple[EnergyFlow, ModelMetadata]:
    return random_energy_flow(21, **SMALL)


@pytest.fixture
def run_folder(tmp_path: Path, small: tuple[EnergyFlow, ModelMetadata]) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    save_model(folder / "model.safetensors", *small)
    return folder


@pytest.mark.parametrize("conditioning", ["precomputed", "embedded", "served"])
def test_checkpoint_and_run_folder(run_folder: Path, tmp_path: Path, conditioning: Any) -> None:
    one, two = tmp_path / "one.onnx", tmp_path / "two.onnx"
    result = export_onnx(run_folder, one, conditioning=conditioning)
    export_onnx(run_folder / "model.safetensors", two, conditioning=conditioning)
    assert one.read_bytes() == two.read_bytes()
    model = read_model(one)
    assert model.digest == result.digest
    assert model.card == result.card
    assert model.card.conditioning.mode == conditioning
    assert result.size == one.stat().st_size


def test_card_says_what_the_checkpoint_says(
    tmp_path: Path, small: tuple[EnergyFlow, ModelMetadata]
) -> None:
    flow, metadata = small
    card = export_flow(flow, metadata, tmp_path / "m.onnx", name="photon-2").card
    assert card.name == "photon-2"
    assert card.training == metadata.training
    assert card.preprocessing == metadata.preprocessing
    assert card.validity == metadata.validity
    assert card.extrapolation.incident_energy == (128.0, 131072.0)
    assert card.extrapolation.eta == metadata.validity.eta
    half_width = card.condition.log_energy_half_width
    ends = np.log(card.validity.incident_energy)
    np.testing.assert_allclose((ends - card.condition.log_energy_center) / half_width, [-1, 1])
    assert len(card.parity.incident_energy) == 16
    # Zeros and energies are both among the showers every engine has to reproduce.
    energies = np.array(card.parity.layer_energy)
    assert (energies == 0).any()
    assert (energies > 0).any()


def test_same_bytes_in_another_process(tmp_path: Path) -> None:
    here, there = tmp_path / "here.onnx", tmp_path / "there.onnx"
    write_random_model(here, 22, **SMALL)
    code = (
        f"import sys; sys.path.append({str(Path(__file__).parents[1])!r});"
        "import torch; torch.set_num_threads(1);"
        "from pathlib import Path; from models import write_random_model;"
        f"write_random_model(Path({str(there)!r}), 22, **{SMALL!r})"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONHASHSEED": "77"})
    assert here.read_bytes() == there.read_bytes()


def test_other_weights_other_digest(tmp_path: Path) -> None:
    one = write_random_model(tmp_path / "one.onnx", 1, **SMALL)
    two = write_random_model(tmp_path / "two.onnx", 2, **SMALL)
    assert one.digest != two.digest


def test_overwrites_only_on_request(
    tmp_path: Path, small: tuple[EnergyFlow, ModelMetadata]
) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(b"precious")
    with pytest.raises(OutputError, match="--force"):
        export_flow(*small, path)
    assert path.read_bytes() == b"precious"
    with pytest.raises(OutputError, match="it is a folder"):
        export_flow(*small, tmp_path)
    export_flow(*small, path, overwrite=True)
    assert read_card(path).name == small[1].name
    assert [p.name for p in tmp_path.iterdir()] == ["m.onnx"]


def test_refuses_bad_arguments(tmp_path: Path, small: tuple[EnergyFlow, ModelMetadata]) -> None:
    path = tmp_path / "m.onnx"
    with pytest.raises(InputError, match="precomputed, embedded or served"):
        export_flow(*small, path, conditioning="folded")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no conditioner"):
        export_flow(*random_energy_flow(1, kind="none", **SMALL), path, conditioning="served")
    with pytest.raises(InputError, match="file names"):
        export_flow(*small, path, name="a/b")
    with pytest.raises(ModelError, match="neither a run folder"):
        export_onnx(str(tmp_path / "none"), path)
    with pytest.raises(ModelError):
        export_onnx(tmp_path, path)
    with pytest.raises(OutputError):
        export_flow(*small, tmp_path / "no" / "m.onnx")
    assert list(tmp_path.iterdir()) == []


def test_refuses_an_unfinished_training(
    tmp_path: Path, small: tuple[EnergyFlow, ModelMetadata]
) -> None:
    flow, metadata = small
    with pytest.raises(ModelError, match="has not finished"):
        export_flow(flow, metadata.model_copy(update={"training": None}), tmp_path / "m.onnx")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e39])
def test_refuses_weights_that_are_no_numbers(
    tmp_path: Path, small: tuple[EnergyFlow, ModelMetadata], value: float
) -> None:
    flow, metadata = small
    with torch.no_grad():
        flow.coupling_blocks[1].coupling.subnet.linears[0].weight[0, 0] = value
    with pytest.raises(ModelError, match=r"energy\.block1\.subnet\.0\.weight"):
        export_flow(flow, metadata, tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_on_disagreement(
    tmp_path: Path, small: tuple[EnergyFlow, ModelMetadata], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A graph that is wrong by 2 % in one layer never gets a name."""
    honest = Runner.run

    def wrong(self: Any, feed: Any) -> Any:
        (energies,) = honest(self, feed)
        return [energies * np.array([1, 1, 1.02, 1, 1], dtype=np.float32)]

    monkeypatch.setattr(Runner, "run", wrong)
    with pytest.raises(ModelError, match="disagree"):
        export_flow(*small, tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fallback", [True, False])
def test_a_served_model_says_what_it_needs(
    tmp_path: Path, small: tuple[EnergyFlow, ModelMetadata], fallback: bool
) -> None:
    result = export_flow(*small, tmp_path / "m.onnx", conditioning="served", fallback=fallback)
    card = result.card
    assert (card.conditioning.table is not None) == fallback
    assert card.conditioning.version == conditioner_version(small[0].conditioner, small[1].quantum)
    assert np.array(card.parity.quantum).shape == (16, card.conditioning.features)
    model = onnx.load(result.path)
    dims = {v.name: v.type.tensor_type.shape.dim[1].dim_value for v in model.graph.input}
    assert dims == {"incident_energy": 1, "eta": 1, "z_energy": 5, "quantum": 4}
    names = {tensor.name for tensor in model.graph.initializer}
    assert ("conditioner.table" in names) == fallback
    # The graph looks at its input: other features, other showers.
    other = np.array(card.parity.quantum) * 0.5
    changed = card.model_copy(
        update={"parity": card.parity.model_copy(update={"quantum": tuple(map(tuple, other))})}
    )
    assert parity_error(Runner(result.path.read_bytes()), changed) > 1.0


@pytest.mark.parametrize("kind", ["multilinear", "fourier"])
def test_kinds_that_are_precomputed_or_served_only(tmp_path: Path, kind: Any) -> None:
    flow, metadata = random_energy_flow(3, kind=kind, **SMALL)
    cards = [
        export_flow(flow, metadata, tmp_path / f"{mode}.onnx", conditioning=mode).card
        for mode in ("precomputed", "served")
    ]
    assert {card.conditioning.kind for card in cards} == {kind}
    assert cards[0].conditioning.version == cards[1].conditioning.version
    table, served = (_core.Model(tmp_path / f"{card.conditioning.mode}.onnx") for card in cards)
    row = np.full(1, 1000.0, np.float32), np.full(1, 0.2, np.float32)
    np.testing.assert_array_equal(table.features(*row), served.features(*row))
    with pytest.raises(InputError, match="cannot be embedded"):
        export_flow(flow, metadata, tmp_path / "m.onnx", conditioning="embedded")


def test_the_version_names_the_trained_conditioner(
    small: tuple[EnergyFlow, ModelMetadata],
) -> None:
    flow, metadata = small
    version = conditioner_version(flow.conditioner, metadata.quantum)
    assert version is not None
    assert re.fullmatch("[0-9a-f]{16}", version)
    # The weights are float32 numbers: in which type they are held does not matter.
    assert conditioner_version(flow.float().conditioner, metadata.quantum) == version
    with torch.no_grad():  # the flow around it may be trained on
        flow.coupling_blocks[0].coupling.subnet.linears[0].weight += 1.0
    assert conditioner_version(flow.conditioner, metadata.quantum) == version
    with torch.no_grad():
        next(flow.conditioner.parameters()).view(-1)[0] += 1e-3
    assert conditioner_version(flow.conditioner, metadata.quantum) != version
    none, bare = random_energy_flow(21, kind="none", **SMALL)
    assert conditioner_version(none.conditioner, bare.quantum) is None


def test_an_untrained_flow_can_be_exported(tmp_path: Path) -> None:
    """All last layers are zero, so every coupling is the identity."""
    metadata = random_metadata(4, **SMALL)
    torch.manual_seed(0)
    result = export_flow(build_flow(metadata), metadata, tmp_path / "m.onnx")
    assert result.check_error <= 1.0


def run_cli(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["export-onnx", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.export_onnx_main()
    code = caught.value.code
    assert isinstance(code, int)
    return code


def test_command(
    run_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_cli(monkeypatch, str(run_folder)) == 0
    out = capsys.readouterr().out
    model = read_model(tmp_path / "random-21.onnx")
    assert model.digest in out
    for text in ("random-21", "256 to 65536 MeV", "precomputed", "interpolation error", "parity"):
        assert text in out
    assert run_cli(monkeypatch, str(run_folder)) == 1
    error = capsys.readouterr().err
    assert "exists" in error
    assert len(error.strip().splitlines()) == 1
    options = ["--force", "--conditioning", "embedded", "--name", "other", "-o", "random-21.onnx"]
    assert run_cli(monkeypatch, str(run_folder), *options) == 0
    assert read_card(tmp_path / "random-21.onnx").name == "other"
    options = ["--force", "--conditioning", "served", "--no-fallback", "-o", "random-21.onnx"]
    assert run_cli(monkeypatch, str(run_folder), *options) == 0
    assert read_card(tmp_path / "random-21.onnx").conditioning.table is None
    assert run_cli(monkeypatch, str(run_folder), "--conditioning", "folded") == 2
    assert run_cli(monkeypatch, "no-such-model") == 1
