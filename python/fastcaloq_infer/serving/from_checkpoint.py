"""The trained conditioner of a checkpoint: the exact layer, or its circuit on a device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastcaloq_infer.artefact.card import joint_version
from fastcaloq_infer.conditioning.version import conditioner_version
from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.export.describe import condition_section, extrapolation
from fastcaloq_infer.quantum.constants import MAX_EXPORT_QUBITS
from fastcaloq_infer.serving.conditions import eta_everywhere, scaled
from fastcaloq_infer.serving.source import Source, nothing_to_serve
from fastcaloq_infer.training.checkpoint import SHAPE, load_flow, load_shape
from fastcaloq_infer.training.shipped import find_shipped

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from fastcaloq_infer.artefact.sections import Condition
    from fastcaloq_infer.conditioning import Conditioner
    from fastcaloq_infer.serving.source import Device

    Evaluate = Callable[[NDArray[np.float64]], NDArray[np.float64]]

#: Conditions whose features a device computes once in a server's life.
REMEMBERED = 65_536


def checkpoint_source(model: Path | str, device: Device | None) -> Source:
    """Open the conditioners of a checkpoint (see `source.open_source`).

    A folder or shipped model with ``shape.safetensors`` is one of whole showers: the features of
    its energies and of its shape are served together.
    """
    flow, metadata = load_flow(model)
    section = condition_section(flow)
    reach = extrapolation(metadata.validity)
    conditioner = flow.double().eval().conditioner
    version = conditioner_version(conditioner, metadata.conditioning)
    conditioners = [conditioner]
    if (shape_file := _shape_beside(model)) is not None:
        shape, described = load_shape(shape_file)
        conditioners.append(shape.double().eval().conditioner)
        version = joint_version(version, conditioner_version(conditioners[1], described.quantum))
    conditioners = [part for part in conditioners if part.n_features]
    if version is None:
        raise nothing_to_serve(metadata.name)
    common: dict[str, Any] = {
        "name": metadata.name,
        "version": version,
        "n_features": sum(part.n_features for part in conditioners),
        "reach": reach,
        "eta_everywhere": eta_everywhere(section, reach),
    }
    if device is not None:
        return _on_device(conditioners, section, device, common)
    evaluations = [_exact(part) for part in conditioners]

    def rows(energy: NDArray[np.float32], eta: NDArray[np.float32]) -> NDArray[np.float64]:
        condition = scaled(section, energy, eta)
        return np.hstack([evaluate(condition) for evaluate in evaluations])

    kinds = " and ".join(part.kind for part in conditioners)
    return Source(**common, description=f"trained {kinds}, float64", rows=rows)


def _shape_beside(model: Path | str) -> Path | None:
    """Return the shape flow that belongs to a folder or shipped model of whole showers."""
    folder = find_shipped(model).parent if isinstance(model, str) else model
    file = (folder if folder.is_dir() else folder.parent) / SHAPE
    return file if file.is_file() else None


def _on_device(
    conditioners: list[Conditioner], section: Condition, device: Device, common: dict[str, Any]
) -> Source:
    from fastcaloq_infer.conditioning import QuantumConditioner

    for conditioner in conditioners:
        if not isinstance(conditioner, QuantumConditioner):
            raise ConfigError(
                f"the conditioner of {common['name']} is of kind {conditioner.kind!r} and no "
                "circuit, so no device can run it: leave out --device"
            )
    from fastcaloq_infer.serving.device import DeviceRun

    runs = [
        DeviceRun(conditioner, section, device)
        for conditioner in conditioners
        if isinstance(conditioner, QuantumConditioner)
    ]
    return Source(
        **common,
        description=" and ".join(dict.fromkeys(map(str, runs))),
        rows=lambda energy, eta: np.hstack([run.rows(energy, eta) for run in runs]),
        block=min(run.block for run in runs),
        reproducible=all(run.reproducible for run in runs),
        memory=REMEMBERED,
    )


def _exact(conditioner: Conditioner) -> Evaluate:
    """Contract a circuit once where its matrices are small; else run the module itself."""
    import torch

    from fastcaloq_infer.conditioning import QuantumConditioner

    if (
        isinstance(conditioner, QuantumConditioner)
        and conditioner.execution.undisturbed
        and conditioner.circuit.circuit.n_qubits <= MAX_EXPORT_QUBITS
    ):
        return conditioner.export_constants().evaluate

    def run(c: NDArray[np.float64]) -> NDArray[np.float64]:
        with torch.inference_mode():
            features: NDArray[np.float64] = conditioner(torch.from_numpy(c)).numpy()
        return features

    return run
