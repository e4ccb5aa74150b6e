"""Features do not depend on who else asks, nor on what evaluates the conditioner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from models import random_energy_flow

from fastcaloq_infer.errors import ConfigError, ModelError
from fastcaloq_infer.sampling.models import folder
from fastcaloq_infer.serving.source import Device, open_source

if TYPE_CHECKING:
    from pathlib import Path

    from fastcaloq_infer.serving import Source

CHECKPOINT = folder("photon_energy") / "model.safetensors"
ENERGY = np.geomspace(256, 65536, 150).astype(np.float32)
ETA = np.full(150, 0.2, np.float32)
UNIT = 2.0**-24


def save_random_model(folder: Path, **options: Any) -> tuple[Path, Any]:
    """A checkpoint with random weights, and its flow."""
    from fastcaloq_infer.training.checkpoint import save_model

    flow, metadata = random_energy_flow(3, **options)
    path = folder / "model.safetensors"
    save_model(path, flow, metadata)
    return path, flow


def test_table_circuit_and_layer_agree(photon: Source) -> None:
    """The shipped file holds a table: off by its interpolation error and the float32 of both."""
    from fastcaloq_infer.artefact import read_card

    table = open_source("photon_energy")
    card = read_card(folder("photon_energy") / "model.onnx").conditioning
    assert (table.name, table.version) == (photon.name, photon.version)
    assert card.table is not None
    difference = np.abs(table.evaluate(ENERGY, ETA) - photon.evaluate(ENERGY, ETA)).max()
    # Sixteen products of weights up to 1.63 with features up to 1, summed in float32.
    assert difference < card.table.max_error + 16 * 1.63 * UNIT


@pytest.mark.parametrize("source", ["file", "checkpoint", "device"])
def test_a_row_does_not_depend_on_the_others(source: str) -> None:
    opened = {
        "file": lambda: open_source("photon_energy"),
        "checkpoint": lambda: open_source(CHECKPOINT),
        "device": lambda: open_source("photon_energy", Device("lightning.qubit", 20, 7)),
    }[source]()
    n = 150 if source != "device" else 5
    energy, eta = ENERGY[:n], ETA[:n]
    together = opened.evaluate(energy, eta)
    random = np.random.default_rng(1)
    again = open_source(CHECKPOINT) if source == "checkpoint" else opened
    for size in (1, 3):
        rows = random.permutation(n)[:size]
        assert np.array_equal(again.evaluate(energy[rows], eta[rows]), together[rows])
    repeated = np.resize(np.arange(n), 3 * n)
    assert np.array_equal(opened.evaluate(energy[repeated], -eta[repeated]), together[repeated])


def test_devices_are_the_exact_layer_without_shots(photon: Source) -> None:
    """default.mixed works in single precision: one rounding for each of about 50 gates at most."""
    expected = photon.evaluate(ENERGY[:8], ETA[:8])
    for name, roundings in (("default.qubit", 2), ("lightning.qubit", 2), ("default.mixed", 50)):
        source = open_source("photon_energy", Device(name, None, 0))
        assert (source.version, source.reproducible) == (photon.version, True)
        difference = np.abs(source.evaluate(ENERGY[:8], ETA[:8]) - expected).max()
        assert difference <= roundings * UNIT


def test_shots_scatter_around_the_exact_layer_and_repeat(photon: Source) -> None:
    shots, n = 400, 10
    sources = [
        open_source("photon_energy", Device("default.qubit", shots, seed)) for seed in (1, 1, 2)
    ]
    first, same, other = (source.evaluate(ENERGY[:n], ETA[:n]) for source in sources)
    assert np.array_equal(first, same)  # whoever asks, and after every start
    assert not np.array_equal(first, other)
    exact = photon.evaluate(ENERGY[:n], ETA[:n]).astype(float)
    error = np.sqrt(np.maximum(1 - exact**2, 0.01) / shots)
    pulls = (first - exact) / error  # 60 of them: a chi2 beyond 120 has p = 1e-5
    assert 20 < (pulls**2).sum() < 120


@pytest.mark.parametrize("kind", ["classical", "multilinear", "fourier"])
def test_other_kinds_are_served_but_run_on_no_device(tmp_path: Path, kind: Any) -> None:
    path, flow = save_random_model(tmp_path, kind=kind, eta=(0.0, 2.5))
    source = open_source(path)
    c = flow.condition(torch.from_numpy(ENERGY).double(), torch.from_numpy(ETA).double())
    with torch.no_grad():
        expected = flow.conditioner(c).numpy()
    largest = np.abs(expected).max()
    assert np.abs(source.evaluate(ENERGY, ETA) - expected).max() <= 2 * UNIT * largest
    with pytest.raises(ConfigError, match="no circuit, so no device can run it"):
        open_source(path, Device("default.qubit", None, 0))


def test_what_cannot_be_served(tmp_path: Path) -> None:
    path, _ = save_random_model(tmp_path, kind="none")
    with pytest.raises(ModelError, match="nothing to serve"):
        open_source(path)
    with pytest.raises(ModelError, match="no model is called 'electron'"):
        open_source("electron")
    with pytest.raises(ModelError, match="no model is called 'electron'"):
        open_source("electron", Device("default.qubit", None, 0))
    with pytest.raises(ConfigError, match="not its gates"):
        open_source(folder("photon_energy") / "model.onnx", Device("default.qubit", None, 0))
    for device, reason in (
        (Device("no.such", None, 0), "not installed"),
        (Device("no.such", 10, 0), "not installed"),
        (Device("default.qubit", 0, 0), "at least one shot"),
        (Device("default.clifford", None, 0), "cannot run the circuit"),
    ):
        with pytest.raises(ConfigError, match=reason):
            open_source("photon_energy", device)


def test_files_without_a_conditioner_of_their_own(tmp_path: Path) -> None:
    from fastcaloq_infer.export import export_flow

    flow, metadata = random_energy_flow(3)
    served = tmp_path / "served.onnx"
    export_flow(flow, metadata, served, conditioning="served", fallback=False)
    with pytest.raises(ModelError, match="serve the checkpoint"):
        open_source(served)
    export_flow(flow, metadata, served, conditioning="served", overwrite=True)
    embedded = tmp_path / "embedded.onnx"
    export_flow(flow, metadata, embedded, conditioning="embedded")
    files = [open_source(path) for path in (served, embedded)]
    assert files[0].version == files[1].version
    both = [source.evaluate(ENERGY, ETA) for source in files]
    assert np.abs(both[0] - both[1]).max() < 1e-5
