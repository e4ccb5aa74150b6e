"""The trained conditioner of a checkpoint: the exact layer, or its circuit on a device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastcaloq_infer.conditioning.version import conditioner_version
from fastcaloq_infer.errors import ConfigError
from fastcaloq_infer.export.describe import condition_section, extrapolation
from fastcaloq_infer.quantum.constants import MAX_EXPORT_QUBITS
from fastcaloq_infer.serving.conditions import eta_everywhere, scaled
from fastcaloq_infer.serving.source import Source, nothing_to_serve
from fastcaloq_infer.training.checkpoint import load_flow

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from fastcaloq_infer.artefact.sections import Condition
    from fastcaloq_infer.conditioning import Conditioner
    from fastcaloq_infer.serving.source import Device

    Evaluate = Callable[[NDArray[np.float64]], NDArray[np.float64]]

#: Conditions whose features a device computes once in a server's life.
REMEMBERED = 65_536


def checkpoint_source(model: Path | str, device: Device | None) -> Source:
    """Open the conditioner of a checkpoint (see `source.open_source`)."""
    flow, metadata = load_flow(model)
    conditioner = flow.double().eval().conditioner
    version = conditioner_version(conditioner, metadata.quantum)
    if version is None:
        raise nothing_to_serve(metadata.name)
    section = condition_section(flow)
    reach = extrapolation(metadata.validity)
    common: dict[str, Any] = {
        "name": metadata.name,
        "version": version,
        "n_features": conditioner.n_features,
        "reach": reach,
        "eta_everywhere": eta_everywhere(section, reach),
    }
    if device is not None:
        return _on_device(conditioner, section, device, common)
    evaluate = _exact(conditioner)
    return Source(
        **common,
        description=f"trained {conditioner.kind}, float64",
        rows=lambda energy, eta: evaluate(scaled(section, energy, eta)),
    )


def _on_device(
    conditioner: Conditioner, section: Condition, device: Device, common: dict[str, Any]
) -> Source:
    from fastcaloq_infer.conditioning import QuantumConditioner

    if not isinstance(conditioner, QuantumConditioner):
        raise ConfigError(
            f"the conditioner of {common['name']} is of kind {conditioner.kind!r} and no circuit, "
            "so no device can run it: leave out --device"
        )
    from fastcaloq_infer.serving.device import DeviceRun

    run = DeviceRun(conditioner, section, device)
    return Source(
        **common,
        description=str(run),
        rows=run.rows,
        block=run.block,
        reproducible=run.reproducible,
        memory=REMEMBERED,
    )


def _exact(conditioner: Conditioner) -> Evaluate:
    """Contract a circuit once where its matrices are small; else run the module itself."""
    import torch

    from fastcaloq_infer.conditioning import QuantumConditioner

    if (
        isinstance(conditioner, QuantumConditioner)
        and conditioner.circuit.circuit.n_qubits <= MAX_EXPORT_QUBITS
    ):
        return conditioner.export_constants().evaluate

    def run(c: NDArray[np.float64]) -> NDArray[np.float64]:
        with torch.inference_mode():
            features: NDArray[np.float64] = conditioner(torch.from_numpy(c)).numpy()
        return features

    return run
