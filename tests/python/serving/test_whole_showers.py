"""The features of whole showers, those of the energies and of the shape, from one service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from models import random_flows

from fastcaloq_infer.artefact import read_card
from fastcaloq_infer.export import export_flow
from fastcaloq_infer.serving.source import Device, open_source
from fastcaloq_infer.training.checkpoint import save_model

if TYPE_CHECKING:
    from pathlib import Path

ENERGY = np.geomspace(256, 65536, 70).astype(np.float32)
ETA = np.linspace(0.0, 0.8, 70, dtype=np.float32)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as shipped models have: file and checkpoints of a model of whole showers."""
    folder = tmp_path_factory.mktemp("run")
    flow, metadata, (shape, described) = random_flows(
        4, quantum={"n_qubits": 3}, shape={"quantum": {"n_qubits": 2}}, eta=(0.0, 0.8)
    )
    save_model(folder / "model.safetensors", flow, metadata)
    save_model(folder / "shape.safetensors", shape, described)
    for mode in ("precomputed", "served"):
        export_flow(
            flow, metadata, folder / f"{mode}.onnx", shape=(shape, described), conditioning=mode
        )
    return folder


def test_file_and_checkpoints_serve_the_same_conditioners(run: Path) -> None:
    trained = open_source(run)
    inside = open_source(run / "precomputed.onnx")
    for name in ("precomputed", "served"):
        card = read_card(run / f"{name}.onnx")
        assert trained.version == inside.version == card.feature_version
        assert trained.n_features == inside.n_features == card.n_features
    features = trained.evaluate(ENERGY, ETA)
    assert features.shape == (70, card.n_features)
    tables = [section.table for section in read_card(run / "precomputed.onnx").conditionings]
    # Interpolation, and the float32 of two dozen products of features and weights of order one.
    error = max(table.max_error for table in tables if table) + 24 * 2.0**-23
    np.testing.assert_allclose(inside.evaluate(ENERGY, ETA), features, rtol=0, atol=error)


def test_circuits_on_a_device_give_all_features(run: Path) -> None:
    device = open_source(run, Device("default.qubit", None, 1))
    exact = open_source(run)
    assert device.version == exact.version
    np.testing.assert_allclose(
        device.evaluate(ENERGY[:3], ETA[:3]), exact.evaluate(ENERGY[:3], ETA[:3]), atol=2.0**-22
    )
